//! Machine keys: their stored record, and the handling of secrets.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dezky_core::Timestamp;
use dezky_core::access::MachineKey;
use dezky_core::model::{Actor, Revisioned};
use dezky_core::names::{Environment, Id, Label};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The prefix of every secret, by which scanners find leaked ones.
pub const PREFIX: &str = "dzk_";

const SECRET_BYTES: usize = 32;
const HINT_CHARACTERS: usize = 4;

/// The SHA-256 of a secret.
pub type SecretHash = [u8; 32];

/// A machine key. The store contains the hash of its secret, never the secret.
///
/// Documents from older versions lack the newer members: such a key has no expiry and no creator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyRecord {
    /// The id of the key.
    pub id: Id,
    /// The display name of the key.
    pub name: Label,
    /// The kind of access.
    pub kind: KeyKind,
    /// The tenant whose flags it evaluates; only for kind tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Id>,
    /// The environment in which it evaluates.
    pub environment: Environment,
    /// The last characters of the secret, to tell keys apart.
    pub hint: String,
    /// The time from which the key is refused; absent for no expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The secret before the newest rotation, if it is still accepted for some time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousSecret>,
    /// The creator of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Actor>,
    /// The times and the version of the record.
    #[serde(flatten)]
    pub revisioned: Revisioned,
    /// The hash of the secret.
    #[serde(skip)]
    pub hash: SecretHash,
}

/// The secret that a key had before the newest rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviousSecret {
    /// The last characters of the secret.
    pub hint: String,
    /// The time until which it is accepted.
    pub until: Timestamp,
    /// The hash of the secret.
    #[serde(skip)]
    pub hash: SecretHash,
}

/// The access of a machine key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KeyKind {
    /// Reads snapshots and evaluates for every tenant.
    Server,
    /// Evaluates for one tenant.
    Tenant,
}

impl KeyKind {
    /// All kinds of keys.
    pub const ALL: [KeyKind; 2] = [KeyKind::Server, KeyKind::Tenant];

    /// Returns the name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyKind::Server => "server",
            KeyKind::Tenant => "tenant",
        }
    }
}

impl KeyRecord {
    /// Reports whether the key has not expired.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expiry| now < expiry)
    }

    /// Reports whether a secret with this hash is accepted at this time.
    pub fn accepts(&self, hash: &SecretHash, now: Timestamp) -> bool {
        let is_previous =
            || self.previous.as_ref().is_some_and(|secret| secret.hash == *hash && now < secret.until);
        self.is_valid(now) && (self.hash == *hash || is_previous())
    }

    /// Returns the hashes of all its secrets.
    pub fn hashes(&self) -> impl Iterator<Item = &SecretHash> {
        std::iter::once(&self.hash).chain(self.previous.as_ref().map(|secret| &secret.hash))
    }

    /// Returns the principal for authorization.
    pub fn principal(&self) -> MachineKey {
        match &self.tenant_id {
            Some(tenant) => MachineKey::Tenant(tenant.clone()),
            None => MachineKey::Server,
        }
    }
}

/// Creates a secret; `None` without randomness.
pub fn new_secret() -> Option<String> {
    let mut bytes = [0_u8; SECRET_BYTES];
    rand::fill(&mut bytes).ok()?;
    Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Returns the hash that is stored for a secret.
pub fn hash_of(secret: &str) -> SecretHash {
    Sha256::digest(secret.as_bytes()).into()
}

/// Returns the hint that is shown for a secret.
pub fn hint_of(secret: &str) -> String {
    let skipped = secret.chars().count().saturating_sub(HINT_CHARACTERS);
    secret.chars().skip(skipped).collect()
}
