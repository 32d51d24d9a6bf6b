//! Keys, tokens and the form of a case for the token tests.

pub mod claims;
pub mod header;
pub mod issuer;
pub mod key_sets;
pub mod keys;
pub mod policy;
pub mod structure;

use dezky_core::token::{Claims, KeySet, TokenPolicy, TokenVerifier};
use dezky_core::{Error, Timestamp};
use issuer::{Signer, ec, ed, rsa};
use serde_json::{Value, json};

/// 2026-03-01T12:00:00Z
pub const NOW: i64 = 1_772_366_400;

pub const ISSUER: &str = "https://id.example.org/";

/// Something that must be refused, with what it must be refused for: each a code, a space and a path.
pub struct Case {
    pub name: String,
    pub expected: Vec<String>,
    pub found: Vec<String>,
}

impl Case {
    pub fn new<T>(name: impl Into<String>, expected: &str, outcome: Result<T, Error>) -> Case {
        let found = match outcome {
            Ok(_) => vec!["accepted".to_owned()],
            Err(error) => {
                error.all().map(|each| format!("{} {}", each.code, each.path).trim_end().to_owned()).collect()
            }
        };
        let expected = expected.split(", ").map(str::to_owned).collect();
        Case { name: name.into(), expected, found }
    }

    /// A token that must be refused under the ordinary policy, keys and time.
    pub fn token(name: impl Into<String>, expected: &str, token: &str) -> Case {
        Case::new(name, expected, verify(token))
    }
}

pub fn cases() -> Vec<Case> {
    [structure::cases(), header::cases(), claims::cases(), key_sets::cases(), keys::cases(), policy::cases()]
        .into_iter()
        .flatten()
        .collect()
}

pub fn policy() -> TokenPolicy {
    TokenPolicy::new([ISSUER], ["dezky-portal", "dezky-operator"]).unwrap()
}

/// One key of each type: `rsa`, `ec` and `ed`.
pub fn key_set() -> KeySet {
    set(&[rsa().jwk("rsa"), ec().jwk("ec"), ed().jwk("ed")]).unwrap()
}

pub fn set(keys: &[Value]) -> Result<KeySet, Error> {
    KeySet::from_json(json!({ "keys": keys }).to_string().as_bytes())
}

pub fn verifier() -> TokenVerifier {
    TokenVerifier::new(policy(), key_set())
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap()
}

pub fn verify(token: &str) -> Result<Claims, Error> {
    verifier().verify(token, at(NOW))
}

pub fn good_claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "ada", "aud": "dezky-portal", "iat": NOW - 60, "exp": NOW + 240,
        "client_id": "dezky-portal", "scope": "openid",
    })
}

/// The good claims with these in place of their own; `null` takes one out.
pub fn claims_with(changes: Value) -> Value {
    changed(good_claims(), changes)
}

pub fn changed(mut object: Value, changes: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            _ => members.insert(name.clone(), value.clone()),
        };
    }
    object
}

/// A good token, but for these changes to its header.
pub fn with_header(changes: Value) -> String {
    ed().token(&changed(json!({ "alg": "EdDSA", "kid": "ed" }), changes), &good_claims())
}

/// A good token, but for these changes to its claims.
pub fn with_claims(changes: Value) -> String {
    ed().token(&json!({ "alg": "EdDSA", "kid": "ed" }), &claims_with(changes))
}

/// A good token by one of the keys of [`key_set`].
pub fn good_token(signer: &Signer, alg: &str, kid: &str) -> String {
    signer.token_by(alg, &json!({ "alg": alg, "kid": kid }), &good_claims())
}
