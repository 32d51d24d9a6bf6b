//! Machine keys: what is kept of them, and how a secret becomes a key.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dezky_core::{Actor, Environment, Id, Label, MachineKey, Revisioned, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How every secret begins, so that scanners find the ones that leaked.
pub const PREFIX: &str = "dzk_";

const SECRET_BYTES: usize = 32;
const HINT_CHARACTERS: usize = 4;

/// What is known of a secret: its SHA-256.
pub type SecretHash = [u8; 32];

/// A machine's key. Its secret is nowhere, its hash in the store alone.
///
/// Members that came later are absent in older documents: such a key has no expiry and no maker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyRecord {
    /// Its id.
    pub id: Id,
    /// What people call it.
    pub name: Label,
    /// What it may do.
    pub kind: KeyKind,
    /// The tenant whose flags it evaluates, where it is one tenant's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Id>,
    /// The environment in which it evaluates.
    pub environment: Environment,
    /// The secret's last characters, to tell keys apart.
    pub hint: String,
    /// From when on the key is refused; never, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The secret before the newest rotation, where that one kept it for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousSecret>,
    /// Who made the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Actor>,
    /// Its times and version.
    #[serde(flatten)]
    pub revisioned: Revisioned,
    /// The secret's hash.
    #[serde(skip)]
    pub hash: SecretHash,
}

/// The secret that a key had before the newest rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviousSecret {
    /// The secret's last characters.
    pub hint: String,
    /// Until when it is accepted.
    pub until: Timestamp,
    /// Its hash.
    #[serde(skip)]
    pub hash: SecretHash,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KeyKind {
    /// Read snapshots, and evaluate for every tenant.
    Server,
    /// Evaluate for one tenant.
    Tenant,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [KeyKind; 2] = [KeyKind::Server, KeyKind::Tenant];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyKind::Server => "server",
            KeyKind::Tenant => "tenant",
        }
    }
}

impl KeyRecord {
    /// Whether the key is not refused yet.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expiry| now < expiry)
    }

    /// Whether the secret of this hash is the key's now.
    pub fn accepts(&self, hash: &SecretHash, now: Timestamp) -> bool {
        let is_previous =
            || self.previous.as_ref().is_some_and(|secret| secret.hash == *hash && now < secret.until);
        self.is_valid(now) && (self.hash == *hash || is_previous())
    }

    /// The hashes of its secrets.
    pub fn hashes(&self) -> impl Iterator<Item = &SecretHash> {
        std::iter::once(&self.hash).chain(self.previous.as_ref().map(|secret| &secret.hash))
    }

    /// Who asks with it.
    pub fn principal(&self) -> MachineKey {
        match &self.tenant_id {
            Some(tenant) => MachineKey::Tenant(tenant.clone()),
            None => MachineKey::Server,
        }
    }
}

/// A new secret; nothing where there is no randomness.
pub fn new_secret() -> Option<String> {
    let mut bytes = [0_u8; SECRET_BYTES];
    rand::fill(&mut bytes).ok()?;
    Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// What is kept of a secret.
pub fn hash_of(secret: &str) -> SecretHash {
    Sha256::digest(secret.as_bytes()).into()
}

/// What is shown of a secret once it is gone.
pub fn hint_of(secret: &str) -> String {
    let skipped = secret.chars().count().saturating_sub(HINT_CHARACTERS);
    secret.chars().skip(skipped).collect()
}
