//! The one way from a token's text to its claims.

use alloc::sync::Arc;

use super::algorithm::Family;
use super::header::Header;
use super::key::Key;
use super::segments::{Segments, object};
use super::{Claims, KeySet, TokenPolicy, claim_forms, claim_rules, header};
use crate::{Code, Error, Timestamp};

/// Verifies tokens by a policy and a key set. Immutable, cheap to clone, and free of clock, network and cache.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/example.rs")); } use example::*;
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
    /// A verifier for as long as neither policy nor keys change.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/example.rs")); } use example::*;
    /// use dezky_core::token::{KeySet, TokenPolicy, TokenVerifier};
    /// let policy = TokenPolicy::new(["https://id.example.org/"], ["dezky-portal"])?;
    /// let verifier = TokenVerifier::new(policy, KeySet::from_json(KEYS)?);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn new(policy: TokenPolicy, keys: KeySet) -> TokenVerifier {
        TokenVerifier { policy: Arc::new(policy), keys }
    }

    /// The same policy over another key set. A key that the new set lacks is refused from here on.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/example.rs")); } use example::*;
    /// use dezky_core::token::{KeySet, TokenPolicy, TokenVerifier};
    /// let policy = TokenPolicy::new(["https://id.example.org/"], ["dezky-portal"])?;
    /// let before = TokenVerifier::new(policy, KeySet::from_json(KEYS)?);
    /// let after = before.with_keys(KeySet::from_json(KEYS)?);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn with_keys(&self, keys: KeySet) -> TokenVerifier {
        TokenVerifier { policy: Arc::clone(&self.policy), keys }
    }

    /// The claims of a token that is genuine, meant for this service and valid at `now`; else everything that is wrong in
    /// the first step that fails.
    ///
    /// Paths begin with `/header`, `/claims` or `/signature`; the token as a whole is the empty path.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/example.rs")); } use example::*;
    /// use dezky_core::{Code, Timestamp};
    /// use dezky_core::token::{KeySet, TokenPolicy, TokenVerifier};
    /// let policy = TokenPolicy::new(["https://id.example.org/"], ["dezky-portal"])?;
    /// let verifier = TokenVerifier::new(policy, KeySet::from_json(KEYS)?);
    /// let error = verifier.verify("not a token", Timestamp::EPOCH).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::TokenWhitespace, ""));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Error> {
        let segments = Segments::split(token)?;
        let header = header::read(object(&segments.header, "/header")?.root())?;
        let key = self.key(&header)?;
        verify_signature(key, &header, &segments)?;
        let document = object(&segments.claims, "/claims")?;
        let forms = claim_forms::read(document.root())?;
        claim_rules::judge(document.root(), &forms, &header, &self.policy, now)?;
        Ok(forms.claims)
    }

    /// By its id where the token names one; else the only key that the algorithm fits.
    fn key(&self, header: &Header) -> Result<&Key, Error> {
        let Some(id) = &header.key_id else {
            let mut candidates = self.keys.keys().filter(|key| key.allows(header.algorithm).is_ok());
            let only = candidates.next().ok_or_else(|| Error::new(Code::TokenNoKey, "/header/alg"))?;
            return match candidates.next() {
                None => Ok(only),
                Some(_) => Err(Error::new(Code::TokenKidMissing, "/header/kid")),
            };
        };
        let key = self.keys.key(id).ok_or_else(|| Error::new(Code::TokenKidUnknown, "/header/kid"))?;
        key.allows(header.algorithm).map_err(|code| Error::new(code, "/header/alg"))?;
        Ok(key)
    }
}

fn verify_signature(key: &Key, header: &Header, segments: &Segments<'_>) -> Result<(), Error> {
    let signature = &segments.signature;
    let code = if signature.len() != key.signature_bytes() {
        Code::TokenSignatureLength
    } else if header.algorithm.family() == Family::P256 && has_zero_half(signature) {
        Code::TokenSignatureZero
    } else if !key.has_signed(header.algorithm, segments) {
        Code::TokenSignature
    } else {
        return Ok(());
    };
    Err(Error::new(code, "/signature"))
}

/// An ECDSA signature in which r or s is zero: careless verifiers have taken it for a signature of anything.
fn has_zero_half(signature: &[u8]) -> bool {
    let (r, s) = signature.split_at(signature.len() / 2);
    [r, s].iter().any(|half| half.iter().all(|&byte| byte == 0))
}
