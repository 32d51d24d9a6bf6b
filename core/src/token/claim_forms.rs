//! The form of the claims: types and ranges (specification section 15.5). `null` is a value of the
//! wrong type, not an absent claim.

use alloc::{borrow::ToOwned, format, string::String, vec, vec::Vec};

use super::claims::Claims;
use super::findings::Findings;
use super::reading::{is_plain, seconds, text};
use crate::json::{Kind, Value};
use crate::names::{Email, Prose};
use crate::{Code, Error, Timestamp};

/// The longest subject that OpenID Connect Core allows, in characters, and the longest group name.
const MAX_CHARACTERS: usize = 255;

/// The claims of a token, with those that only the rules need.
pub(super) struct ParsedClaims {
    pub(super) claims: Claims,
    pub(super) not_before: Option<Timestamp>,
    pub(super) authorized_party: Option<String>,
}

pub(super) fn read(claims: Value<'_>) -> Result<ParsedClaims, Error> {
    let mut reader = ClaimReader { claims, findings: Findings::new("/claims") };
    let issuer = reader.required("iss", Code::TokenIssuerMissing, Code::TokenIssuerForm, non_empty_text);
    let subject = reader.required("sub", Code::TokenSubjectMissing, Code::TokenSubjectForm, |sub| {
        text(sub).filter(|sub| is_plain(sub, MAX_CHARACTERS)).map(str::to_owned)
    });
    let audiences = reader.audiences();
    let expires_at = reader.required("exp", Code::TokenExpiryMissing, Code::TokenExpiryForm, seconds);
    let issued_at = reader.required("iat", Code::TokenIssuedAtMissing, Code::TokenIssuedAtForm, seconds);
    let not_before = reader.optional("nbf", Code::TokenNotBeforeForm, seconds);
    let authorized_party = reader.optional("azp", Code::TokenPartyForm, non_empty_text);
    let email = reader.optional("email", Code::TokenEmailForm, email).flatten();
    let email_verified = reader.optional("email_verified", Code::TokenEmailForm, boolean);
    let name = reader.optional("name", Code::TokenNameForm, |name| Prose::new(text(name)?).ok());
    let groups = reader.groups();
    let parsed = || {
        let claims = Claims {
            issuer: issuer?,
            subject: subject?,
            audiences: audiences?,
            issued_at: issued_at?,
            expires_at: expires_at?,
            email,
            email_verified,
            name,
            groups,
        };
        Some(ParsedClaims { claims, not_before, authorized_party })
    };
    reader.findings.finish(parsed())
}

fn non_empty_text(value: Value<'_>) -> Option<String> {
    text(value).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn boolean(value: Value<'_>) -> Option<bool> {
    (value.kind() == Kind::Bool).then(|| value.raw() == "true")
}

/// Reads an e-mail address. The inner `None` is an empty string.
fn email(value: Value<'_>) -> Option<Option<Email>> {
    match text(value)? {
        "" => Some(None),
        address => Email::new(address).ok().map(Some),
    }
}

struct ClaimReader<'d> {
    claims: Value<'d>,
    findings: Findings,
}

impl<'d> ClaimReader<'d> {
    fn optional<T>(
        &mut self,
        name: &str,
        malformed: Code,
        read: impl Fn(Value<'d>) -> Option<T>,
    ) -> Option<T> {
        let read = read(self.claims.member_or_null(name)?);
        if read.is_none() {
            self.findings.note(malformed, &format!("/{name}"));
        }
        read
    }

    fn required<T>(
        &mut self,
        name: &str,
        missing: Code,
        malformed: Code,
        read: impl Fn(Value<'d>) -> Option<T>,
    ) -> Option<T> {
        if self.claims.member_or_null(name).is_none() {
            self.findings.note(missing, &format!("/{name}"));
        }
        self.optional(name, malformed, read)
    }

    /// Reads the audiences. A single audience may be a string without a list (RFC 7519, section
    /// 4.1.3).
    fn audiences(&mut self) -> Option<Vec<String>> {
        let aud = self.required("aud", Code::TokenAudienceMissing, Code::TokenAudienceForm, Some)?;
        if aud.kind() == Kind::Array && aud.items().next().is_some() {
            return Some(self.items("aud", Code::TokenAudienceForm, non_empty_text));
        }
        let audience = self.optional("aud", Code::TokenAudienceForm, non_empty_text)?;
        Some(vec![audience])
    }

    fn groups(&mut self) -> Option<Vec<String>> {
        let list = |groups: Value<'d>| (groups.kind() == Kind::Array).then_some(());
        self.optional("groups", Code::TokenGroupsForm, list)?;
        Some(self.items("groups", Code::TokenGroupsForm, |group| {
            text(group).filter(|group| is_plain(group, MAX_CHARACTERS)).map(str::to_owned)
        }))
    }

    /// Reads the items of a list and notes each malformed item at its index.
    fn items(
        &mut self,
        name: &str,
        malformed: Code,
        read: impl Fn(Value<'d>) -> Option<String>,
    ) -> Vec<String> {
        let mut items = Vec::new();
        for (index, item) in self.claims.member_or_null(name).into_iter().flat_map(Value::items).enumerate() {
            match read(item) {
                Some(item) => items.push(item),
                None => self.findings.note(malformed, &format!("/{name}/{index}")),
            }
        }
        items
    }
}
