//! For one axis: which flags list a value, and which list none. Memory stays linear in the size of the document.

use hashbrown::HashTable;

use super::Name;
use crate::names::hash_name;

const WORD: usize = u64::BITS as usize;

/// The flags that list each value of an axis.
#[derive(Debug, Default)]
pub(super) struct Postings {
    /// Every value's text, one after the other.
    text: String,
    values: HashTable<Listed>,
    /// Flags as bit sets, for values that many flags list.
    dense: Vec<u64>,
    /// Flags as ascending numbers, for values that few flags list.
    sparse: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Listed {
    text: (u32, u32),
    dense: bool,
    flags: (u32, u32),
}

/// The range `(start, end)` of a list, where it is one.
fn range<T>(list: &[T], (start, end): (u32, u32)) -> &[T] {
    list.get(start as usize..end as usize).unwrap_or_default()
}

fn piece(text: &str, (start, end): (u32, u32)) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}

impl Postings {
    /// From the values that each flag lists, by ascending flag.
    pub(super) fn new<'f>(flags: impl Iterator<Item = (u32, &'f str)>, words: usize) -> Postings {
        let mut postings = Postings::default();
        let mut numbers: HashTable<(u32, (u32, u32))> = HashTable::new();
        let mut counts: Vec<u32> = Vec::new();
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        let text = &mut postings.text;
        for (flag, value) in flags {
            let hash = hash_name(value);
            let found = numbers.find(hash, |&(_, span)| piece(text, span) == value);
            let number = match found {
                Some(&(number, _)) => number,
                None => {
                    let start = text.len() as u32;
                    text.push_str(value);
                    let entry = (counts.len() as u32, (start, text.len() as u32));
                    numbers.insert_unique(hash, entry, |&(_, span)| hash_name(piece(text, span)));
                    counts.push(0);
                    entry.0
                }
            };
            if let Some(count) = counts.get_mut(number as usize) {
                *count += 1;
            }
            pairs.push((number, flag));
        }
        // A stable sort by value keeps each value's flags ascending.
        pairs.sort_by_key(|&(number, _)| number);

        let mut spans: Vec<_> = numbers.into_iter().collect();
        spans.sort_unstable_by_key(|&(number, _)| number);
        let mut rest = pairs.as_slice();
        postings.values = HashTable::with_capacity(spans.len());
        for ((_, span), &count) in spans.iter().zip(&counts) {
            let Some((own, others)) = rest.split_at_checked(count as usize) else { break };
            rest = others;
            postings.add(*span, own, words);
        }
        postings.dense.shrink_to_fit();
        postings.sparse.shrink_to_fit();
        postings.text.shrink_to_fit();
        postings
    }

    /// Adds a value's flags, in whichever form is smaller.
    fn add(&mut self, span: (u32, u32), own: &[(u32, u32)], words: usize) {
        let dense = own.len() * size_of::<u32>() >= words * size_of::<u64>();
        let flags = if dense {
            let start = self.dense.len();
            self.dense.resize(start + words, 0);
            for &(_, flag) in own {
                if let Some(word) = self.dense.get_mut(start + flag as usize / WORD) {
                    *word |= 1 << (flag as usize % WORD);
                }
            }
            (start as u32, self.dense.len() as u32)
        } else {
            let start = self.sparse.len() as u32;
            self.sparse.extend(own.iter().map(|&(_, flag)| flag));
            (start, self.sparse.len() as u32)
        };
        let Postings { text, values, .. } = self;
        let listed = Listed { text: span, dense, flags };
        values.insert_unique(hash_name(piece(text, span)), listed, |listed| {
            hash_name(piece(text, listed.text))
        });
    }

    /// The flags that list a value.
    pub(super) fn of(&self, value: Name<'_>) -> Posting<'_> {
        match self.values.find(value.hash, |listed| piece(&self.text, listed.text) == value.text) {
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
    /// The same, from a word on.
    pub(super) fn from(self, word: usize) -> Self {
        let before = self.sparse.partition_point(|&flag| (flag as usize) < word * WORD);
        Posting { sparse: self.sparse.get(before..).unwrap_or_default(), ..self }
    }

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
