//! What a verified token says of its bearer.

use alloc::{string::String, vec::Vec};

use serde::{Serialize, Serializer};

use crate::Timestamp;
use crate::names::{Email, Prose};

/// The claims of a token that was verified. Nothing else makes one, so holding it is the proof.
///
/// No right follows from these: rights come from the user's record. The audiences are kept whole because one of them
/// decides whether a platform admin acts as an operator.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/example.rs")); } use example::*;
/// use dezky_core::Timestamp;
/// use dezky_core::token::{KeySet, TokenPolicy, TokenVerifier};
/// let policy = TokenPolicy::new(["https://id.example.org/"], ["dezky-portal"])?;
/// let verifier = TokenVerifier::new(policy, KeySet::from_json(KEYS)?);
/// let claims = verifier.verify(TOKEN, Timestamp::parse("2026-03-01T12:00:00Z")?)?;
/// assert_eq!(claims.subject, "ada");
/// assert_eq!(claims.audiences, ["dezky-portal", "dezky-operator"]);
/// assert_eq!(claims.expires_at.to_string(), "2026-03-01T12:05:00Z");
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Claims {
    /// `iss`: who issued the token, exactly as the policy names them.
    pub issuer: String,
    /// `sub`: whom the issuer means; unique within the issuer only.
    pub subject: String,
    /// `aud`: every audience, those too that the policy does not name.
    pub audiences: Vec<String>,
    /// `iat`
    pub issued_at: Timestamp,
    /// `exp`: the token is void from this moment on.
    pub expires_at: Timestamp,
    /// `email`, lower-cased. An empty one counts as none: identity providers write that for machine accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// `email_verified`: without it, an address may be anything that the user typed at the issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// `name`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Prose>,
    /// `groups`, in the token's order; nothing, where the token does not speak of groups. Written as an empty list then.
    #[serde(serialize_with = "groups_or_none")]
    pub groups: Option<Vec<String>>,
}

fn groups_or_none<S: Serializer>(groups: &Option<Vec<String>>, serializer: S) -> Result<S::Ok, S::Error> {
    groups.as_deref().unwrap_or_default().serialize(serializer)
}
