//! The meaning of the claims: who issued them for whom, when they hold, and that they are those of an access token.

use alloc::format;

use super::claim_forms::Forms;
use super::findings::Findings;
use super::header::Header;
use super::policy::TokenPolicy;
use super::reading::text;
use crate::json::Value;
use crate::{Code, Error, Timestamp};

/// Members that only an ID token has (OpenID Connect Core, section 3.3.2.11; FAPI), or only a security event such as a
/// logout token (RFC 8417).
const NOT_OF_ACCESS_TOKENS: [&str; 4] = ["at_hash", "c_hash", "s_hash", "events"];

/// What Keycloak writes into the claim `typ` of its other tokens, whose header says `JWT` like that of its access tokens.
const OTHER_KINDS: [&str; 4] = ["ID", "Refresh", "Offline", "Logout"];

pub(super) fn judge(
    claims: Value<'_>,
    forms: &Forms,
    header: &Header,
    policy: &TokenPolicy,
    now: Timestamp,
) -> Result<(), Error> {
    let mut findings = Findings::at("/claims");
    parties(forms, policy, &mut findings);
    times(forms, policy, now, &mut findings);
    kind(claims, header, &mut findings);
    findings.finish(Some(()))
}

fn parties(forms: &Forms, policy: &TokenPolicy, findings: &mut Findings) {
    if !policy.trusts(&forms.claims.issuer) {
        findings.note(Code::TokenIssuerUnknown, "/iss");
    }
    if !forms.claims.audiences.iter().any(|audience| policy.serves(audience)) {
        findings.note(Code::TokenAudienceOther, "/aud");
    }
    if forms.authorized_party.as_deref().is_some_and(|party| !policy.serves(party)) {
        findings.note(Code::TokenPartyOther, "/azp");
    }
}

/// RFC 7519, section 4.1.4: on the second of `exp` a token is void already.
fn times(forms: &Forms, policy: &TokenPolicy, now: Timestamp, findings: &mut Findings) {
    let [now, issued, expires] =
        [now, forms.claims.issued_at, forms.claims.expires_at].map(Timestamp::as_micros);
    let latest = now + policy.leeway_micros();
    if expires <= now - policy.leeway_micros() {
        findings.note(Code::TokenExpired, "/exp");
    }
    if !(1..=policy.max_lifetime_micros()).contains(&(expires - issued)) {
        findings.note(Code::TokenLifetime, "/exp");
    }
    if issued > latest {
        findings.note(Code::TokenIssuedInFuture, "/iat");
    }
    if forms.not_before.is_some_and(|start| start.as_micros() > latest) {
        findings.note(Code::TokenNotYetValid, "/nbf");
    }
}

fn kind(claims: Value<'_>, header: &Header, findings: &mut Findings) {
    let has = |name: &str| claims.member_or_null(name).is_some();
    for name in NOT_OF_ACCESS_TOKENS.into_iter().filter(|name| has(name)) {
        findings.note(Code::TokenNotAccess, &format!("/{name}"));
    }
    let typ = claims.member_or_null("typ").and_then(text).unwrap_or_default();
    if OTHER_KINDS.iter().any(|kind| kind.eq_ignore_ascii_case(typ)) {
        findings.note(Code::TokenNotAccess, "/typ");
    }
    // A nonce is an ID token's, but some identity providers, Authentik among them, make the access token from the ID token and
    // leave the nonce in. What such a token has and an ID token lacks is the grant: its scope, or the client it was made for.
    let shows_grant = header.is_declared_access || ["scope", "scp", "client_id"].into_iter().any(has);
    if has("nonce") && !shows_grant {
        findings.note(Code::TokenNotAccess, "/nonce");
    }
    // Bound to a key (RFC 7800: DPoP, mutual TLS). As a mere bearer it may be stolen, and its proof is not seen here.
    if has("cnf") {
        findings.note(Code::TokenBound, "/cnf");
    }
}
