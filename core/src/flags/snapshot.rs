//! The snapshot document, format 1: what travels from the operator to every runtime.

use sha2::{Digest as _, Sha256};

use super::{FlagRule, hex, push_rule};
use crate::json::{Decode, Kind, Problems, Value, decode_bytes};
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_FLAGS, MAX_REVISION};
use crate::names::repetitions;
use crate::{Code, Digest, Environment, Error};

/// The flags of one environment at one revision, sorted by key.
///
/// ```
/// use dezky_core::Snapshot;
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
    /// Reads a snapshot strictly: every problem is reported with its code and path.
    ///
    /// ```
    /// use dezky_core::{Code, Snapshot};
    /// let error = Snapshot::from_json(br#"{"format":2}"#).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::UnknownFormat, "/format"));
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<Snapshot, Error> {
        let Form { revision, environment, flags } = decode_bytes(bytes, MAX_DOCUMENT_BYTES)?;
        Snapshot::new(revision, environment, flags)
    }

    /// A snapshot of these flags, in any order.
    ///
    /// ```
    /// use dezky_core::{Environment, Snapshot};
    /// let snapshot = Snapshot::new(1, Environment::new("production")?, Vec::new())?;
    /// assert_eq!(snapshot.revision(), 1);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn new(revision: u64, environment: Environment, mut flags: Vec<FlagRule>) -> Result<Snapshot, Error> {
        let mut problems = Vec::new();
        if revision > MAX_REVISION {
            problems.push(Error::new(Code::InvalidRevision, "/revision"));
        }
        check_flags(&flags, &mut problems);
        Error::unless_clean(problems, ())?;
        flags.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(Snapshot { revision, environment, flags })
    }

    /// The revision that it shows.
    ///
    /// ```
    /// # let snapshot = dezky_core::Snapshot::new(7, dezky_core::Environment::new("production")?, Vec::new())?;
    /// assert_eq!(snapshot.revision(), 7);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The environment that subjects are in unless they name one.
    ///
    /// ```
    /// # let snapshot = dezky_core::Snapshot::new(7, dezky_core::Environment::new("production")?, Vec::new())?;
    /// assert_eq!(snapshot.environment().as_str(), "production");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Its flags, by key.
    ///
    /// ```
    /// # let snapshot = dezky_core::Snapshot::new(7, dezky_core::Environment::new("production")?, Vec::new())?;
    /// assert!(snapshot.flags().is_empty());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn flags(&self) -> &[FlagRule] {
        &self.flags
    }

    /// The canonical form: no spaces, members in the order of the specification, everything sorted.
    ///
    /// ```
    /// # let snapshot = dezky_core::Snapshot::new(7, dezky_core::Environment::new("production")?, Vec::new())?;
    /// let text = snapshot.to_canonical_json();
    /// assert_eq!(dezky_core::Snapshot::from_json(text.as_bytes())?, snapshot);
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
    /// # let snapshot = dezky_core::Snapshot::new(7, dezky_core::Environment::new("production")?, Vec::new())?;
    /// assert_eq!(snapshot.digest().as_str().len(), 64);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn digest(&self) -> Digest {
        let mut hasher = Sha256::new();
        self.write_canonical(|piece| hasher.update(piece));
        hex(hasher)
    }

    /// Hands out the canonical form flag by flag, so that hashing it needs no copy of the whole.
    fn write_canonical(&self, mut write: impl FnMut(&str)) {
        let (revision, environment) = (self.revision, &self.environment);
        write(&format!(
            "{{\"format\":1,\"revision\":{revision},\"environment\":\"{environment}\",\"flags\":["
        ));
        let mut piece = String::new();
        for (index, rule) in self.flags.iter().enumerate() {
            piece.clear();
            if index > 0 {
                piece.push(',');
            }
            push_rule(&mut piece, rule);
            write(&piece);
        }
        write("]}");
    }
}

/// The document's form, its flags as they came.
struct Form {
    revision: u64,
    environment: Environment,
    flags: Vec<FlagRule>,
}

impl Decode for Form {
    fn decode(value: Value<'_>, problems: &mut Problems) -> Option<Form> {
        let object = value.object(problems)?;
        let format = object.required_value("format", problems);
        // Another format may mean anything: nothing else of it is judged.
        if let Some(format) = format.filter(|format| format.kind() == Kind::Number) {
            format.whole(1, 1, Code::UnknownFormat, problems)?;
        } else if let Some(format) = format {
            problems.form(Code::WrongType, format);
        }
        let revision = object.required_revision("revision", 0, problems);
        let environment = object.required("environment", problems);
        let flags = object.required_list("flags", MAX_FLAGS, problems);
        Some(Form { revision: revision?, environment: environment?, flags: flags? })
    }
}

/// Notes too many flags, and flags whose key an earlier one has.
pub(crate) fn check_flags(flags: &[FlagRule], problems: &mut Vec<Error>) {
    if flags.len() > MAX_FLAGS {
        problems.push(Error::new(Code::TooManyItems, "/flags"));
    }
    let keys = flags.iter().map(|rule| rule.key.as_str());
    for index in repetitions(keys) {
        problems.push(Error::new(Code::DuplicateFlag, format!("/flags/{index}/key")));
    }
}
