//! Incremental SHA-256 on top of the block function, which is smaller in WASM than the general
//! hasher.

use alloc::string::String;

use sha2::block_api::compress256;

use crate::names::Digest;
use crate::text::{hex_digit, push_char};

pub(crate) const BLOCK: usize = 64;

pub(crate) const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The state of a hash: the input so far, of which the last block is not compressed yet.
pub(crate) struct Hasher {
    state: [u32; 8],
    block: [u8; BLOCK],
    length: u64,
}

impl Hasher {
    pub(crate) fn new() -> Hasher {
        Hasher { state: INITIAL, block: [0; BLOCK], length: 0 }
    }

    pub(crate) fn update(&mut self, text: &str) {
        self.update_bytes(text.as_bytes());
    }

    pub(crate) fn update_bytes(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.block.get_mut(self.length as usize % BLOCK..).unwrap_or_default();
            let count = room.len().min(bytes.len());
            let (now, later) = bytes.split_at_checked(count).unwrap_or_default();
            if let Some(room) = room.get_mut(..count) {
                room.copy_from_slice(now);
            }
            self.length += count as u64;
            if self.length.is_multiple_of(BLOCK as u64) {
                compress256(&mut self.state, &[self.block]);
            }
            bytes = later;
        }
    }

    /// Pads the input and returns the hash as eight words.
    pub(crate) fn finish(mut self) -> [u32; 8] {
        const PADDING: [u8; BLOCK] = {
            let mut padding = [0; BLOCK];
            padding[0] = 0x80;
            padding
        };
        let bits = 8 * self.length;
        // Padding: a 1 bit, and zeros until eight bytes of a block are left for the length in bits.
        let zeros = (2 * BLOCK as u64 - 9 - self.length % BLOCK as u64) % BLOCK as u64;
        self.update_bytes(PADDING.get(..1 + zeros as usize).unwrap_or_default());
        self.update_bytes(&bits.to_be_bytes());
        self.state
    }

    /// Returns the hash as hex digits.
    pub(crate) fn digest(self) -> Digest {
        let mut text = String::with_capacity(64);
        for mut word in self.finish() {
            for _ in 0..8 {
                word = word.rotate_left(4);
                push_char(&mut text, hex_digit((word & 15) as u8));
            }
        }
        Digest::from_hex(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::Hasher;
    use sha2::{Digest as _, Sha256};
    use std::prelude::v1::*;

    #[test]
    fn the_hash_does_not_depend_on_how_the_input_is_split() {
        let bytes: Vec<u8> = (b'a'..=b'z').cycle().take(200).collect();
        for length in 0..200 {
            for cut in [0, length / 3, length] {
                let mut hasher = Hasher::new();
                hasher.update_bytes(&bytes[..cut]);
                hasher.update_bytes(&bytes[cut..length]);
                let expected = Sha256::digest(&bytes[..length]).to_vec();
                let actual: Vec<u8> = hasher.finish().iter().flat_map(|word| word.to_be_bytes()).collect();
                assert_eq!(actual, expected, "{length} {cut}");
            }
        }
    }
}
