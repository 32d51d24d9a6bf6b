//! The segments of a token (steps 1 to 3 of specification section 15.3).

use alloc::vec::Vec;

use super::findings::Findings;
use super::reading::{JsonCodes, base64url};
use crate::json::{Document, Kind};
use crate::limits::MAX_TOKEN_BYTES;
use crate::{Code, Error};

/// The three decoded segments. `signed` is the part of the token that the signature covers.
pub(super) struct Segments<'t> {
    pub(super) signed: &'t str,
    pub(super) header: Vec<u8>,
    pub(super) claims: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl Segments<'_> {
    pub(super) fn split(token: &str) -> Result<Segments<'_>, Error> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::new(Code::TokenTooLarge, ""));
        }
        if token.starts_with('{') {
            return Err(Error::new(Code::TokenJsonForm, ""));
        }
        if token.bytes().any(|byte| byte.is_ascii_whitespace()) {
            return Err(Error::new(Code::TokenWhitespace, ""));
        }
        let wrong_count = || Error::new(Code::TokenSegments, "");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(wrong_count)?;
        let (header, claims) = signed.split_once('.').ok_or_else(wrong_count)?;
        if claims.contains('.') {
            return Err(wrong_count());
        }
        let mut findings = Findings::new("");
        if signature.is_empty() {
            findings.note(Code::TokenSignatureMissing, "/signature");
        }
        let mut decode = |text, path| base64url(text).map_err(|code| findings.note(code, path)).ok();
        let header = decode(header, "/header");
        let claims = decode(claims, "/claims");
        let signature = decode(signature, "/signature");
        let segments = || Some(Segments { signed, header: header?, claims: claims?, signature: signature? });
        findings.finish(segments())
    }
}

/// Parses a decoded segment, which must be a JSON object. `path` is the path of the segment.
pub(super) fn parse_object<'b>(bytes: &'b [u8], path: &str) -> Result<Document<'b>, Error> {
    const CODES: JsonCodes = JsonCodes {
        too_large: Code::TokenTooLarge,
        utf8: Code::TokenUtf8,
        json: Code::TokenJson,
        depth: Code::TokenDepth,
        duplicate: Code::TokenDuplicateMember,
    };
    let document =
        Document::parse(bytes, MAX_TOKEN_BYTES).map_err(|error| CODES.translate(error).under(path))?;
    if document.root().kind() != Kind::Object {
        return Err(Error::new(Code::TokenNotObject, path));
    }
    Ok(document)
}
