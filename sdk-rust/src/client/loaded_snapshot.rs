//! A snapshot with its ruleset, digest and history, swapped as one value.

use dezky_core::Error;
use dezky_core::flags::{Ruleset, Snapshot};
use dezky_core::json::{JsonDocument, JsonNode};
use dezky_core::limits::MAX_DOCUMENT_BYTES;
use dezky_core::names::{Digest, Environment, FlagKey};

/// A snapshot that is ready for evaluation.
#[derive(Debug)]
pub(super) struct LoadedSnapshot {
    pub(super) rules: Ruleset,
    pub(super) digest: Digest,
    /// The history of the server that published the snapshot, if it was given.
    pub(super) history: Option<String>,
    /// `true` if a server published the snapshot, `false` for the empty one that a client begins
    /// with.
    pub(super) is_published: bool,
    snapshot: Snapshot,
}

impl LoadedSnapshot {
    pub(super) fn new(snapshot: Snapshot, digest: Digest, history: Option<String>) -> LoadedSnapshot {
        let rules = Ruleset::new(snapshot.clone());
        LoadedSnapshot { rules, digest, history, is_published: true, snapshot }
    }

    /// The snapshot without flags that a client begins with.
    pub(super) fn empty() -> Result<LoadedSnapshot, Error> {
        let snapshot = Snapshot::new(0, Environment::new("none")?, Vec::new())?;
        let digest = snapshot.digest();
        Ok(LoadedSnapshot { is_published: false, ..LoadedSnapshot::new(snapshot, digest, None) })
    }

    /// Parses a snapshot document that may also contain its history, as last-known-good files do.
    pub(super) fn from_document(bytes: &[u8]) -> Result<LoadedSnapshot, Error> {
        let snapshot = Snapshot::from_json(bytes)?;
        let history = match JsonDocument::read(bytes, MAX_DOCUMENT_BYTES)?.at(&["history"]) {
            JsonNode::Text(history) => Some(history.to_owned()),
            _ => None,
        };
        let digest = snapshot.digest();
        Ok(LoadedSnapshot::new(snapshot, digest, history))
    }

    /// The canonical document, with the history as one more member at its end.
    pub(super) fn to_document(&self) -> String {
        let mut text = self.snapshot.to_canonical_json();
        if let Some(history) = &self.history {
            text.pop();
            let history = serde_json::Value::from(history.as_str());
            text.push_str(&format!(",\"history\":{history}}}"));
        }
        text
    }

    pub(super) fn into_snapshot(self) -> Snapshot {
        self.snapshot
    }

    /// A copy that belongs to another history.
    pub(super) fn with_history(&self, history: Option<String>) -> LoadedSnapshot {
        LoadedSnapshot {
            rules: self.rules.clone(),
            digest: self.digest.clone(),
            history,
            is_published: self.is_published,
            snapshot: self.snapshot.clone(),
        }
    }

    /// Returns whether this snapshot has a lower revision than another one of the same history.
    /// Snapshots of two histories have no order.
    pub(super) fn is_older_than(&self, other: &LoadedSnapshot) -> bool {
        other.is_published && self.history == other.history && self.rules.revision() < other.rules.revision()
    }

    /// The flags whose decisions may differ from those of the snapshot before, sorted.
    pub(super) fn changed_keys(&self, before: &LoadedSnapshot) -> Vec<FlagKey> {
        if !before.is_published || self.snapshot.environment() == before.snapshot.environment() {
            return self.snapshot.changed_keys(&before.snapshot).into_iter().cloned().collect();
        }
        // A scope may name environments, so any decision may change with the environment.
        let flags = self.snapshot.flags().iter().chain(before.snapshot.flags());
        let mut keys: Vec<FlagKey> = flags.map(|flag| flag.key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
