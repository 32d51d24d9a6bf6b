//! The claims of a verified token (specification section 15.8).

use alloc::{string::String, vec::Vec};

use serde::{Serialize, Serializer};

use crate::Timestamp;
use crate::names::{Email, Prose};

/// The claims of a verified token. Only
/// [`TokenVerifier::verify`](crate::token::TokenVerifier::verify) creates them.
///
/// Claims grant no rights: rights come from the user's record. `audiences` holds every audience,
/// because one of them makes a platform admin an operator.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/example.rs.in")); }
/// # use example::*;
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
    /// `iss`: the issuer, exactly as in the policy.
    pub issuer: String,
    /// `sub`: the user at the issuer. Another issuer may use the same subject.
    pub subject: String,
    /// `aud`: every audience, also those that the policy does not name.
    pub audiences: Vec<String>,
    /// `iat`: the time at which the token was issued.
    pub issued_at: Timestamp,
    /// `exp`: the time from which the token is invalid.
    pub expires_at: Timestamp,
    /// `email`, in lower case. An empty address counts as absent, because identity providers write
    /// it for machine accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// `email_verified`: unless it is true, the address may be any that the user entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// `name`: the name of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Prose>,
    /// `groups`, in the order of the token, or `None` if the claim is absent. Serialized as an
    /// empty list then.
    #[serde(serialize_with = "groups_or_none")]
    pub groups: Option<Vec<String>>,
}

fn groups_or_none<S: Serializer>(groups: &Option<Vec<String>>, serializer: S) -> Result<S::Ok, S::Error> {
    groups.as_deref().unwrap_or_default().serialize(serializer)
}
