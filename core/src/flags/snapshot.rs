//! The snapshot document, format 1, which the server delivers to every evaluating instance.

use alloc::{string::String, vec, vec::Vec};
use core::cmp::Ordering;

use super::{Axis, FlagRule, Subject, push_rule};
use crate::hash::Hasher;
use crate::json::{Decode, Document, Kind, Value, decode_document};
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_FLAGS, MAX_REVISION};
use crate::names::{Digest, Environment, FlagKey};
use crate::text::{Indexed, list_path, push_char, push_member, push_whole, sort_indexed};
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
    /// Reads a snapshot and reports every problem with its code and path.
    ///
    /// Unknown members are ignored, because a newer server may have added them.
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
        snapshot.sorted(document.finish().err())
    }

    /// Reads a snapshot and returns its canonical form. Unlike `from_json`, rejects unknown
    /// members.
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
        let document = Document::read(bytes, MAX_DOCUMENT_BYTES).rejecting_unknown();
        let snapshot: Snapshot = decode_document(&document)?;
        snapshot.sorted(None).map(|snapshot| snapshot.to_canonical_json())
    }

    /// Creates a snapshot of flags, given in any order.
    pub fn new(revision: u64, environment: Environment, flags: Vec<FlagRule>) -> Result<Snapshot, Error> {
        Snapshot { revision, environment, flags }.sorted(None)
    }

    /// Sorts and checks the flags, unless a problem was found before.
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

    /// The number of the change that this snapshot reflects.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The environment of subjects that name none.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The flags, sorted by key.
    pub fn flags(&self) -> &[FlagRule] {
        &self.flags
    }

    /// Returns the slice of one subject: the part of the snapshot that its evaluation depends on.
    ///
    /// The slice explains every flag to the subject as this snapshot does, and does not reveal
    /// which other tenants a flag is for. It has the given revision, and the environment that the
    /// subject names or else that of this snapshot.
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

    /// Returns the same flags for another environment.
    pub fn in_environment(&self, environment: Environment) -> Snapshot {
        Snapshot { environment, ..self.clone() }
    }

    /// Returns the keys of flags that differ between two snapshots or exist in only one of them,
    /// sorted.
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

    /// Serializes the canonical form: no spaces, members in a fixed order, flags and values sorted.
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

    /// Computes the SHA-256 hash of the canonical form, which the server sends as the `ETag`.
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::new();
        self.write_canonical(|piece| hasher.update(piece));
        hasher.digest()
    }

    /// Writes the canonical form flag by flag, so that hashing needs no copy of the whole.
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

/// Decodes a snapshot without sorting its flags.
impl Decode for Snapshot {
    fn decode(value: Value<'_>) -> Snapshot {
        let mut object = value.object();
        let format = object.required_value("format");
        // The members of another format are unknown, so they are not checked.
        if format.whole(1, 1, Code::UnknownFormat).is_none() && format.kind() == Kind::Number {
            object.accept_any();
            object = object.absent();
        }
        Snapshot {
            revision: object.required_revision("revision", 0),
            environment: object.required("environment"),
            flags: object.required_list("flags", MAX_FLAGS),
        }
    }
}

/// Sorts flags by key. Reports too many flags, and flags that repeat an earlier key.
pub(crate) fn sort_by_key(flags: &mut [FlagRule], found: &mut Option<Error>) {
    if flags.len() > MAX_FLAGS {
        Error::new(Code::TooManyItems, "/flags").join(found);
    }
    let mut keys: Vec<Indexed<'_>> = Vec::with_capacity(flags.len());
    for rule in flags.iter() {
        keys.push((rule.key.as_str(), keys.len() as u32));
    }
    let sorted = sort_indexed(keys);
    // For each flag, its index after sorting.
    let mut targets = vec![0_u32; flags.len()];
    let mut is_repeated = vec![0_u8; flags.len()];
    let mut last = None;
    for (target, &(key, index)) in sorted.iter().enumerate() {
        if let Some(slot) = targets.get_mut(index as usize) {
            *slot = target as u32;
        }
        if let Some(slot) = is_repeated.get_mut(index as usize) {
            *slot = u8::from(last == Some(key));
        }
        last = Some(key);
    }
    for (index, &is_repeated) in is_repeated.iter().enumerate() {
        if is_repeated == 1 {
            Error::new(Code::DuplicateFlag, list_path("flags", index, "key")).join(found);
        }
    }
    // Swaps each flag to its target, which needs no second list of flags.
    for index in 0..flags.len() {
        while let Some(&target) = targets.get(index)
            && target as usize != index
        {
            flags.swap(index, target as usize);
            targets.swap(index, target as usize);
        }
    }
}
