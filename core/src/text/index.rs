//! Name lookup: a hash, a comparison and a hash table for strings of a few bytes.
//!
//! No result depends on these hashes, and they are never stored or sent. On strings this short,
//! a call of `memcmp` or a general hash function costs more than the lookup itself, so everything
//! here is inlined.

use alloc::{vec, vec::Vec};
use core::mem;

use super::IS_SMALL;

const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
const SECOND: u64 = 0xd1b5_4a32_d192_ed03;

/// Hashes a name to 64 bits: each step folds sixteen bytes through a 128-bit product.
///
/// The last step reads the last sixteen bytes, which overlap the step before.
#[inline]
pub(crate) fn hash_name(text: &str) -> u64 {
    let bytes = text.as_bytes();
    if IS_SMALL {
        return bytes
            .iter()
            .fold(FIRST, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(SECOND).rotate_left(23));
    }
    let mut hash = bytes.len() as u64;
    let tail = match (bytes.last_chunk::<16>(), bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(tail), ..) => {
            for step in bytes.as_chunks::<16>().0.iter().take((bytes.len() - 1) / 16) {
                hash = fold(u128::from_le_bytes(*step) ^ u128::from(hash));
            }
            u128::from_le_bytes(*tail)
        }
        (None, Some(first), Some(last)) => {
            u128::from(u64::from_le_bytes(*first)) << 64 | u128::from(u64::from_le_bytes(*last))
        }
        _ => bytes.iter().fold(0, |word, &byte| word << 8 | u128::from(byte)),
    };
    fold(tail ^ u128::from(hash))
}

fn fold(word: u128) -> u64 {
    let product = u128::from(word as u64 ^ FIRST) * u128::from((word >> 64) as u64 ^ SECOND);
    product as u64 ^ (product >> 64) as u64
}

/// Returns whether two strings are equal. Compares bytes, because slicing a `str` also checks
/// character boundaries.
#[inline]
pub(crate) fn same_text(a: &str, b: &str) -> bool {
    same_bytes(a.as_bytes(), b.as_bytes())
}

/// Returns whether two byte strings are equal. Up to 32 bytes are compared as two overlapping
/// words.
#[inline]
pub(crate) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        _ if IS_SMALL => a == b,
        0..8 => a.iter().zip(b).all(|(a, b)| a == b),
        8..=16 => a.first_chunk::<8>() == b.first_chunk() && a.last_chunk::<8>() == b.last_chunk(),
        17..=32 => a.first_chunk::<16>() == b.first_chunk() && a.last_chunk::<16>() == b.last_chunk(),
        _ => a == b,
    }
}

/// A hash table from names to positions in a list that the caller owns.
///
/// Open addressing with linear probing, at most half full. A slot holds the low 32 bits of the
/// hash in its upper 32 bits and the position plus one in its lower 32 bits; zero is an empty slot.
///
/// Compared with `hashbrown::HashTable`, finding one name of 100 takes about a sixth less time (a
/// row of the Rust benchmark), and the compressed WASM module is 1 KB smaller.
#[derive(Debug, Default)]
pub(crate) struct Index {
    slots: Vec<u64>,
    used: usize,
}

const EMPTY: u64 = 0;

impl Index {
    pub(crate) fn with_capacity(count: usize) -> Index {
        let slots = if count == 0 { 0 } else { (2 * count).next_power_of_two() };
        Index { slots: vec![EMPTY; slots], used: 0 }
    }

    /// Finds the position with this hash for which `is_match` returns true.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_match: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = hash as u32;
        let mut at = hash as usize;
        loop {
            let slot = *self.slots.get(at & self.slots.len().wrapping_sub(1))?;
            if slot == EMPTY {
                return None;
            }
            let number = slot as u32 - 1;
            if (slot >> 32) as u32 == hash && is_match(number) {
                return Some(number);
            }
            at += 1;
        }
    }

    /// Adds the position of a name that the table does not contain yet.
    pub(crate) fn insert(&mut self, hash: u64, number: u32) {
        if 2 * (self.used + 1) > self.slots.len() {
            let larger = Index::with_capacity(self.used + 1);
            for slot in mem::replace(self, larger).slots {
                if slot != EMPTY {
                    self.put(slot);
                }
            }
        }
        self.put(hash << 32 | u64::from(number + 1));
    }

    fn put(&mut self, new: u64) {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = (new >> 32) as usize;
        while let Some(slot) = self.slots.get_mut(at & mask) {
            if *slot == EMPTY {
                *slot = new;
                self.used += 1;
                return;
            }
            at += 1;
        }
    }
}

/// Returns the positions of strings that repeat an earlier string of the list.
pub(crate) fn repetitions<'t>(texts: impl ExactSizeIterator<Item = &'t str>) -> Vec<usize> {
    let mut index = Index::with_capacity(texts.len());
    let mut seen: Vec<&str> = Vec::with_capacity(texts.len());
    let mut repeated = Vec::new();
    for text in texts {
        let hash = hash_name(text);
        match index.find(hash, |number| seen.get(number as usize).is_some_and(|other| same_text(other, text)))
        {
            Some(_) => repeated.push(seen.len()),
            None => index.insert(hash, seen.len() as u32),
        }
        seen.push(text);
    }
    repeated
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::prelude::v1::*;
    use std::vec;

    /// Strings of every length up to 79 bytes, and each of them with one byte changed.
    fn variations() -> Vec<String> {
        let mut texts = vec![String::new()];
        for length in 1..80 {
            let text: Vec<char> = "abcdefgh".chars().cycle().take(length).collect();
            texts.push(text.iter().collect());
            for at in 0..length {
                let mut other = text.clone();
                other[at] = 'X';
                texts.push(other.iter().collect());
            }
        }
        texts
    }

    #[test]
    fn equality_agrees_with_the_standard_library() {
        let texts = variations();
        for a in texts.iter().step_by(7) {
            for b in &texts {
                assert_eq!(same_text(a, b), a == b, "{a} {b}");
            }
        }
    }

    #[test]
    fn every_byte_affects_the_hash() {
        let mut hashes: Vec<_> = variations().iter().map(|text| hash_name(text) as u32).collect();
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        // 3,240 random values of 32 bits collide in one of eight hundred such lists.
        assert!(hashes.len() + 1 >= count);
    }

    #[test]
    fn only_inserted_names_are_found() {
        let texts = variations();
        for start in [Index::default(), Index::with_capacity(1), Index::with_capacity(texts.len())] {
            let mut index = start;
            let find = |index: &Index, text: &str| {
                index.find(hash_name(text), |number| texts[number as usize] == text)
            };
            for (number, text) in texts.iter().enumerate() {
                assert_eq!(find(&index, text), None);
                index.insert(hash_name(text), number as u32);
            }
            for (number, text) in texts.iter().enumerate() {
                assert_eq!(find(&index, text), Some(number as u32));
            }
            assert_eq!(find(&index, "absent"), None);
        }
    }

    #[test]
    fn names_with_equal_hashes_are_distinguished() {
        let mut index = Index::default();
        (0..100).for_each(|number| index.insert(7, number));
        assert_eq!(index.find(7, |number| number == 99), Some(99));
        assert_eq!(index.find(7, |_| false), None);
    }

    #[test]
    fn every_repetition_is_found() {
        assert_eq!(repetitions(["a", "b", "a", "c", "b", "a"].into_iter()), [2, 4, 5]);
        assert_eq!(repetitions([].into_iter()), [0_usize; 0]);
    }
}
