//! The ruleset: a compiled snapshot, immutable and shared.

use alloc::{sync::Arc, vec::Vec};

use super::{
    Compiled, Evaluation, EvaluationQuery, Explanation, Fingerprint, Snapshot, Subject, explanation,
};
use crate::names::Digest;
use crate::text::sort_indexed;

/// A compiled snapshot. Cloning copies a pointer; any number of threads can read it.
///
/// ```
/// use dezky_core::flags::{Ruleset, Snapshot, Subject};
/// let snapshot = Snapshot::from_json(br#"{
///     "format": 1, "revision": 481, "environment": "production",
///     "flags": [{ "key": "jmap_native_v2", "state": "targeted", "scope": { "plans": ["business"] } }]
/// }"#)?;
/// let rules = Ruleset::new(snapshot);
/// let subject = Subject::new("t1", "acme", "business")?;
/// assert!(rules.is_enabled("jmap_native_v2", &subject));
/// assert!(!rules.is_enabled("no_such_flag", &subject));
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ruleset(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    revision: u64,
    compiled: Compiled,
}

impl Ruleset {
    /// Compiles a snapshot into a ruleset.
    pub fn new(snapshot: Snapshot) -> Ruleset {
        let mut flags = Vec::with_capacity(snapshot.flags().len());
        for flag in snapshot.flags() {
            flags.push(flag);
        }
        let compiled = Compiled::new(snapshot.environment(), &flags);
        Ruleset(Arc::new(Inner { revision: snapshot.revision(), compiled }))
    }

    /// Returns whether a flag is on for a subject. A flag that does not exist is off.
    pub fn is_enabled(&self, key: &str, subject: &Subject<'_>) -> bool {
        let compiled = self.compiled();
        compiled.find(key).is_some_and(|flag| compiled.evaluate(flag, &mut EvaluationQuery::new(subject)))
    }

    /// Explains why a flag is on or off for a subject.
    pub fn explain<'k>(&self, key: &'k str, subject: &Subject<'_>) -> Explanation<'k> {
        explanation::explain(self.compiled(), key, subject)
    }

    /// Evaluates every flag for a subject.
    pub fn evaluate_all(&self, subject: &Subject<'_>) -> Evaluation {
        let mut evaluation = Evaluation::new(self.clone());
        self.evaluate_all_into(subject, &mut evaluation);
        evaluation
    }

    /// Evaluates every flag for a subject into an existing evaluation. Allocates nothing if the
    /// evaluation belongs to this ruleset.
    ///
    /// ```
    /// # use dezky_core::flags::{Ruleset, Snapshot, Subject};
    /// # use dezky_core::names::Environment;
    /// # let rules = Ruleset::new(Snapshot::new(1, Environment::new("production")?, Vec::new())?);
    /// let mut all = rules.evaluate_all(&Subject::new("t1", "acme", "business")?);
    /// rules.evaluate_all_into(&Subject::new("t2", "umbrella", "free")?, &mut all);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn evaluate_all_into(&self, subject: &Subject<'_>, evaluation: &mut Evaluation) {
        evaluation.fill(self, subject);
    }

    /// Evaluates every flag into `bits`, in the form of [`Evaluation::as_bytes`].
    #[cfg(feature = "host")]
    pub(crate) fn evaluate_bits(&self, subject: &Subject<'_>, bits: &mut [u8]) {
        self.compiled().evaluate_into(subject, bits);
    }

    /// Computes a SHA-256 hash over the results of every subject. Every SDK returns the same hash
    /// for the same snapshot and subjects, in any order.
    pub fn fingerprint(&self, subjects: &[Subject<'_>]) -> Digest {
        let mut ids = Vec::with_capacity(subjects.len());
        for subject in subjects {
            ids.push((subject.tenant_id(), ids.len() as u32));
        }
        let mut fingerprint = Fingerprint::new(self.compiled());
        for (_, index) in sort_indexed(ids) {
            if let Some(subject) = subjects.get(index as usize) {
                fingerprint.add(subject);
            }
        }
        fingerprint.digest()
    }

    /// The revision of the snapshot.
    pub fn revision(&self) -> u64 {
        self.0.revision
    }

    /// The environment of the snapshot.
    pub fn environment(&self) -> &str {
        self.compiled().environment().as_str()
    }

    /// The keys of all flags, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        let compiled = self.compiled();
        (0..compiled.len()).map(|flag| compiled.key(flag as u32))
    }

    pub(super) fn compiled(&self) -> &Compiled {
        &self.0.compiled
    }

    /// Returns whether both share one compilation. Rulesets compiled separately are different.
    pub fn ptr_eq(&self, other: &Ruleset) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
