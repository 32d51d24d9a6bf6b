//! The compiled ruleset: immutable, shared, replaced whole.

use alloc::{sync::Arc, vec::Vec};

use super::{Compiled, Evaluation, Explanation, Fingerprint, Snapshot, Subject, explanation};
use crate::names::Digest;
use crate::text::in_order;

/// A snapshot ready to answer. Cloning it copies a pointer; it can be read from any number of threads.
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
    /// Compiles a snapshot.
    ///
    /// ```
    /// # use dezky_core::flags::{Ruleset, Snapshot};
    /// # use dezky_core::names::Environment;
    /// let rules = Ruleset::new(Snapshot::new(1, Environment::new("production")?, Vec::new())?);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn new(snapshot: Snapshot) -> Ruleset {
        let mut flags = Vec::with_capacity(snapshot.flags().len());
        for flag in snapshot.flags() {
            flags.push(flag);
        }
        let compiled = Compiled::new(snapshot.environment(), &flags);
        Ruleset(Arc::new(Inner { revision: snapshot.revision(), compiled }))
    }

    /// Whether a flag is on for a subject. A flag that does not exist is off.
    ///
    /// ```
    /// # use dezky_core::flags::{Ruleset, Snapshot, Subject};
    /// # use dezky_core::names::Environment;
    /// # let rules = Ruleset::new(Snapshot::new(1, Environment::new("production")?, Vec::new())?);
    /// assert!(!rules.is_enabled("no_such_flag", &Subject::new("t1", "acme", "business")?));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn is_enabled(&self, key: &str, subject: &Subject<'_>) -> bool {
        let compiled = self.compiled();
        compiled.find(key).is_some_and(|flag| compiled.evaluate(flag, subject, &mut None, &mut None))
    }

    /// Why a flag is on or off for a subject.
    ///
    /// ```
    /// # use dezky_core::flags::{Reason, Ruleset, Snapshot, Subject};
    /// # use dezky_core::names::Environment;
    /// # let rules = Ruleset::new(Snapshot::new(1, Environment::new("production")?, Vec::new())?);
    /// let explanation = rules.explain("no_such_flag", &Subject::new("t1", "acme", "business")?);
    /// assert_eq!(explanation.reason, Reason::UnknownFlag);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn explain<'k>(&self, key: &'k str, subject: &Subject<'_>) -> Explanation<'k> {
        explanation::explain(self.compiled(), key, subject)
    }

    /// Every flag for a subject.
    ///
    /// ```
    /// # use dezky_core::flags::{Ruleset, Snapshot, Subject};
    /// # use dezky_core::names::Environment;
    /// # let rules = Ruleset::new(Snapshot::new(1, Environment::new("production")?, Vec::new())?);
    /// let all = rules.evaluate_all(&Subject::new("t1", "acme", "business")?);
    /// assert_eq!(all.iter().count(), 0);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn evaluate_all(&self, subject: &Subject<'_>) -> Evaluation {
        let mut evaluation = Evaluation::new(self.clone());
        self.evaluate_all_into(subject, &mut evaluation);
        evaluation
    }

    /// Every flag for another subject, into an evaluation that is there already: nothing is allocated where it was made by this ruleset.
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

    /// Evaluates every flag into `bits`, as [`host::evaluate`](crate::host::evaluate) describes.
    #[cfg(feature = "host")]
    pub(crate) fn evaluate_bits(&self, subject: &Subject<'_>, bits: &mut [u8]) {
        self.compiled().evaluate_into(subject, bits);
    }

    /// SHA-256 over every subject's flags, subjects by tenant id: equal wherever the same snapshot and subjects are evaluated.
    ///
    /// ```
    /// # use dezky_core::flags::{Ruleset, Snapshot, Subject};
    /// # use dezky_core::names::Environment;
    /// # let rules = Ruleset::new(Snapshot::new(1, Environment::new("production")?, Vec::new())?);
    /// let subjects = [Subject::new("t1", "acme", "business")?];
    /// assert_eq!(rules.fingerprint(&subjects).as_str().len(), 64);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn fingerprint(&self, subjects: &[Subject<'_>]) -> Digest {
        let mut ids = Vec::with_capacity(subjects.len());
        for subject in subjects {
            ids.push((subject.tenant_id(), ids.len() as u32));
        }
        let mut fingerprint = Fingerprint::new(self.compiled());
        for (_, place) in in_order(ids) {
            if let Some(subject) = subjects.get(place as usize) {
                fingerprint.add(subject);
            }
        }
        fingerprint.digest()
    }

    /// The snapshot's revision.
    ///
    /// ```
    /// # use dezky_core::flags::{Ruleset, Snapshot};
    /// # use dezky_core::names::Environment;
    /// # let rules = Ruleset::new(Snapshot::new(481, Environment::new("production")?, Vec::new())?);
    /// assert_eq!(rules.revision(), 481);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn revision(&self) -> u64 {
        self.0.revision
    }

    /// The snapshot's environment.
    ///
    /// ```
    /// # use dezky_core::flags::{Ruleset, Snapshot};
    /// # use dezky_core::names::Environment;
    /// # let rules = Ruleset::new(Snapshot::new(481, Environment::new("production")?, Vec::new())?);
    /// assert_eq!(rules.environment(), "production");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn environment(&self) -> &str {
        self.compiled().environment().as_str()
    }

    /// Every flag's key, sorted.
    ///
    /// ```
    /// # use dezky_core::flags::{Ruleset, Snapshot};
    /// # use dezky_core::names::Environment;
    /// # let rules = Ruleset::new(Snapshot::new(481, Environment::new("production")?, Vec::new())?);
    /// assert_eq!(rules.keys().len(), 0);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        let compiled = self.compiled();
        (0..compiled.len()).map(|flag| compiled.key(flag as u32))
    }

    pub(super) fn compiled(&self) -> &Compiled {
        &self.0.compiled
    }

    /// Whether both are the same compilation, not only equal ones.
    ///
    /// ```
    /// # use dezky_core::flags::{Ruleset, Snapshot};
    /// # use dezky_core::names::Environment;
    /// let snapshot = Snapshot::new(1, Environment::new("production")?, Vec::new())?;
    /// let rules = Ruleset::new(snapshot.clone());
    /// assert!(rules.ptr_eq(&rules.clone()) && !rules.ptr_eq(&Ruleset::new(snapshot)));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn ptr_eq(&self, other: &Ruleset) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
