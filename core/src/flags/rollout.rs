//! The rollout hash: a tenant's permanent position in the rollout of a flag.

use sha2::block_api::compress256;

use crate::hash::{BLOCK, Hasher, INITIAL};
use crate::names::Percent;
use crate::text::IS_SMALL;

/// Returns a tenant's position in a flag's rollout, in hundredths of a percent: 0 to 9999.
///
/// The position depends only on the two strings and never changes between releases.
///
/// ```
/// assert_eq!(dezky_core::flags::rollout_position("t1", "flag-a"), 6334);
/// ```
pub fn rollout_position(tenant_id: &str, key: &str) -> u16 {
    RolloutHasher::new(tenant_id).position(key)
}

/// Returns whether a rollout at `pct` includes a tenant that is in its scope.
///
/// ```
/// use dezky_core::flags::in_rollout;
/// use dezky_core::names::Percent;
/// assert!(!in_rollout("t1", "flag-a", Percent::whole(63)?));
/// assert!(in_rollout("t1", "flag-a", Percent::whole(64)?));
/// # Ok::<(), dezky_core::Error>(())
/// ```
pub fn in_rollout(tenant_id: &str, key: &str, pct: Percent) -> bool {
    rollout_position(tenant_id, key) < pct.hundredths()
}

/// The blocks that the longest names need: 64 + 1 + 64 bytes of text and 9 bytes of padding.
const BLOCKS: usize = 3;

/// Computes one tenant's positions. The hash input is `tenant_id:key`; the tenant id is laid out
/// once as SHA-256 blocks, and each key is written behind it.
///
/// Calling the block function directly saves the copies and the bookkeeping of a general hasher,
/// which cost as much as the hash itself on inputs of one block.
pub(crate) struct RolloutHasher<'a> {
    tenant_id: &'a str,
    blocks: [u8; BLOCKS * BLOCK],
    /// The last position, with the offset of its key. In a plan, two rules of one flag follow
    /// each other and share one hash.
    last: Option<(u32, u16)>,
}

impl<'a> RolloutHasher<'a> {
    pub(super) fn new(tenant_id: &'a str) -> RolloutHasher<'a> {
        let mut blocks = [0; BLOCKS * BLOCK];
        if let Some((text, rest)) = blocks.split_at_mut_checked(tenant_id.len()) {
            text.copy_from_slice(tenant_id.as_bytes());
            rest.iter_mut().take(1).for_each(|separator| *separator = b':');
        }
        RolloutHasher { tenant_id, blocks, last: None }
    }

    /// Like `position`, but reuses the last position if the key has the same offset in its
    /// ruleset's keys.
    pub(super) fn cached_position(&mut self, key_start: u32, key: &str) -> u16 {
        match self.last {
            Some((last, position)) if last == key_start => position,
            _ => {
                let position = self.position(key);
                self.last = Some((key_start, position));
                position
            }
        }
    }

    /// Returns the position in the rollout of a flag, in hundredths of a percent.
    fn position(&mut self, key: &str) -> u16 {
        match self.padded_message(key.as_bytes()) {
            Some(blocks) => {
                let mut state = INITIAL;
                compress256(&mut state, blocks);
                position_of(state)
            }
            None => hashed_position(self.tenant_id, key),
        }
    }

    /// Returns the padded SHA-256 message: the text, a 1 bit, zeros, and the length in bits.
    ///
    /// Returns `None` for strings longer than any name, and in WASM, which has room for one hasher
    /// only.
    fn padded_message(&mut self, key: &[u8]) -> Option<&[[u8; BLOCK]]> {
        if IS_SMALL {
            return None;
        }
        let prefix = self.tenant_id.len() + 1;
        let length = prefix + key.len();
        let end = (length + 9).next_multiple_of(BLOCK);
        let (text, padding) = self.blocks.get_mut(prefix..end)?.split_at_mut_checked(key.len())?;
        text.copy_from_slice(key);
        padding.fill(0);
        *padding.first_mut()? = 0x80;
        *padding.last_chunk_mut()? = (8 * length as u64).to_be_bytes();
        self.blocks.get(..end).map(|used| used.as_chunks().0)
    }
}

/// Computes a position with the general hasher.
fn hashed_position(tenant_id: &str, key: &str) -> u16 {
    let mut hasher = Hasher::new();
    for piece in [tenant_id, ":", key] {
        hasher.update(piece);
    }
    position_of(hasher.finish())
}

/// Converts a hash to a position: the last four decimal digits of the 256-bit number, with the two
/// pairs of digits swapped, so that the last two digits are the whole percent.
fn position_of(hash: [u32; 8]) -> u16 {
    /// The weight of word `i`: 2^(32 * (7 - i)) modulo 10,000. The weighted sum stays far below
    /// 2^64.
    const WEIGHTS: [u64; 8] = [9216, 2896, 2976, 1456, 336, 1616, 7296, 1];
    let sum: u64 = hash.iter().zip(WEIGHTS).map(|(&word, weight)| u64::from(word) * weight).sum();
    let digits = (sum % 10_000) as u16;
    digits % 100 * 100 + digits / 100
}

#[cfg(test)]
mod tests {
    use super::position_of;
    use std::prelude::v1::*;

    /// Sets one word at a time, so that each weight is tested alone.
    #[test]
    fn every_word_has_its_weight() {
        let mut power = 1_u64;
        for word in (0..8).rev() {
            let mut hash = [0; 8];
            hash[word] = 1;
            let digits = (power % 10_000) as u16;
            assert_eq!(position_of(hash), digits % 100 * 100 + digits / 100, "{word}");
            power = (power << 32) % 10_000;
        }
    }
}
