//! The meaning of the claims: issuer, audience, times and kind of token (specification section
//! 15.6).

use super::claim_forms::ParsedClaims;
use super::findings::Findings;
use super::header::Header;
use super::kind;
use super::policy::TokenPolicy;
use crate::json::Value;
use crate::{Code, Error, Timestamp};

pub(super) fn check(
    claims: Value<'_>,
    parsed: &ParsedClaims,
    header: &Header,
    policy: &TokenPolicy,
    now: Timestamp,
) -> Result<(), Error> {
    let mut findings = Findings::new("");
    check_parties(parsed, policy, &mut findings);
    check_times(parsed, policy, now, &mut findings);
    kind::check(policy.rule(), claims, header.typ, &mut findings);
    // A token that is bound to a key (RFC 7800) needs a proof that a bearer token does not carry.
    if claims.member_or_null("cnf").is_some() {
        findings.note(Code::TokenBound, "/claims/cnf");
    }
    findings.finish(Some(()))
}

fn check_parties(parsed: &ParsedClaims, policy: &TokenPolicy, findings: &mut Findings) {
    if !policy.accepts_issuer(&parsed.claims.issuer) {
        findings.note(Code::TokenIssuerUnknown, "/claims/iss");
    }
    if !parsed.claims.audiences.iter().any(|audience| policy.accepts_audience(audience)) {
        findings.note(Code::TokenAudienceOther, "/claims/aud");
    }
    if parsed.authorized_party.as_deref().is_some_and(|party| !policy.accepts_audience(party)) {
        findings.note(Code::TokenPartyOther, "/claims/azp");
    }
}

/// A token is invalid from the second of `exp` on (RFC 7519, section 4.1.4).
fn check_times(parsed: &ParsedClaims, policy: &TokenPolicy, now: Timestamp, findings: &mut Findings) {
    let [now, issued, expires] =
        [now, parsed.claims.issued_at, parsed.claims.expires_at].map(Timestamp::as_micros);
    let latest = now + policy.leeway_micros();
    if expires <= now - policy.leeway_micros() {
        findings.note(Code::TokenExpired, "/claims/exp");
    }
    if !(1..=policy.max_lifetime_micros()).contains(&(expires - issued)) {
        findings.note(Code::TokenLifetime, "/claims/exp");
    }
    if issued > latest {
        findings.note(Code::TokenIssuedInFuture, "/claims/iat");
    }
    if parsed.not_before.is_some_and(|start| start.as_micros() > latest) {
        findings.note(Code::TokenNotYetValid, "/claims/nbf");
    }
}
