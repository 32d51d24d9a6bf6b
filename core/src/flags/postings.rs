//! For one axis: which flags list a value. Memory stays linear in the size of the document.

use alloc::{string::String, vec, vec::Vec};

use super::{Axis, FlagRule, Name, WORD};
use crate::text::{IS_SMALL, Index, same_bytes};

/// The flags that list each value of an axis.
#[derive(Debug, Default)]
pub(super) struct Postings {
    /// Every value's text, one after the other.
    text: String,
    values: Vec<Listed>,
    index: Index,
    /// Flags as bit sets, for values that many flags list.
    dense: Vec<u64>,
    /// Flags as ascending numbers, for values that few flags list.
    sparse: Vec<u32>,
}

/// A value: where its text stands, and where its flags do.
#[derive(Debug, Clone, Copy)]
struct Listed {
    text: (u32, u32),
    dense: bool,
    flags: (u32, u32),
}

/// The range `(start, end)` of a list.
fn range<T>(list: &[T], (start, end): (u32, u32)) -> &[T] {
    list.get(start as usize..end as usize).unwrap_or_default()
}

impl Postings {
    /// From the values that each flag lists on an axis, by ascending flag.
    pub(super) fn new(axis: Axis, flags: &[&FlagRule], words: usize) -> Postings {
        let mut postings = Postings::default();
        // Values and the flags that list them, both by number.
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for (flag, rule) in flags.iter().enumerate() {
            for value in rule.scope.values(axis) {
                pairs.push((postings.number(value), flag as u32));
            }
        }
        postings.make_room(words);
        for (value, flag) in pairs {
            postings.place(value, flag);
        }
        postings
    }

    /// A value's number. `flags` counts its flags until they are placed.
    fn number(&mut self, value: &str) -> u32 {
        let name = Name::new(value);
        let number = match self.find(name) {
            Some(number) => number,
            None => {
                let number = self.values.len() as u32;
                let start = self.text.len() as u32;
                self.text.push_str(value);
                let text = (start, self.text.len() as u32);
                self.values.push(Listed { text, dense: false, flags: (0, 0) });
                self.index.insert(name.hash, number);
                number
            }
        };
        if let Some(listed) = self.values.get_mut(number as usize) {
            listed.flags.1 += 1;
        }
        number
    }

    /// Gives each value room for its flags, in whichever form is smaller.
    fn make_room(&mut self, words: usize) {
        let (mut bits, mut numbers) = (0, 0);
        for listed in &mut self.values {
            let (_, count) = listed.flags;
            listed.dense = count as usize * size_of::<u32>() >= words * size_of::<u64>();
            if listed.dense {
                listed.flags = (bits, bits + words as u32);
                bits += words as u32;
            } else {
                // An empty range, which grows to its size where flags are appended one by one.
                listed.flags = (numbers, numbers);
                numbers += count;
            }
        }
        self.dense = vec![0; bits as usize];
        self.sparse = vec![0; numbers as usize];
    }

    fn place(&mut self, value: u32, flag: u32) {
        let Some(listed) = self.values.get_mut(value as usize) else { return };
        if listed.dense {
            if let Some(word) = self.dense.get_mut(listed.flags.0 as usize + flag as usize / WORD) {
                *word |= 1 << (flag as usize % WORD);
            }
        } else if let Some(slot) = self.sparse.get_mut(listed.flags.1 as usize) {
            *slot = flag;
            listed.flags.1 += 1;
        }
    }

    fn find(&self, value: Name<'_>) -> Option<u32> {
        self.index.find(value.hash, |number| match self.values.get(number as usize) {
            Some(listed) => same_bytes(range(self.text.as_bytes(), listed.text), value.text.as_bytes()),
            None => false,
        })
    }

    fn listed(&self, value: Name<'_>) -> Option<&Listed> {
        self.values.get(self.find(value)? as usize)
    }

    /// The flags of one word that list a value, as bits.
    pub(super) fn word_of(&self, value: Name<'_>, word: usize) -> u64 {
        if IS_SMALL {
            return self.of(value).word(word);
        }
        let Some(listed) = self.listed(value) else {
            return 0;
        };
        if listed.dense {
            return self.dense.get(listed.flags.0 as usize + word).copied().unwrap_or_default();
        }
        let sparse = range(&self.sparse, listed.flags);
        let before = sparse.partition_point(|&flag| (flag as usize) < word * WORD);
        Posting { dense: &[], sparse: sparse.get(before..).unwrap_or_default() }.word(word)
    }

    /// The flags that list a value.
    pub(super) fn of(&self, value: Name<'_>) -> Posting<'_> {
        let listed = self.listed(value);
        match listed {
            None => Posting::default(),
            Some(listed) if listed.dense => Posting { dense: range(&self.dense, listed.flags), sparse: &[] },
            Some(listed) => Posting { dense: &[], sparse: range(&self.sparse, listed.flags) },
        }
    }
}

/// The flags that list one value, read word by word in ascending order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Posting<'r> {
    dense: &'r [u64],
    sparse: &'r [u32],
}

impl Posting<'_> {
    /// The flags of a word as bits. Words must be asked for in ascending order; some may be passed over.
    pub(super) fn word(&mut self, word: usize) -> u64 {
        if let Some(&bits) = self.dense.get(word) {
            return bits;
        }
        let mut bits = 0;
        while let Some((&flag, rest)) = self.sparse.split_first()
            && flag as usize / WORD <= word
        {
            if flag as usize / WORD == word {
                bits |= 1 << (flag as usize % WORD);
            }
            self.sparse = rest;
        }
        bits
    }
}
