//! The rollout hash: where a tenant stands for a flag, for ever.

use sha2::block_api::compress256;

use crate::hash::{BLOCK, Hasher, INITIAL};
use crate::names::Percent;
use crate::text::IS_SMALL;

/// A tenant's position for a flag, in hundredths of a percent: 0 to 9999. It never changes.
///
/// ```
/// assert_eq!(dezky_core::flags::rollout_position("t1", "flag-a"), 6334);
/// ```
pub fn rollout_position(tenant_id: &str, key: &str) -> u16 {
    Draw::new(tenant_id).position(key)
}

/// Whether a rollout at `pct` includes a tenant that is in its scope.
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

/// Blocks that the longest names need: 64 + 1 + 64 bytes of text and 9 of padding.
const BLOCKS: usize = 3;

/// One tenant's half of the hash input, laid out once as SHA-256 blocks; a key is laid behind it at each draw.
///
/// Going to the block function directly saves the copies and the bookkeeping of a general hasher, which cost as much as the hash itself
/// on inputs of one block.
pub(crate) struct Draw<'a> {
    tenant_id: &'a str,
    blocks: [u8; BLOCKS * BLOCK],
    /// What was drawn last, by where its key stands: two rules of one flag lie side by side and hash once.
    last: Option<(u32, u16)>,
}

impl<'a> Draw<'a> {
    pub(super) fn new(tenant_id: &'a str) -> Draw<'a> {
        let mut blocks = [0; BLOCKS * BLOCK];
        if let Some((text, rest)) = blocks.split_at_mut_checked(tenant_id.len()) {
            text.copy_from_slice(tenant_id.as_bytes());
            rest.iter_mut().take(1).for_each(|separator| *separator = b':');
        }
        Draw { tenant_id, blocks, last: None }
    }

    /// The position for a flag whose key stands at `place` among the keys of its ruleset.
    pub(super) fn position_at(&mut self, place: u32, key: &str) -> u16 {
        match self.last {
            Some((last, position)) if last == place => position,
            _ => {
                let position = self.position(key);
                self.last = Some((place, position));
                position
            }
        }
    }

    /// The position for a flag, in hundredths.
    fn position(&mut self, key: &str) -> u16 {
        match self.lay_out(key.as_bytes()) {
            Some(blocks) => {
                let mut state = INITIAL;
                compress256(&mut state, blocks);
                position_of(state)
            }
            None => position_of_long(self.tenant_id, key),
        }
    }

    /// The padded message: text, a 1 bit, zeros, the length in bits. `None` where it takes more blocks than names can, and in
    /// a page, where the one hasher does.
    fn lay_out(&mut self, key: &[u8]) -> Option<&[[u8; BLOCK]]> {
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

/// For texts longer than any name.
fn position_of_long(tenant_id: &str, key: &str) -> u16 {
    let mut hasher = Hasher::new();
    for piece in [tenant_id, ":", key] {
        hasher.update(piece);
    }
    position_of(hasher.finish())
}

/// The hash as one 256-bit number, modulo 10,000 (its last four decimal digits), with the two pairs of digits swapped: the last two decide the
/// whole percent.
fn position_of(hash: [u32; 8]) -> u16 {
    /// 2^(32 * (7 - i)) modulo 10,000: the weight of word `i`. The weighted sum stays far below 2^64.
    const WEIGHTS: [u64; 8] = [9216, 2896, 2976, 1456, 336, 1616, 7296, 1];
    let sum: u64 = hash.iter().zip(WEIGHTS).map(|(&word, weight)| u64::from(word) * weight).sum();
    let digits = (sum % 10_000) as u16;
    digits % 100 * 100 + digits / 100
}

#[cfg(test)]
mod tests {
    use super::position_of;
    use std::prelude::v1::*;

    /// One word at a time, so that each weight is seen alone.
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
