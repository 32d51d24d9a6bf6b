//! The header's rules, judged together before any key is looked at.

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

/// The header's `typ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typ {
    Absent,
    Jwt,
    /// `at+jwt`: the token says that it is an access token (RFC 9068).
    AccessToken,
}

/// Members that must not be there, whatever they hold: each changes what the signature covers or what the claims are.
const REFUSED: [(&str, Code); 5] = [
    ("/crit", Code::TokenCrit),
    ("/b64", Code::TokenB64),
    ("/zip", Code::TokenZip),
    ("/enc", Code::TokenEnc),
    ("/cty", Code::TokenCty),
];

pub(super) fn read(header: Value<'_>) -> Result<Header, Error> {
    let mut findings = Findings::at("/header");
    for (path, code) in REFUSED {
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
    let algorithm = Algorithm::named(name);
    if algorithm.is_none() {
        findings.note(Algorithm::refusal(name), "/alg");
    }
    algorithm
}

/// An ID token, a logout token or a proof of possession that says what it is ends here.
fn typ(header: Value<'_>, findings: &mut Findings) -> Typ {
    let Some(typ) = header.member_or_null("typ") else { return Typ::Absent };
    let name = text(typ).unwrap_or_default();
    if ["at+jwt", "application/at+jwt"].iter().any(|known| name.eq_ignore_ascii_case(known)) {
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
