//! The progress and the findings of a verification of the store.

use std::fmt;
use std::str::FromStr;

use dezky_core::model::{Change, verify_chain};
use dezky_core::names::Digest;

use super::StoreError;

/// The revision and hash of a change. Kept outside the store, a head proves later that the log up
/// to this revision is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHead {
    /// The revision of the change; 0 for an empty log.
    pub revision: u64,
    /// The hash of the change; zeros for an empty log.
    pub hash: Digest,
}

impl LogHead {
    /// Returns the head of an empty log.
    pub fn empty() -> Result<LogHead, StoreError> {
        let hash = verify_chain(&[]).map_err(|error| StoreError::Broken(error.to_string()))?;
        Ok(LogHead { revision: 0, hash })
    }

    /// Returns the head of a log that ends with this change.
    pub fn from_change(change: &Change) -> LogHead {
        LogHead { revision: change.revision, hash: change.hash.clone() }
    }
}

impl fmt::Display for LogHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.revision, self.hash.as_str())
    }
}

impl FromStr for LogHead {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<LogHead, &'static str> {
        let wrong = "a head is REVISION:HASH, with a hash of 64 hexadecimal digits";
        let (revision, hash) = text.split_once(':').ok_or(wrong)?;
        let hash = Digest::new(hash).map_err(|_| wrong)?;
        Ok(LogHead { revision: revision.parse().map_err(|_| wrong)?, hash })
    }
}

/// The progress of a verification. The store verifies in bounded steps, so that other reads can run
/// between them.
#[derive(Debug, Clone, Default)]
pub struct Verification {
    /// The last verified change.
    pub last: Option<Change>,
    /// The revision at which the verification ends: the newest at its start.
    pub until: Option<u64>,
    /// The head that the log must contain.
    pub expected: Option<LogHead>,
    /// The number of rows in tenants' audits for the verified changes.
    pub shown: u64,
    /// The number of rows in the past of flags for the verified changes.
    pub past: u64,
    /// True once the verification has reached its end.
    pub is_complete: bool,
}

impl Verification {
    /// Starts a verification. The log must contain the expected head.
    pub fn new(expected: Option<LogHead>) -> Verification {
        Verification { expected, ..Verification::default() }
    }

    /// The last verified revision; 0 at the start.
    pub fn revision(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.revision)
    }

    /// The head of the verified part of the log.
    pub fn head(&self) -> Result<LogHead, StoreError> {
        self.last.as_ref().map_or_else(LogHead::empty, |last| Ok(LogHead::from_change(last)))
    }
}

/// The reason why a verification stops early.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The stored data contradicts the log.
    #[error(transparent)]
    Breach(#[from] Breach),
    /// The store cannot be read at all.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A contradiction in the stored data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("revision {revision}: {detail}")]
pub struct Breach {
    /// The code of the contradiction.
    pub code: &'static str,
    /// The revision at which it was found.
    pub revision: u64,
    /// The description of the contradiction.
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
    fn a_head_survives_formatting_and_parsing() {
        let text = format!("12:{}", "ab".repeat(32));
        assert_eq!(text.parse::<LogHead>().unwrap().to_string(), text);
        for wrong in ["", "12", ":", "x:", &text.replace("12", "-1"), "12:abc", &format!("{text}0")] {
            assert!(wrong.parse::<LogHead>().is_err(), "{wrong}");
        }
    }
}
