//! The snapshot document, format 1: what travels from the operator to every runtime.

use alloc::{string::String, vec, vec::Vec};
use core::cmp::Ordering;

use super::{Axis, FlagRule, Subject, push_rule};
use crate::hash::Hasher;
use crate::json::{Decode, Document, Kind, Value, decode_document};
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_FLAGS, MAX_REVISION};
use crate::names::{Digest, Environment, FlagKey};
use crate::text::{Placed, in_order, list_path, push_char, push_member, push_whole};
use crate::{Code, Error};

/// The flags of one environment at one revision, sorted by key.
///
/// ```
/// use dezky_core::flags::Snapshot;
/// let snapshot = Snapshot::from_json(br#"{ "format": 1, "revision": 7, "environment": "production", "flags": [] }"#)?;
/// assert_eq!(snapshot.to_canonical_json(), r#"{"format":1,"revision":7,"environment":"production","flags":[]}"#);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    revision: u64,
    environment: Environment,
    flags: Vec<FlagRule>,
}

impl Snapshot {
    /// Reads a snapshot: every problem is reported with its code and path. Members that nobody knows are ignored, because a newer server
    /// may have added them.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::flags::Snapshot;
    /// let error = Snapshot::from_json(br#"{"format":2}"#).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::UnknownFormat, "/format"));
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<Snapshot, Error> {
        let document = Document::read(bytes, MAX_DOCUMENT_BYTES);
        let snapshot = Snapshot::decode(document.root());
        snapshot.sorted(document.verdict().err())
    }

    /// Reads a snapshot that somebody wrote, and gives its canonical form: unlike `from_json`, members that nobody knows are refused.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::flags::Snapshot;
    /// let text = br#"{"format":1,"revision":7,"environment":"production","flags":[{"key":"a","state":"on","scop":{}}]}"#;
    /// assert!(Snapshot::from_json(text).is_ok());
    /// let error = Snapshot::normalize(text).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::UnknownField, "/flags/0/scop"));
    /// ```
    pub fn normalize(bytes: &[u8]) -> Result<String, Error> {
        let document = Document::read(bytes, MAX_DOCUMENT_BYTES).refusing_unknown();
        let snapshot: Snapshot = decode_document(&document)?;
        snapshot.sorted(None).map(|snapshot| snapshot.to_canonical_json())
    }

