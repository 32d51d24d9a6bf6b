//! The fingerprint: one hash over what every subject gets.

use alloc::{vec, vec::Vec};

use super::{Compiled, Subject};
use crate::Digest;
use crate::hash::Hasher;

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
        for flag in 0..self.compiled.len() {
            let byte = self.bytes.get(flag / 8).copied().unwrap_or_default();
            self.line.push(b'0' + (byte >> (flag % 8) & 1));
        }
        self.line.push(b'\n');
        self.hasher.update_bytes(&self.line);
    }

    pub(crate) fn digest(self) -> Digest {
        self.hasher.digest()
    }
}
