//! A set of public keys as an issuer publishes it (RFC 7517): refused whole where it cannot be trusted, else read key by key.

use alloc::{format, sync::Arc, vec::Vec};

use std::collections::BTreeSet;

use super::findings::Findings;
use super::key::Key;
use super::reading::{JsonCodes, text};
use crate::json::{Document, Kind, Value};
use crate::limits::{MAX_KEY_SET_BYTES, MAX_KEYS};
use crate::{Code, Error};

/// The keys by which tokens may be signed. Immutable and cheap to clone.
///
/// A set is refused as a whole where its source is not what it should be: text that is not strict JSON, no list of keys, too
/// many of them, an id twice (which key is meant?), a symmetric key or a private member (whoever published that has given
/// the secret away). A set of which no key is usable is refused too. A single key that this crate does not know or does not
/// find fit is skipped and says why in [`KeySet::skipped`]: issuers add algorithms, and one new key must not lock everybody
/// out. A member that is `null` counts as absent.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/example.rs")); } use example::*;
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
    keys: Arc<[Key]>,
    skipped: Arc<[Error]>,
}

impl KeySet {
    /// Reads a JSON Web Key Set of at most 256 KiB and 100 keys. Where none is usable, the error tells why of each.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::token::KeySet;
    /// let error = KeySet::from_json(br#"{ "keys": [{ "kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB" }] }"#).unwrap_err();
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
        let document = Document::parse(bytes, MAX_KEY_SET_BYTES).map_err(|error| CODES.tell(error))?;
        let list = list(document.root())?;
        judge_whole(list)?;
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (index, jwk) in list.items().enumerate() {
            match Key::read(jwk, &format!("/keys/{index}")) {
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

    /// The ids of the usable keys, in the set's order.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/example.rs")); } use example::*;
    /// let keys = dezky_core::token::KeySet::from_json(KEYS)?;
    /// assert!(keys.ids().any(|id| id == "2026-03"));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| key.id.as_deref())
    }

    /// One error for each key that is left out, with a path such as `/keys/3/crv`; [`Error::all`] has all that is wrong with it.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/example.rs")); } use example::*;
    /// let keys = dezky_core::token::KeySet::from_json(KEYS)?;
    /// assert_eq!(keys.skipped()[0].to_string(), "key_curve at \"/keys/1/crv\": only P-256 and Ed25519 are accepted curves");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn skipped(&self) -> &[Error] {
        &self.skipped
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    pub(super) fn key(&self, id: &str) -> Option<&Key> {
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

/// What condemns the set wherever it stands in it, also in a key that would be skipped.
fn judge_whole(list: Value<'_>) -> Result<(), Error> {
    /// RFC 7518, sections 6.2.2, 6.3.2 and 6.4; `priv` is that of the post-quantum keys.
    const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
    let mut findings = Findings::at("/keys");
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