    /// A snapshot of these flags, in any order.
    ///
    /// ```
    /// use dezky_core::flags::Snapshot;
    /// use dezky_core::names::Environment;
    /// let snapshot = Snapshot::new(1, Environment::new("production")?, Vec::new())?;
    /// assert_eq!(snapshot.revision(), 1);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn new(revision: u64, environment: Environment, flags: Vec<FlagRule>) -> Result<Snapshot, Error> {
        Snapshot { revision, environment, flags }.sorted(None)
    }

    /// The same with its flags in order, where nothing is wrong with it.
    fn sorted(mut self, mut found: Option<Error>) -> Result<Snapshot, Error> {
        if found.is_none() {
            if self.revision > MAX_REVISION {
                Error::new(Code::InvalidRevision, "/revision").join(&mut found);
            }
            sort_by_key(&mut self.flags, &mut found);
        }
        match found {
            None => Ok(self),
            Some(error) => Err(error),
        }
    }

    /// The revision that it shows.
    ///
    /// ```
    /// # let snapshot = dezky_core::flags::Snapshot::new(7, dezky_core::names::Environment::new("production")?, Vec::new())?;
    /// assert_eq!(snapshot.revision(), 7);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The environment that subjects are in unless they name one.
    ///
    /// ```
    /// # let snapshot = dezky_core::flags::Snapshot::new(7, dezky_core::names::Environment::new("production")?, Vec::new())?;
    /// assert_eq!(snapshot.environment().as_str(), "production");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Its flags, by key.
    ///
    /// ```
    /// # let snapshot = dezky_core::flags::Snapshot::new(7, dezky_core::names::Environment::new("production")?, Vec::new())?;
    /// assert!(snapshot.flags().is_empty());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn flags(&self) -> &[FlagRule] {
        &self.flags
    }

    /// What of it one subject's decisions depend on, at a revision of its own: every flag explains itself to the subject as it does here, and
    /// nothing tells whom else it is for. The subject is in the environment that it names, else in this snapshot's, and so is the slice.
    ///
    /// ```
    /// # use dezky_core::flags::{Snapshot, Subject};
    /// let snapshot = Snapshot::from_json(br#"{
    ///     "format": 1, "revision": 9, "environment": "production",
    ///     "flags": [{ "key": "a", "state": "targeted", "scope": { "tenantSlugs": ["globex"] } }]
    /// }"#)?;
    /// let slice = snapshot.slice(&Subject::new("t1", "acme", "free")?, 4)?;
    /// assert!(!slice.to_canonical_json().contains("globex"));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn slice(&self, subject: &Subject<'_>, revision: u64) -> Result<Snapshot, Error> {
        let environment = match subject.value(Axis::Environments) {
            Some(named) => Environment::new(named)?,
            None => self.environment.clone(),
        };
        let subject = subject.with_environment(environment.as_str())?;
        let mut flags = Vec::with_capacity(self.flags.len());
        for rule in &self.flags {
            flags.push(rule.sliced(&subject)?);
        }
        Snapshot::new(revision, environment, flags)
    }

    /// The same flags for another environment.
    ///
    /// ```
    /// # use dezky_core::flags::Snapshot;
    /// # use dezky_core::names::Environment;
    /// let snapshot = Snapshot::new(7, Environment::new("production")?, Vec::new())?;
    /// assert_eq!(snapshot.in_environment(Environment::new("staging")?).environment().as_str(), "staging");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn in_environment(&self, environment: Environment) -> Snapshot {
        Snapshot { environment, ..self.clone() }
    }

    /// The keys of the flags that are not the same in another snapshot, or are in only one of the two, sorted.
    ///
    /// ```
    /// use dezky_core::flags::Snapshot;
    /// let read = |flags| Snapshot::from_json(format!(r#"{{ "format": 1, "revision": 1, "environment": "production", "flags": [{flags}] }}"#).as_bytes());
    /// let (before, after) = (read(r#"{ "key": "a", "state": "off" }"#)?, read(r#"{ "key": "a", "state": "on" }"#)?);
    /// assert_eq!(after.changed_keys(&before).len(), 1);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn changed_keys<'s>(&'s self, other: &'s Snapshot) -> Vec<&'s FlagKey> {
        let (mut ours, mut theirs) = (0, 0);
        let mut changed = Vec::new();
        loop {
            let (key, order) = match (self.flags.get(ours), other.flags.get(theirs)) {
                (None, None) => return changed,
                (Some(our), None) => (&our.key, Ordering::Less),
                (None, Some(their)) => (&their.key, Ordering::Greater),
                (Some(our), Some(their)) if our == their => {
                    ours += 1;
                    theirs += 1;
                    continue;
                }
                (Some(our), Some(their)) if our.key <= their.key => (&our.key, our.key.cmp(&their.key)),
                (Some(_), Some(their)) => (&their.key, Ordering::Greater),
            };
            ours += usize::from(order.is_le());
            theirs += usize::from(order.is_ge());
            changed.push(key);
        }
    }

    /// The canonical form: no spaces, members in the order of the specification, everything sorted.
    ///
    /// ```
    /// # let snapshot = dezky_core::flags::Snapshot::new(7, dezky_core::names::Environment::new("production")?, Vec::new())?;
    /// let text = snapshot.to_canonical_json();
    /// assert_eq!(dezky_core::flags::Snapshot::from_json(text.as_bytes())?, snapshot);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn to_canonical_json(&self) -> String {
        let mut out = String::with_capacity(64 + self.flags.len() * 128);
        self.write_canonical(|piece| out.push_str(piece));
        out
    }

    /// The SHA-256 of the canonical form: what an ETag carries.
    ///
    /// ```
    /// # let snapshot = dezky_core::flags::Snapshot::new(7, dezky_core::names::Environment::new("production")?, Vec::new())?;
    /// assert_eq!(snapshot.digest().as_str().len(), 64);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::new();
        self.write_canonical(|piece| hasher.update(piece));
        hasher.digest()
    }

    /// Hands out the canonical form flag by flag, so that hashing it needs no copy of the whole.
    fn write_canonical(&self, mut write: impl FnMut(&str)) {
        let mut piece = String::from("{\"format\":1,\"revision\":");
        push_whole(&mut piece, self.revision);
        push_member(&mut piece, "environment", self.environment.as_str());
        piece.push_str(",\"flags\":[");
        write(&piece);
        for (index, rule) in self.flags.iter().enumerate() {
            piece.clear();
            if index > 0 {
                push_char(&mut piece, ',');
            }
            push_rule(&mut piece, rule);
            write(&piece);
        }
        write("]}");
    }
}

/// Its flags as they came.
impl Decode for Snapshot {
    fn decode(value: Value<'_>) -> Snapshot {
        let mut object = value.object();
        let format = object.required_value("format");
        // Another format may mean anything: nothing else of it is judged.
        if format.whole(1, 1, Code::UnknownFormat).is_none() && format.kind() == Kind::Number {
            object.accept_any();
            object = object.nothing();
        }
        Snapshot {
            revision: object.required_revision("revision", 0),
            environment: object.required("environment"),
            flags: object.required_list("flags", MAX_FLAGS),
        }
    }
}

/// Sorts flags by key, and notes too many of them and those whose key an earlier one has.
pub(crate) fn sort_by_key(flags: &mut [FlagRule], found: &mut Option<Error>) {
    if flags.len() > MAX_FLAGS {
        Error::new(Code::TooManyItems, "/flags").join(found);
    }
    let mut keys: Vec<Placed<'_>> = Vec::with_capacity(flags.len());
    for rule in flags.iter() {
        keys.push((rule.key.as_str(), keys.len() as u32));
    }
    let sorted = in_order(keys);
    // For each flag, where it belongs.
    let mut targets = vec![0_u32; flags.len()];
    let mut is_repeated = vec![0_u8; flags.len()];
    let mut last = None;
    for (target, &(key, place)) in sorted.iter().enumerate() {
        if let Some(slot) = targets.get_mut(place as usize) {
            *slot = target as u32;
        }
        if let Some(slot) = is_repeated.get_mut(place as usize) {
            *slot = u8::from(last == Some(key));
        }
        last = Some(key);
    }
    for (index, &is_repeated) in is_repeated.iter().enumerate() {
        if is_repeated == 1 {
            Error::new(Code::DuplicateFlag, list_path("flags", index, "key")).join(found);
        }
    }
    for place in 0..flags.len() {
        while let Some(&target) = targets.get(place)
            && target as usize != place
        {
            flags.swap(place, target as usize);
            targets.swap(place, target as usize);
        }
    }
}
