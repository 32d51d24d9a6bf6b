//! The rules that tell access tokens from ID tokens (specification section 15.7).

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
    /// let issuer = "https://id.example.org/application/o/portal/";
    /// let policy = TokenPolicy::new([issuer], ["dezky-portal"])?.with_rule(TokenRule::Authentik);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    #[derive(Default)]
    TokenRule: TokenPolicyRule {
        /// The rule for every provider whose access tokens show a grant. One of these suffices: the
        /// header type `at+jwt`; a client (`azp`, `client_id`, `appid` or `cid`) with a grant
        /// (`scope`, `scp`, `typ` of `Bearer` or `DPoP`, or `idtyp` of `app`); or `client_id` and
        /// `jti` without `azp`, `nonce` and `auth_time`.
        #[default]
        Generic "generic",
        /// The rule for Authentik. Access tokens need all of `azp`, `uid` and `scope`, which the ID
        /// tokens of Authentik lack.
        Authentik "authentik",
    }
}

/// Claims that no access token has, under every rule (OpenID Connect Core, section 3.3.2.11; RFC
/// 8417).
const NEVER_IN_ACCESS_TOKENS: [(&str, &str); 2] = [
    ("/claims/at_hash", "ID tokens have this claim, access tokens do not"),
    ("/claims/events", "security event tokens, such as logout tokens, have this claim, access tokens do not"),
];

/// The values of the claim `typ` in Keycloak's other tokens. Their header has the same `typ` as
/// that of access tokens, `JWT`.
const OTHER_KINDS: [&str; 4] = ["ID", "Refresh", "Offline", "Logout"];

const CLIENT_CLAIMS: [&str; 4] = ["azp", "client_id", "appid", "cid"];

/// The length of the claim `uid` of Authentik.
const UID_CHARACTERS: usize = 40;

pub(super) fn check(rule: TokenRule, claims: Value<'_>, typ: Typ, findings: &mut Findings) {
    for (path, message) in NEVER_IN_ACCESS_TOKENS {
        if has(claims, path.trim_start_matches("/claims/")) {
            findings.note_with_message(Code::TokenNotAccess, path, message);
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
        findings.note_with_message(Code::TokenNotAccess, "/claims/typ", message);
    }
    if typ != Typ::AccessToken && !shows_grant(claims) && !is_like_zitadel(claims) {
        let message = "an access token has typ at+jwt in the header, or a client (azp, client_id, appid or cid) \
            with a grant (scope, scp, typ Bearer or DPoP, or idtyp app)";
        findings.note_with_message(Code::TokenNotAccess, "/claims", message);
    }
}

/// Returns whether the token names a client and the grant to it. ID tokens have no grant.
fn shows_grant(claims: Value<'_>) -> bool {
    let has_client = CLIENT_CLAIMS.iter().any(|name| has_non_empty(claims, name));
    let has_scope = ["scope", "scp"].iter().any(|name| has_texts(claims, name));
    let has_type = || is_one_of(claims, "typ", &["Bearer", "DPoP"]);
    let is_of_application = || claims.member_or_null("idtyp").and_then(text) == Some("app");
    has_client && (has_scope || has_type() || is_of_application())
}

/// Returns whether the token has the claims of Zitadel's access tokens. They name no scope; the ID
/// tokens of Zitadel have `azp` and `auth_time`, the access tokens have neither.
fn is_like_zitadel(claims: Value<'_>) -> bool {
    has_non_empty(claims, "client_id")
        && has_non_empty(claims, "jti")
        && !["azp", "nonce", "auth_time"].iter().any(|name| has(claims, name))
}

/// Applies the rule of Authentik. The comparison of `azp` with the audiences of the policy is among
/// the checks of every token.
fn authentik(claims: Value<'_>, typ: Typ, findings: &mut Findings) {
    if typ != Typ::Jwt {
        let message = "the tokens of Authentik have the type JWT";
        findings.note_with_message(Code::TokenNotAccess, "/header/typ", message);
    }
    if !has(claims, "azp") {
        let message = "the access tokens of Authentik name their client here, its ID tokens do not";
        findings.note_with_message(Code::TokenNotAccess, "/claims/azp", message);
    }
    let uid = claims.member_or_null("uid").and_then(text).unwrap_or_default();
    if uid.len() != UID_CHARACTERS || !uid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = "the access tokens of Authentik have 40 letters and digits here";
        findings.note_with_message(Code::TokenNotAccess, "/claims/uid", message);
    }
    if !has_texts(claims, "scope") {
        let message =
            "the access tokens of Authentik have a string or a list of strings here, possibly empty";
        findings.note_with_message(Code::TokenNotAccess, "/claims/scope", message);
    }
}

/// Returns whether the claim is present, also with the value `null`.
fn has(claims: Value<'_>, name: &str) -> bool {
    claims.member_or_null(name).is_some()
}

fn has_non_empty(claims: Value<'_>, name: &str) -> bool {
    claims.member_or_null(name).and_then(text).is_some_and(|text| !text.is_empty())
}

/// Returns whether the claim is a string or a list of strings, both possibly empty.
fn has_texts(claims: Value<'_>, name: &str) -> bool {
    claims.member_or_null(name).is_some_and(|value| match value.kind() {
        Kind::Text => true,
        Kind::Array => value.items().all(|item| item.kind() == Kind::Text),
        _ => false,
    })
}

/// Returns whether the claim is one of these words, in any case.
fn is_one_of(claims: Value<'_>, name: &str, words: &[&str]) -> bool {
    let value = claims.member_or_null(name).and_then(text).unwrap_or_default();
    words.iter().any(|word| word.eq_ignore_ascii_case(value))
}
