//! The header of a token (specification section 15.4). All its members are checked before the key
//! is looked up.

use alloc::{borrow::ToOwned, string::String};

use super::algorithm::Algorithm;
use super::findings::Findings;
use super::reading::{is_plain, text};
use crate::json::Value;
use crate::limits::MAX_KEY_ID_CHARACTERS;
use crate::{Code, Error};

pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    pub(super) typ: Typ,
}

/// The member `typ` of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typ {
    Absent,
    Jwt,
    /// `at+jwt`, the type of access tokens (RFC 9068).
    AccessToken,
}

/// Members that must be absent: each changes the bytes that the signature covers, or the meaning of
/// the claims.
const FORBIDDEN: [(&str, Code); 5] = [
    ("/crit", Code::TokenCrit),
    ("/b64", Code::TokenB64),
    ("/zip", Code::TokenZip),
    ("/enc", Code::TokenEnc),
    ("/cty", Code::TokenCty),
];

pub(super) fn read(header: Value<'_>) -> Result<Header, Error> {
    let mut findings = Findings::new("/header");
    for (path, code) in FORBIDDEN {
        if header.member_or_null(path.trim_start_matches('/')).is_some() {
            findings.note(code, path);
        }
    }
    let typ = typ(header, &mut findings);
    let key_id = key_id(header, &mut findings);
    let algorithm = algorithm(header, &mut findings);
    findings.finish(algorithm.map(|algorithm| Header { algorithm, key_id, typ }))
}

fn algorithm(header: Value<'_>, findings: &mut Findings) -> Option<Algorithm> {
    let Some(name) = header.member_or_null("alg").and_then(text) else {
        findings.note(Code::TokenAlgForm, "/alg");
        return None;
    };
    let algorithm = Algorithm::from_name(name);
    if algorithm.is_none() {
        findings.note(Algorithm::rejection_code(name), "/alg");
    }
    algorithm
}

/// Reads `typ`. ID tokens, logout tokens and proofs of possession with a `typ` of their own fail
/// here.
fn typ(header: Value<'_>, findings: &mut Findings) -> Typ {
    let Some(typ) = header.member_or_null("typ") else { return Typ::Absent };
    let name = text(typ).unwrap_or_default();
    if ["at+jwt", "application/at+jwt"].iter().any(|accepted| name.eq_ignore_ascii_case(accepted)) {
        return Typ::AccessToken;
    }
    if !name.eq_ignore_ascii_case("JWT") {
        findings.note(Code::TokenTyp, "/typ");
    }
    Typ::Jwt
}

fn key_id(header: Value<'_>, findings: &mut Findings) -> Option<String> {
    let key_id = text(header.member_or_null("kid")?).filter(|key_id| is_plain(key_id, MAX_KEY_ID_CHARACTERS));
    if key_id.is_none() {
        findings.note(Code::TokenKidForm, "/kid");
    }
    key_id.map(str::to_owned)
}
