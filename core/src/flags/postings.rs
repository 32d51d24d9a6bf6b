//! For one axis: which flags list a value. Memory stays linear in the size of the document.

use super::{Name, WORD};
use crate::names::{Index, hash_name, same_text};

/// The flags that list each value of an axis.
#[derive(Debug, Default)]
pub(super) struct Postings {
    /// Every value's text, one after the other.
    text: Vec<u8>,
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
    /// From the values that each flag lists, by ascending flag.
    pub(super) fn new<'f>(flags: impl Iterator<Item = (u32, &'f str)>, words: usize) -> Postings {
        let mut postings = Postings::default();
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for (flag, value) in flags {
            pairs.push((postings.number(value), flag));
        }
        postings.place(&pairs, words);
        postings.text.shrink_to_fit();
        postings.values.shrink_to_fit();
        postings
    }

    /// A value's number. `flags` counts its flags until they are placed.
    fn number(&mut self, value: &str) -> u32 {
        let hash = hash_name(value);
        let number = self.find(Name { text: value, hash }).unwrap_or_else(|| {
            let start = self.text.len() as u32;
            self.text.extend_from_slice(value.as_bytes());
            let number = self.values.len() as u32;
            self.values.push(Listed { text: (start, self.text.len() as u32), dense: false, flags: (0, 0) });
            self.index.insert(hash, number);
            number
        });
        if let Some(listed) = self.values.get_mut(number as usize) {
            listed.flags.1 += 1;
        }
        number
    }

    /// Gives each value room for its flags, in whichever form is smaller, and writes them there.
    fn place(&mut self, pairs: &[(u32, u32)], words: usize) {
        let (mut bits, mut numbers) = (0, 0);
        for listed in &mut self.values {
            let (_, count) = listed.flags;
            listed.dense = count as usize * size_of::<u32>() >= words * size_of::<u64>();
            let (start, size) = if listed.dense { (&mut bits, words as u32) } else { (&mut numbers, count) };
            // An empty range, which grows to its size where flags are appended one by one.
            listed.flags = (*start, if listed.dense { *start + size } else { *start });
            *start += size;
        }
        self.dense = vec![0; bits as usize];
        self.sparse = vec![0; numbers as usize];
        for &(value, flag) in pairs {
            let Some(listed) = self.values.get_mut(value as usize) else { continue };
            if listed.dense {
                if let Some(word) = self.dense.get_mut(listed.flags.0 as usize + flag as usize / WORD) {
                    *word |= 1 << (flag as usize % WORD);
                }
            } else if let Some(slot) = self.sparse.get_mut(listed.flags.1 as usize) {
                *slot = flag;
                listed.flags.1 += 1;
            }
        }
    }

    fn find(&self, value: Name<'_>) -> Option<u32> {
        self.index.find(value.hash, |number| {
            self.values.get(number as usize).is_some_and(|listed| {
                let (start, end) = listed.text;
                self.text.get(start as usize..end as usize).is_some_and(|text| same_text(text, value.text))
            })
        })
    }

    /// The flags of one word that list a value, as bits.
    pub(super) fn word_of(&self, value: Name<'_>, word: usize) -> u64 {
        let Some(listed) = self.find(value).and_then(|number| self.values.get(number as usize)) else {
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
        let listed = self.find(value).and_then(|number| self.values.get(number as usize));
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
