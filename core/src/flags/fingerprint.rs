//! The fingerprint: one hash over what every subject gets.

use sha2::{Digest as _, Sha256};

use super::{Compiled, Subject};
use crate::Digest;

/// One line a subject, which come sorted by tenant id: the id, a colon, `0` or `1` for each flag in key order, a line feed.
pub(crate) fn fingerprint<'s>(compiled: &Compiled, sorted: impl Iterator<Item = Subject<'s>>) -> Digest {
    let mut hasher = Sha256::new();
    let mut line = Vec::new();
    for subject in sorted {
        line.clear();
        line.extend_from_slice(subject.tenant_id().as_bytes());
        line.push(b':');
        let end = line.len() + compiled.len();
        compiled
            .evaluate_all(&subject, |word| line.extend((0..64).map(|bit| b'0' + (word >> bit & 1) as u8)));
        line.truncate(end);
        line.push(b'\n');
        hasher.update(&line);
    }
    hex(hasher)
}

/// A finished hash in hex.
pub(crate) fn hex(hasher: Sha256) -> Digest {
    let mut text = String::with_capacity(64);
    for byte in hasher.finalize() {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    Digest::from_hex(text)
}
