//! The verifier: the steps from a token to its claims (specification sections 15.3 and 15.4).

use alloc::sync::Arc;

use super::algorithm::Family;
use super::header::Header;
use super::key::PublicKey;
use super::segments::{Segments, parse_object};
use super::{Claims, KeySet, TokenPolicy, claim_forms, claim_rules, header};
use crate::{Code, Error, Timestamp};

/// A verifier of tokens, made of a policy and a key set. It is immutable and cheap to clone, and
/// uses no clock, no network and no cache.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/example.rs.in")); }
/// # use example::*;
/// use dezky_core::{Code, Timestamp};
/// use dezky_core::token::{KeySet, TokenPolicy, TokenVerifier};
/// let policy = TokenPolicy::new(["https://id.example.org/"], ["dezky-portal", "dezky-operator"])?;
/// let verifier = TokenVerifier::new(policy, KeySet::from_json(KEYS)?);
///
/// let claims = verifier.verify(TOKEN, Timestamp::parse("2026-03-01T12:00:00Z")?)?;
/// assert_eq!(claims.subject, "ada");
///
/// let error = verifier.verify(TOKEN, Timestamp::parse("2026-03-02T00:00:00Z")?).unwrap_err();
/// assert_eq!((error.code, error.path.as_str()), (Code::TokenExpired, "/claims/exp"));
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenVerifier {
    policy: Arc<TokenPolicy>,
    keys: KeySet,
}

impl TokenVerifier {
    /// Creates a verifier from a policy and a key set.
    pub fn new(policy: TokenPolicy, keys: KeySet) -> TokenVerifier {
        TokenVerifier { policy: Arc::new(policy), keys }
    }

    /// Returns a verifier with the same policy and another key set. It rejects tokens of keys that
    /// the new set lacks.
    pub fn with_keys(&self, keys: KeySet) -> TokenVerifier {
        TokenVerifier { policy: Arc::clone(&self.policy), keys }
    }

    /// Verifies a token at the time `now` and returns its claims. The error has every problem of
    /// the first step that fails.
    ///
    /// Paths begin with `/header`, `/claims` or `/signature`. The token as a whole has the empty
    /// path.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Error> {
        let segments = Segments::split(token)?;
        let header = header::read(parse_object(&segments.header, "/header")?.root())?;
        let key = self.key(&header)?;
        verify_signature(key, &header, &segments)?;
        let document = parse_object(&segments.claims, "/claims")?;
        let parsed = claim_forms::read(document.root())?;
        claim_rules::check(document.root(), &parsed, &header, &self.policy, now)?;
        Ok(parsed.claims)
    }

    /// Returns the key with the id in the header. Without an id, returns the only key that fits the
    /// algorithm.
    fn key(&self, header: &Header) -> Result<&PublicKey, Error> {
        let Some(id) = &header.key_id else {
            let mut candidates = self.keys.keys().filter(|key| key.check_algorithm(header.algorithm).is_ok());
            let only = candidates.next().ok_or_else(|| Error::new(Code::TokenNoKey, "/header/alg"))?;
            return match candidates.next() {
                None => Ok(only),
                Some(_) => Err(Error::new(Code::TokenKidMissing, "/header/kid")),
            };
        };
        let key = self.keys.key(id).ok_or_else(|| Error::new(Code::TokenKidUnknown, "/header/kid"))?;
        key.check_algorithm(header.algorithm).map_err(|code| Error::new(code, "/header/alg"))?;
        Ok(key)
    }
}

fn verify_signature(key: &PublicKey, header: &Header, segments: &Segments<'_>) -> Result<(), Error> {
    let signature = &segments.signature;
    let code = if signature.len() != key.signature_bytes() {
        Code::TokenSignatureLength
    } else if header.algorithm.family() == Family::P256 && has_zero_number(signature) {
        Code::TokenSignatureZero
    } else if !key.verifies(header.algorithm, segments) {
        Code::TokenSignature
    } else {
        return Ok(());
    };
    Err(Error::new(code, "/signature"))
}

/// Returns whether `r` or `s` of an ECDSA signature is zero. Some verifiers accepted such a
/// signature for any message.
fn has_zero_number(signature: &[u8]) -> bool {
    let (r, s) = signature.split_at(signature.len() / 2);
    [r, s].iter().any(|number| number.iter().all(|&byte| byte == 0))
}
