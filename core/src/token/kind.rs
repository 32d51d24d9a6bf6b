//! How an access token is told from an ID token: one pure function for each rule.

use super::findings::Findings;
use super::header::Typ;
use super::reading::text;
use crate::Code;
use crate::json::{Kind, Value};
use crate::names::words;

words! {
    /// The rule that tells an issuer's access tokens from its ID tokens.
    ///
    /// ```
    /// use dezky_core::token::{TokenPolicy, TokenRule};
    /// let policy = TokenPolicy::new(["https://id.example.org/application/o/portal/"], ["dezky-portal"])?
    ///     .rule(TokenRule::Authentik);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    #[derive(Default)]
    TokenRule: TokenPolicyRule {
        /// For every provider whose access tokens show a grant. The header type `at+jwt` suffices. Otherwise the token
        /// names its client (`azp`, `client_id`, `appid` or `cid`) and its grant (`scope`, `scp`, `typ` of `Bearer` or
        /// `DPoP`, or `idtyp` of `app`). Or it has `client_id` and `jti` without `azp`, `nonce` and `auth_time`.
        #[default]
        Generic "generic",
        /// For Authentik, whose access tokens are its ID tokens plus `azp`, `uid` and `scope`. All three are needed.
        Authentik "authentik",
    }
}

/// Members that refuse a token under every rule (OpenID Connect Core, section 3.3.2.11; RFC 8417).
const NEVER_IN_ACCESS_TOKENS: [(&str, &str); 2] = [
    ("/claims/at_hash", "an ID token has this claim and an access token does not"),
    (
        "/claims/events",
        "a security event token, such as a logout token, has this claim and an access token does not",
    ),
];

/// The claim `typ` of Keycloak's other tokens, whose header says `JWT` like that of its access tokens.
const OTHER_KINDS: [&str; 4] = ["ID", "Refresh", "Offline", "Logout"];

const CLIENT_CLAIMS: [&str; 4] = ["azp", "client_id", "appid", "cid"];

/// The length of Authentik's `uid`.
const UID_CHARACTERS: usize = 40;

pub(super) fn judge(rule: TokenRule, claims: Value<'_>, typ: Typ, findings: &mut Findings) {
    for (path, message) in NEVER_IN_ACCESS_TOKENS {
        if has(claims, path.trim_start_matches("/claims/")) {
            findings.note_because(Code::TokenNotAccess, path, message);
        }
    }
    match rule {
        TokenRule::Generic => generic(claims, typ, findings),
        TokenRule::Authentik => authentik(claims, typ, findings),
    }
}

fn generic(claims: Value<'_>, typ: Typ, findings: &mut Findings) {
    if is_one_of(claims, "typ", &OTHER_KINDS) {
        let message = "a token of this type is not an access token";
        findings.note_because(Code::TokenNotAccess, "/claims/typ", message);
    }
    if typ != Typ::AccessToken && !shows_grant(claims) && !is_like_zitadels(claims) {
        let message = "nothing shows an access token: typ at+jwt in the header, or a client (azp, client_id, appid or cid) \
            with a grant (scope, scp, typ Bearer or DPoP, or idtyp app)";
        findings.note_because(Code::TokenNotAccess, "/claims", message);
    }
}

/// The client that the token was made for, together with what was granted to it. An ID token has no grant.
fn shows_grant(claims: Value<'_>) -> bool {
    let has_client = CLIENT_CLAIMS.iter().any(|name| has_filled(claims, name));
    let has_scope = ["scope", "scp"].iter().any(|name| has_texts(claims, name));
    let has_type = || is_one_of(claims, "typ", &["Bearer", "DPoP"]);
    let is_of_application = || claims.member_or_null("idtyp").and_then(text) == Some("app");
    has_client && (has_scope || has_type() || is_of_application())
}

/// Zitadel names no scope, but its ID tokens have `azp` and `auth_time`, and its access tokens have neither.
fn is_like_zitadels(claims: Value<'_>) -> bool {
    has_filled(claims, "client_id")
        && has_filled(claims, "jti")
        && !["azp", "nonce", "auth_time"].iter().any(|name| has(claims, name))
}

/// That `azp` is one of the policy's audiences is judged for every token that has one.
fn authentik(claims: Value<'_>, typ: Typ, findings: &mut Findings) {
    if typ != Typ::Jwt {
        let message = "the tokens of Authentik have the type JWT";
        findings.note_because(Code::TokenNotAccess, "/header/typ", message);
    }
    if !has(claims, "azp") {
        let message = "the access tokens of Authentik name their client here, and its ID tokens do not";
        findings.note_because(Code::TokenNotAccess, "/claims/azp", message);
    }
    let uid = claims.member_or_null("uid").and_then(text).unwrap_or_default();
    if uid.len() != UID_CHARACTERS || !uid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = "the access tokens of Authentik have 40 letters and digits here";
        findings.note_because(Code::TokenNotAccess, "/claims/uid", message);
    }
    if !has_texts(claims, "scope") {
        let message = "the access tokens of Authentik have a text or a list of texts here, possibly empty";
        findings.note_because(Code::TokenNotAccess, "/claims/scope", message);
    }
}

/// Whether the claim is there, whatever it holds.
fn has(claims: Value<'_>, name: &str) -> bool {
    claims.member_or_null(name).is_some()
}

fn has_filled(claims: Value<'_>, name: &str) -> bool {
    claims.member_or_null(name).and_then(text).is_some_and(|text| !text.is_empty())
}

/// Whether the claim is a text, possibly empty, or a list of texts: both spellings of scopes.
fn has_texts(claims: Value<'_>, name: &str) -> bool {
    claims.member_or_null(name).is_some_and(|value| match value.kind() {
        Kind::Text => true,
        Kind::Array => value.items().all(|item| item.kind() == Kind::Text),
        _ => false,
    })
}

/// Whether the claim is one of these words, in any case.
fn is_one_of(claims: Value<'_>, name: &str, words: &[&str]) -> bool {
    let value = claims.member_or_null(name).and_then(text).unwrap_or_default();
    words.iter().any(|word| word.eq_ignore_ascii_case(value))
}
