//! A public key of a key set, with all of its checks (specification section 15.2).

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc;

use super::algorithm::{Algorithm, Family};
use super::findings::Findings;
use super::reading::{base64url, is_plain, text};
use super::segments::Segments;
use super::{curves, rsa};
use crate::json::{Kind, Value};
use crate::limits::MAX_KEY_ID_CHARACTERS;
use crate::{Code, Error};

#[derive(Debug)]
pub(super) struct PublicKey {
    pub(super) id: Option<String>,
    /// The only algorithm that the key may serve, from its `alg`.
    only: Option<Algorithm>,
    family: Family,
    signature_bytes: usize,
    public: DecodingKey,
}

/// A public key and the size of its signatures in bytes.
type Material = (DecodingKey, usize);

impl PublicKey {
    /// Reads the key at `path` of its set.
    pub(super) fn read(jwk: Value<'_>, path: &str) -> Result<PublicKey, Error> {
        let mut findings = Findings::new(path);
        let key = match jwk.kind() {
            Kind::Object => read_parts(jwk, &mut findings),
            _ => {
                findings.note(Code::KeyForm, "");
                None
            }
        };
        findings.finish(key)
    }

    /// Checks that the key can serve an algorithm. The error is the code of the rejection.
    pub(super) fn check_algorithm(&self, algorithm: Algorithm) -> Result<(), Code> {
        if self.family != algorithm.family() {
            return Err(Code::TokenAlgKeyType);
        }
        if self.only.is_some_and(|only| only != algorithm) {
            return Err(Code::TokenAlgKeyAlg);
        }
        Ok(())
    }

    pub(super) fn signature_bytes(&self) -> usize {
        self.signature_bytes
    }

    /// Returns whether the signature verifies.
    ///
    /// The backend is fixed here. The process-wide backend of `jsonwebtoken` can be replaced by any
    /// crate, and panics if two backends are compiled in.
    pub(super) fn verifies(&self, algorithm: Algorithm, segments: &Segments<'_>) -> bool {
        let verifier =
            (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&algorithm.to_jsonwebtoken(), &self.public);
        verifier
            .is_ok_and(|verifier| verifier.verify(segments.signed.as_bytes(), &segments.signature).is_ok())
    }
}

fn read_parts(jwk: Value<'_>, findings: &mut Findings) -> Option<PublicKey> {
    let id = id(jwk, findings);
    check_purpose(jwk, findings);
    let family = family(jwk, findings);
    let only = only(jwk, family, findings);
    let (public, signature_bytes) = match family? {
        Family::Rsa => rsa_material(jwk, findings),
        Family::P256 => p256_material(jwk, findings),
        Family::Ed25519 => ed25519_material(jwk, findings),
    }?;
    Some(PublicKey { id, only, family: family?, signature_bytes, public })
}

fn id(jwk: Value<'_>, findings: &mut Findings) -> Option<String> {
    let id = text(jwk.member("kid")?).filter(|id| is_plain(id, MAX_KEY_ID_CHARACTERS));
    if id.is_none() {
        findings.note(Code::KeyId, "/kid");
    }
    id.map(str::to_owned)
}

/// Checks that `use` and `key_ops` allow the key to verify signatures.
fn check_purpose(jwk: Value<'_>, findings: &mut Findings) {
    if jwk.member("use").is_some_and(|purpose| text(purpose) != Some("sig")) {
        findings.note(Code::KeyUse, "/use");
    }
    let verifies = |operations: Value<'_>| {
        operations.kind() == Kind::Array
            && operations.items().any(|operation| text(operation) == Some("verify"))
    };
    if jwk.member("key_ops").is_some_and(|operations| !verifies(operations)) {
        findings.note(Code::KeyOperations, "/key_ops");
    }
}

fn family(jwk: Value<'_>, findings: &mut Findings) -> Option<Family> {
    let named = |name| jwk.member(name).and_then(text);
    let (family, curve) = match named("kty") {
        Some("RSA") => return Some(Family::Rsa),
        Some("EC") => (Family::P256, "P-256"),
        Some("OKP") => (Family::Ed25519, "Ed25519"),
        _ => {
            findings.note(Code::KeyType, "/kty");
            return None;
        }
    };
    if named("crv") != Some(curve) {
        findings.note(Code::KeyCurve, "/crv");
        return None;
    }
    Some(family)
}

fn only(jwk: Value<'_>, family: Option<Family>, findings: &mut Findings) -> Option<Algorithm> {
    let algorithm = text(jwk.member("alg")?).and_then(Algorithm::from_name);
    match algorithm {
        None => findings.note(Code::KeyAlg, "/alg"),
        Some(algorithm) if family.is_some_and(|family| family != algorithm.family()) => {
            findings.note(Code::KeyAlgMismatch, "/alg");
        }
        Some(_) => {}
    }
    algorithm
}

fn rsa_material(jwk: Value<'_>, findings: &mut Findings) -> Option<Material> {
    let modulus = number(jwk, "/n", findings);
    let exponent = number(jwk, "/e", findings);
    let (modulus, exponent) = (modulus?, exponent?);
    rsa::check(&modulus, &exponent, findings);
    Some((DecodingKey::from_rsa_raw_components(&modulus, &exponent), modulus.len()))
}

fn p256_material(jwk: Value<'_>, findings: &mut Findings) -> Option<Material> {
    let x = coordinate(jwk, "/x", findings);
    let y = coordinate(jwk, "/y", findings);
    let point = curves::p256_point(x?, y?);
    if point.is_none() {
        findings.note(Code::KeyPoint, "/x");
    }
    Some((DecodingKey::from_ec_der(&point?), 64))
}

fn ed25519_material(jwk: Value<'_>, findings: &mut Findings) -> Option<Material> {
    let x = coordinate(jwk, "/x", findings)?;
    if !curves::is_strong_ed25519_point(x) {
        findings.note(Code::KeyPoint, "/x");
    }
    Some((DecodingKey::from_ed_der(&x), 64))
}

fn parameter(jwk: Value<'_>, path: &str, findings: &mut Findings) -> Option<Vec<u8>> {
    let bytes = jwk.member(path.trim_start_matches('/')).and_then(text).and_then(|text| base64url(text).ok());
    if bytes.is_none() {
        findings.note(Code::KeyParameter, path);
    }
    bytes
}

/// Reads a number that has no leading zero byte (RFC 7518, section 6.3.1).
fn number(jwk: Value<'_>, path: &str, findings: &mut Findings) -> Option<Vec<u8>> {
    let bytes = parameter(jwk, path, findings)?;
    if bytes.first().is_none_or(|&byte| byte == 0) {
        findings.note(Code::KeyParameter, path);
        return None;
    }
    Some(bytes)
}

/// Reads a coordinate of 32 bytes. Coordinates of other curves have other lengths.
fn coordinate(jwk: Value<'_>, path: &str, findings: &mut Findings) -> Option<[u8; 32]> {
    let bytes = parameter(jwk, path, findings)?;
    let coordinate = bytes.try_into().ok();
    if coordinate.is_none() {
        findings.note(Code::KeyCoordinate, path);
    }
    coordinate
}
