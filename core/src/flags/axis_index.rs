//! An inverted index of one axis: from each value to the flags whose scope lists it.
//!
//! Each value stores its flags as a bit set or as a sorted list, whichever is smaller, so memory
//! stays linear in the size of the snapshot.

use alloc::{string::String, vec, vec::Vec};

use super::{Axis, FlagRule, Name, WORD};
use crate::text::{IS_SMALL, Index, same_bytes};

/// The values that the flags' scopes list on one axis, each with its flags.
#[derive(Debug, Default)]
pub(super) struct AxisIndex {
    /// The values, concatenated without separators.
    text: String,
    values: Vec<IndexedValue>,
    index: Index,
    /// The bit sets of values that many flags list.
    dense: Vec<u64>,
    /// The ascending flag numbers of values that few flags list.
    sparse: Vec<u32>,
}

/// A value that some scope lists.
#[derive(Debug, Clone, Copy)]
struct IndexedValue {
    /// The range of the value in [`AxisIndex::text`].
    text: (u32, u32),
    /// True if `flags` is a range of [`AxisIndex::dense`], false if of [`AxisIndex::sparse`].
    is_dense: bool,
    flags: (u32, u32),
}

/// Returns the range `(start, end)` of a list.
fn range<T>(list: &[T], (start, end): (u32, u32)) -> &[T] {
    list.get(start as usize..end as usize).unwrap_or_default()
}

impl AxisIndex {
    /// Builds the index of one axis in two passes: the first counts the flags of each value, the
    /// second stores them.
    pub(super) fn new(axis: Axis, flags: &[&FlagRule], words: usize) -> AxisIndex {
        let mut index = AxisIndex::default();
        // Pairs of a value's number and a flag's number.
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for (flag, rule) in flags.iter().enumerate() {
            for value in rule.scope.values(axis) {
                pairs.push((index.count(value), flag as u32));
            }
        }
        index.allocate(words);
        for (value, flag) in pairs {
            index.store(value, flag);
        }
        index
    }

    /// Counts one more flag for a value, in the end of its range `flags`, and returns the value's
    /// number.
    fn count(&mut self, value: &str) -> u32 {
        let name = Name::new(value);
        let number = match self.find(name) {
            Some(number) => number,
            None => {
                let number = self.values.len() as u32;
                let start = self.text.len() as u32;
                self.text.push_str(value);
                let text = (start, self.text.len() as u32);
                self.values.push(IndexedValue { text, is_dense: false, flags: (0, 0) });
                self.index.insert(name.hash, number);
                number
            }
        };
        if let Some(value) = self.values.get_mut(number as usize) {
            value.flags.1 += 1;
        }
        number
    }

    /// Allocates a range for the flags of each value, as a bit set or as a list, whichever is
    /// smaller.
    fn allocate(&mut self, words: usize) {
        let (mut dense, mut sparse) = (0, 0);
        for value in &mut self.values {
            let (_, count) = value.flags;
            value.is_dense = count as usize * size_of::<u32>() >= words * size_of::<u64>();
            if value.is_dense {
                value.flags = (dense, dense + words as u32);
                dense += words as u32;
            } else {
                // The range is empty at first and grows while flags are stored.
                value.flags = (sparse, sparse);
                sparse += count;
            }
        }
        self.dense = vec![0; dense as usize];
        self.sparse = vec![0; sparse as usize];
    }

    fn store(&mut self, value: u32, flag: u32) {
        let Some(value) = self.values.get_mut(value as usize) else { return };
        if value.is_dense {
            if let Some(word) = self.dense.get_mut(value.flags.0 as usize + flag as usize / WORD) {
                *word |= 1 << (flag as usize % WORD);
            }
        } else if let Some(slot) = self.sparse.get_mut(value.flags.1 as usize) {
            *slot = flag;
            value.flags.1 += 1;
        }
    }

    fn find(&self, name: Name<'_>) -> Option<u32> {
        self.index.find(name.hash, |number| match self.values.get(number as usize) {
            Some(value) => same_bytes(range(self.text.as_bytes(), value.text), name.text.as_bytes()),
            None => false,
        })
    }

    fn value(&self, name: Name<'_>) -> Option<&IndexedValue> {
        self.values.get(self.find(name)? as usize)
    }

    /// Returns one word of the flags that list a value, as bits.
    pub(super) fn word(&self, name: Name<'_>, word: usize) -> u64 {
        if IS_SMALL {
            return self.flags(name).word(word);
        }
        let Some(value) = self.value(name) else {
            return 0;
        };
        if value.is_dense {
            return self.dense.get(value.flags.0 as usize + word).copied().unwrap_or_default();
        }
        let sparse = range(&self.sparse, value.flags);
        let before = sparse.partition_point(|&flag| (flag as usize) < word * WORD);
        FlagSet { dense: &[], sparse: sparse.get(before..).unwrap_or_default() }.word(word)
    }

    /// Returns the flags that list a value.
    pub(super) fn flags(&self, name: Name<'_>) -> FlagSet<'_> {
        match self.value(name) {
            None => FlagSet::default(),
            Some(value) if value.is_dense => FlagSet { dense: range(&self.dense, value.flags), sparse: &[] },
            Some(value) => FlagSet { dense: &[], sparse: range(&self.sparse, value.flags) },
        }
    }
}

/// The flags that list one value, read word by word in ascending order. One of the two lists is
/// empty.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FlagSet<'r> {
    dense: &'r [u64],
    /// The flags that are not read yet.
    sparse: &'r [u32],
}

impl FlagSet<'_> {
    /// Returns the flags of a word as bits. Words must be read in ascending order and may be
    /// skipped.
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
