//! The key set of an issuer (RFC 7517, specification section 15.2).

use alloc::{format, sync::Arc, vec::Vec};

use std::collections::BTreeSet;

use super::findings::Findings;
use super::key::PublicKey;
use super::reading::{JsonCodes, text};
use crate::json::{Document, Kind, Value};
use crate::limits::{MAX_KEY_SET_BYTES, MAX_KEYS};
use crate::{Code, Error};

/// The public keys whose signatures are accepted. A key set is immutable and cheap to clone.
///
/// The set is rejected as a whole if it is not strict JSON, has no list of keys, has more than 100
/// keys, has two keys with the same id, or contains a symmetric key or a private member. A
/// published secret cannot be trusted. A set without a usable key is rejected too. A member that is
/// `null` counts as absent.
///
/// A single key with a problem is skipped, and [`KeySet::skipped`] reports the problem. Issuers add
/// keys for new algorithms, and such a key must not make the others unusable.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/example.rs.in")); }
/// # use example::*;
/// use dezky_core::Code;
/// use dezky_core::token::KeySet;
/// let keys = KeySet::from_json(KEYS)?;
/// assert_eq!(keys.ids().collect::<Vec<_>>(), ["2026-03"]);
///
/// let error = KeySet::from_json(b"<html>Please log in</html>").unwrap_err();
/// assert_eq!(error.code, Code::KeySetJson);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Arc<[PublicKey]>,
    skipped: Arc<[Error]>,
}

impl KeySet {
    /// Reads a JSON Web Key Set of at most 256 KiB and 100 keys. If no key is usable, the error has
    /// the problems of every key.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::token::KeySet;
    /// let error = KeySet::from_json(br#"{ "keys": [
    ///     { "kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB" }
    /// ] }"#).unwrap_err();
    /// let codes: Vec<_> = error.all().map(|each| each.code).collect();
    /// assert_eq!(codes, [Code::KeySetEmpty, Code::KeyUse, Code::KeyRsaShort]);
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<KeySet, Error> {
        const CODES: JsonCodes = JsonCodes {
            too_large: Code::KeySetTooLarge,
            utf8: Code::KeySetUtf8,
            json: Code::KeySetJson,
            depth: Code::KeySetDepth,
            duplicate: Code::KeySetDuplicateMember,
        };
        let document = Document::parse(bytes, MAX_KEY_SET_BYTES).map_err(|error| CODES.translate(error))?;
        let list = list(document.root())?;
        check_whole(list)?;
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (index, jwk) in list.items().enumerate() {
            match PublicKey::read(jwk, &format!("/keys/{index}")) {
                Ok(key) => keys.push(key),
                Err(error) => skipped.push(error),
            }
        }
        if keys.is_empty() {
            let reasons = skipped
                .iter()
                .flat_map(Error::all)
                .map(|reason| Error::new(reason.code, reason.path.as_str()));
            let empty = Error::new(Code::KeySetEmpty, "/keys");
            Error::unless_clean(core::iter::once(empty).chain(reasons).collect(), ())?;
        }
        Ok(KeySet { keys: keys.into(), skipped: skipped.into() })
    }

    /// Returns the ids of the usable keys, in the order of the set.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| key.id.as_deref())
    }

    /// Returns one error for each skipped key, with a path such as `/keys/3/crv`. [`Error::all`]
    /// has every problem of the key.
    pub fn skipped(&self) -> &[Error] {
        &self.skipped
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter()
    }

    pub(super) fn key(&self, id: &str) -> Option<&PublicKey> {
        self.keys().find(|key| key.id.as_deref() == Some(id))
    }
}

fn list(root: Value<'_>) -> Result<Value<'_>, Error> {
    if root.kind() != Kind::Object {
        return Err(Error::new(Code::KeySetForm, ""));
    }
    let list = root.member("keys").filter(|keys| keys.kind() == Kind::Array);
    let list = list.ok_or_else(|| Error::new(Code::KeySetForm, "/keys"))?;
    match list.items().nth(MAX_KEYS) {
        None => Ok(list),
        Some(_) => Err(Error::new(Code::KeySetTooMany, "/keys")),
    }
}

/// Checks the rules that reject the whole set, also for keys that would be skipped.
fn check_whole(list: Value<'_>) -> Result<(), Error> {
    /// The private members of RFC 7518 (sections 6.2.2, 6.3.2 and 6.4) and of post-quantum keys.
    const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
    let mut findings = Findings::new("/keys");
    let mut ids = BTreeSet::new();
    for (index, jwk) in list.items().enumerate().filter(|(_, jwk)| jwk.kind() == Kind::Object) {
        if jwk.member("kty").and_then(text).is_some_and(|kty| kty.eq_ignore_ascii_case("oct")) {
            findings.note(Code::KeySetSymmetric, &format!("/{index}/kty"));
        }
        for name in PRIVATE.into_iter().filter(|name| jwk.member(name).is_some()) {
            findings.note(Code::KeySetPrivate, &format!("/{index}/{name}"));
        }
        if jwk.member("kid").and_then(text).is_some_and(|id| !ids.insert(id)) {
            findings.note(Code::KeySetDuplicateId, &format!("/{index}/kid"));
        }
    }
    findings.finish(Some(()))
}
