//! Verifying a store: what a verification has seen so far, and what it can find.

use std::fmt;
use std::str::FromStr;

use dezky_core::model::{Change, verify_chain};
use dezky_core::names::Digest;

use super::StoreError;

/// A revision and the hash of its change: whoever keeps it outside of the store can tell later whether the log up to it is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The revision; 0 for an empty log.
    pub revision: u64,
    /// The hash of its change; zeros for an empty log.
    pub hash: Digest,
}

impl Head {
    /// The head of an empty log.
    pub fn empty() -> Result<Head, StoreError> {
        let hash = verify_chain(&[]).map_err(|error| StoreError::Broken(error.to_string()))?;
        Ok(Head { revision: 0, hash })
    }

    /// The head of a log that ends with this change.
    pub fn of(change: &Change) -> Head {
        Head { revision: change.revision, hash: change.hash.clone() }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.revision, self.hash.as_str())
    }
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Head, &'static str> {
        let wrong = "a head is REVISION:HASH, the hash in 64 hexadecimal digits";
        let (revision, hash) = text.split_once(':').ok_or(wrong)?;
        let hash = Digest::new(hash).map_err(|_| wrong)?;
        Ok(Head { revision: revision.parse().map_err(|_| wrong)?, hash })
    }
}

/// How far a verification has come. A store takes it a bounded step further at a time, so that others can read between the steps.
#[derive(Debug, Clone, Default)]
pub struct Verification {
    /// The last change that was verified.
    pub last: Option<Change>,
    /// The revision at which the verification ends: the newest when it began.
    pub until: Option<u64>,
    /// What the log must contain.
    pub expected: Option<Head>,
    /// How many entries of tenants' audits the changes so far have.
    pub shown: u64,
    /// How many rows of flags' past the changes so far have.
    pub past: u64,
    /// Whether everything was verified.
    pub is_complete: bool,
}

impl Verification {
    /// One that has seen nothing. The log must contain the head that is expected.
    pub fn new(expected: Option<Head>) -> Verification {
        Verification { expected, ..Verification::default() }
    }

    /// The last revision that was verified; 0 before the first.
    pub fn revision(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.revision)
    }

    /// The head of what was verified.
    pub fn head(&self) -> Result<Head, StoreError> {
        self.last.as_ref().map_or_else(Head::empty, |last| Ok(Head::of(last)))
    }
}

/// Why a verification ends early.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// What is stored is not what was written.
    #[error(transparent)]
    Breach(#[from] Breach),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A place where what is stored is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("revision {revision}: {detail}")]
pub struct Breach {
    /// What kind of breach it is.
    pub code: &'static str,
    /// The change by which it was found.
    pub revision: u64,
    /// What was found, for people.
    pub detail: String,
}

impl From<VerifyError> for StoreError {
    fn from(error: VerifyError) -> StoreError {
        match error {
            VerifyError::Breach(breach) => StoreError::Broken(breach.to_string()),
            VerifyError::Store(error) => error,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_written_and_read() {
        let text = format!("12:{}", "ab".repeat(32));
        assert_eq!(text.parse::<Head>().unwrap().to_string(), text);
        for wrong in ["", "12", ":", "x:", &text.replace("12", "-1"), "12:abc", &format!("{text}0")] {
            assert!(wrong.parse::<Head>().is_err(), "{wrong}");
        }
    }
}
