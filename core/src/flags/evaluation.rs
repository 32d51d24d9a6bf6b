//! The result of evaluating every flag for one subject.

use alloc::{vec, vec::Vec};

use super::{Ruleset, Subject};

/// The results of all flags for one subject: one bit per flag, and the ruleset with the keys.
///
/// ```
/// use dezky_core::flags::{Ruleset, Snapshot, Subject};
/// let rules = Ruleset::new(Snapshot::from_json(br#"{
///     "format": 1, "revision": 1, "environment": "production",
///     "flags": [{ "key": "a", "state": "on" }, { "key": "b", "state": "off" }]
/// }"#)?);
/// let all = rules.evaluate_all(&Subject::new("t1", "acme", "business")?);
/// assert!(all.is_enabled("a") && !all.is_enabled("b") && !all.is_enabled("c"));
/// assert_eq!(all.iter().collect::<Vec<_>>(), [("a", true), ("b", false)]);
/// assert_eq!(all.as_bytes(), [0b01]);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Evaluation {
    rules: Ruleset,
    bytes: Vec<u8>,
}

impl Evaluation {
    pub(super) fn new(rules: Ruleset) -> Evaluation {
        let bytes = vec![0; rules.compiled().len().div_ceil(8)];
        Evaluation { rules, bytes }
    }

    pub(super) fn fill(&mut self, rules: &Ruleset, subject: &Subject<'_>) {
        if !self.rules.ptr_eq(rules) {
            *self = Evaluation::new(rules.clone());
        }
        rules.compiled().evaluate_into(subject, &mut self.bytes);
    }

    /// Returns whether a flag is on. A flag that does not exist is off.
    pub fn is_enabled(&self, key: &str) -> bool {
        self.rules.compiled().find(key).is_some_and(|flag| self.bit(flag as usize))
    }

    /// Iterates over every flag's key and result, in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, bool)> {
        self.rules.keys().enumerate().map(|(flag, key)| (key, self.bit(flag)))
    }

    /// The results as bits: flag `i` in key order is bit `i % 8`, from the lowest, of byte `i / 8`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn bit(&self, flag: usize) -> bool {
        self.bytes.get(flag / 8).is_some_and(|byte| byte >> (flag % 8) & 1 != 0)
    }
}
