//! The fingerprint: one hash over what every subject gets.

use alloc::{vec, vec::Vec};

use super::{Compiled, Subject};
use crate::hash::Hasher;
use crate::names::Digest;

/// What has been hashed so far: one line a subject, which come sorted by tenant id: the id, a colon, `0` or `1` for each flag in key
/// order, a line feed.
pub(crate) struct Fingerprint<'c> {
    compiled: &'c Compiled,
    hasher: Hasher,
    line: Vec<u8>,
    bytes: Vec<u8>,
}

impl<'c> Fingerprint<'c> {
    pub(crate) fn new(compiled: &'c Compiled) -> Fingerprint<'c> {
        let bytes = vec![0; compiled.len().div_ceil(8)];
        Fingerprint { compiled, hasher: Hasher::new(), line: Vec::new(), bytes }
    }

    pub(crate) fn add(&mut self, subject: &Subject<'_>) {
        self.line.clear();
        self.line.extend_from_slice(subject.tenant_id().as_bytes());
        self.line.push(b':');
        self.compiled.evaluate_into(subject, &mut self.bytes);
        let end = self.line.len() + self.compiled.len();
        for byte in &self.bytes {
            let digits = [0, 1, 2, 3, 4, 5, 6, 7].map(|bit| b'0' + (byte >> bit & 1));
            self.line.extend_from_slice(&digits);
        }
        self.line.truncate(end);
        self.line.push(b'\n');
        self.hasher.update_bytes(&self.line);
    }

    pub(crate) fn digest(self) -> Digest {
        self.hasher.digest()
    }
}
