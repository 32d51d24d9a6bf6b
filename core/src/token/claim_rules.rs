//! The meaning of the claims: who issued them for whom, when they hold, and that they are those of an access token.

use super::claim_forms::Forms;
use super::findings::Findings;
use super::header::Header;
use super::kind;
use super::policy::TokenPolicy;
use crate::json::Value;
use crate::{Code, Error, Timestamp};

pub(super) fn judge(
    claims: Value<'_>,
    forms: &Forms,
    header: &Header,
    policy: &TokenPolicy,
    now: Timestamp,
) -> Result<(), Error> {
    let mut findings = Findings::at("");
    parties(forms, policy, &mut findings);
    times(forms, policy, now, &mut findings);
    kind::judge(policy.token_rule(), claims, header.typ, &mut findings);
    // Bound to a key (RFC 7800: DPoP, mutual TLS). As a mere bearer it may be stolen, and its proof is not seen here.
    if claims.member_or_null("cnf").is_some() {
        findings.note(Code::TokenBound, "/claims/cnf");
    }
    findings.finish(Some(()))
}

fn parties(forms: &Forms, policy: &TokenPolicy, findings: &mut Findings) {
    if !policy.trusts(&forms.claims.issuer) {
        findings.note(Code::TokenIssuerUnknown, "/claims/iss");
    }
    if !forms.claims.audiences.iter().any(|audience| policy.serves(audience)) {
        findings.note(Code::TokenAudienceOther, "/claims/aud");
    }
    if forms.authorized_party.as_deref().is_some_and(|party| !policy.serves(party)) {
        findings.note(Code::TokenPartyOther, "/claims/azp");
    }
}

/// RFC 7519, section 4.1.4: on the second of `exp` a token is void already.
fn times(forms: &Forms, policy: &TokenPolicy, now: Timestamp, findings: &mut Findings) {
    let [now, issued, expires] =
        [now, forms.claims.issued_at, forms.claims.expires_at].map(Timestamp::as_micros);
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
    if forms.not_before.is_some_and(|start| start.as_micros() > latest) {
        findings.note(Code::TokenNotYetValid, "/claims/nbf");
    }
}
