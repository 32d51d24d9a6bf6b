//! A snapshot with everything that is worked out of it once, as a whole that is swapped.

use dezky_core::Error;
use dezky_core::flags::{Ruleset, Snapshot};
use dezky_core::json::{JsonDocument, JsonNode};
use dezky_core::limits::MAX_DOCUMENT_BYTES;
use dezky_core::names::{Digest, Environment, FlagKey};

/// Rules, and where they come from.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) rules: Ruleset,
    pub(super) digest: Digest,
    /// The history of the server that published it, where that is known.
    pub(super) history: Option<String>,
    /// Whether somebody published it; else it stands in where there is nothing.
    pub(super) is_published: bool,
    snapshot: Snapshot,
}

impl Held {
    pub(super) fn new(snapshot: Snapshot, digest: Digest, history: Option<String>) -> Held {
        Held { rules: Ruleset::new(snapshot.clone()), digest, history, is_published: true, snapshot }
    }

    /// No flags at all.
    pub(super) fn nothing() -> Result<Held, Error> {
        let snapshot = Snapshot::new(0, Environment::new("none")?, Vec::new())?;
        let digest = snapshot.digest();
        Ok(Held { is_published: false, ..Held::new(snapshot, digest, None) })
    }

    /// A snapshot document that may say which history it is of, as last-known-good files do.
    pub(super) fn from_document(bytes: &[u8]) -> Result<Held, Error> {
        let snapshot = Snapshot::from_json(bytes)?;
        let history = match JsonDocument::read(bytes, MAX_DOCUMENT_BYTES)?.at(&["history"]) {
            JsonNode::Text(history) => Some(history.to_owned()),
            _ => None,
        };
        let digest = snapshot.digest();
        Ok(Held::new(snapshot, digest, history))
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

    /// The same rules in another history.
    pub(super) fn in_history(&self, history: Option<String>) -> Held {
        Held {
            rules: self.rules.clone(),
            digest: self.digest.clone(),
            history,
            is_published: self.is_published,
            snapshot: self.snapshot.clone(),
        }
    }

    /// Whether the server would go back by publishing this after the other. There is no before and after between two histories.
    pub(super) fn is_older_than(&self, other: &Held) -> bool {
        other.is_published && self.history == other.history && self.rules.revision() < other.rules.revision()
    }

    /// The flags that may be decided otherwise than by the rules before, sorted.
    pub(super) fn changed_keys(&self, before: &Held) -> Vec<FlagKey> {
        if !before.is_published || self.snapshot.environment() == before.snapshot.environment() {
            return self.snapshot.changed_keys(&before.snapshot).into_iter().cloned().collect();
        }
        // Who is in an environment's scope changes with the environment, though no rule does.
        let flags = self.snapshot.flags().iter().chain(before.snapshot.flags());
        let mut keys: Vec<FlagKey> = flags.map(|flag| flag.key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
