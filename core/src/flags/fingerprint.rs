//! The fingerprint: one hash over the results of every subject.

use alloc::{vec, vec::Vec};

use super::{Compiled, Subject};
use crate::hash::Hasher;
use crate::names::Digest;

/// Computes a fingerprint. The hash input has one line per subject, sorted by tenant id: the tenant
/// id, a colon, `0` or `1` for each flag in key order, and a line feed.
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

    /// Adds a subject. The caller adds subjects in ascending order of their tenant ids.
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
