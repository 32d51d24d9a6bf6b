//! The hash by which names are looked up inside one process. It decides nothing and is never written anywhere.

use hashbrown::HashTable;

const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
const SECOND: u64 = 0xd1b5_4a32_d192_ed03;

/// A good 64-bit hash of a short text: eight bytes a step, each folded through a 128-bit product.
pub(crate) fn hash_name(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = FIRST ^ bytes.len() as u64;
    for word in words {
        hash = fold(hash ^ u64::from_le_bytes(*word), SECOND);
    }
    // The tail: where there is a whole word, its last eight bytes, which overlap what was read already.
    let tail = match bytes.last_chunk::<8>() {
        Some(_) if rest.is_empty() => 0,
        Some(word) => u64::from_le_bytes(*word),
        None => rest.iter().fold(0, |tail, &byte| tail << 8 | u64::from(byte)),
    };
    fold(hash ^ tail, FIRST)
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The places of texts that stand earlier in the list already.
pub(crate) fn repetitions<'t>(texts: impl ExactSizeIterator<Item = &'t str>) -> Vec<usize> {
    let mut seen: HashTable<&str> = HashTable::with_capacity(texts.len());
    let mut repeated = Vec::new();
    for (index, text) in texts.enumerate() {
        let hash = hash_name(text);
        match seen.find(hash, |other| *other == text) {
            Some(_) => repeated.push(index),
            None => {
                seen.insert_unique(hash, text, |other| hash_name(other));
            }
        }
    }
    repeated
}
