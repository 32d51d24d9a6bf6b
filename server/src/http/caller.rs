//! Who is calling: from the request's headers to a principal whose rights are those of the record as last committed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use dezky_core::{Claims, Person, Principal, Timestamp};

use super::problem::Problem;
use crate::app::App;
use crate::identity::Refusal;
use crate::live::Known;

/// Who is calling.
#[derive(Clone)]
pub struct Caller {
    /// What their token says.
    pub claims: Arc<Claims>,
    /// Their record, if there is one.
    pub known: Option<Arc<Known>>,
    /// Both, as decisions need them.
    pub principal: Principal,
}

impl Caller {
    /// Whom a request comes from; a refusal where it does not say, or lies, or asks too often.
    pub async fn of(
        app: &App,
        headers: &HeaderMap,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Caller, Problem> {
        let instant = Instant::now();
        app.failures.has_left(address, instant).map_err(too_many)?;
        let claims = match bearer(headers) {
            Some(token) => match app.identity.verify(token, now).await {
                Ok(claims) => Ok(claims),
                Err(Refusal::Token(error)) => Err(error.code.as_str()),
                Err(Refusal::NoKeys) => return Err(no_keys()),
            },
            None => Err("token_missing"),
        };
        let claims = claims.map_err(|code| {
            // Its cost is counted; whether there was one left was asked before.
            let _ = app.failures.take(address, instant);
            unauthorized(code)
        })?;
        app.callers.take((&claims.issuer, &claims.subject), instant).map_err(too_many)?;
        Ok(Caller::new(app, claims))
    }

    fn new(app: &App, claims: Arc<Claims>) -> Caller {
        let known = app.live.read().user_of(&claims.issuer, &claims.subject).cloned();
        let record = known.as_ref().map(|known| known.record.clone());
        let principal = Principal::Person(Person {
            operator_audience: app.rights.operator_audience.clone(),
            ..Person::new(claims.subject.as_str(), claims.audiences.iter().map(String::as_str), record)
        });
        Caller { claims, known, principal }
    }

    /// Their id, if there is a record of them.
    pub fn id(&self) -> Option<&str> {
        self.known.as_ref().map(|known| known.record.id.as_str())
    }

    /// Whether they run the platform, whatever their token is for.
    pub fn is_platform_admin(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.record.active && known.record.platform_admin)
    }

    /// Whose idempotency keys theirs are.
    pub fn holder(&self) -> String {
        self.id().map_or_else(|| format!("{}\n{}", self.claims.issuer, self.claims.subject), str::to_owned)
    }

    /// Only what they are a member of; everything, for platform admins.
    pub fn visible_tenants(&self) -> Option<Vec<dezky_core::Id>> {
        if self.is_platform_admin() {
            return None;
        }
        Some(self.known.as_ref().map(|known| known.record.tenant_ids.clone()).unwrap_or_default())
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(AUTHORIZATION).into_iter();
    let line = lines.next().filter(|_| lines.next().is_none())?.to_str().ok()?;
    let (scheme, token) = line.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

fn unauthorized(code: &'static str) -> Problem {
    let (challenge, detail) = match code {
        "token_missing" => ("Bearer realm=\"dezky\"", "This needs an access token: Authorization: Bearer …"),
        _ => ("Bearer realm=\"dezky\", error=\"invalid_token\"", "The access token is not valid"),
    };
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

fn no_keys() -> Problem {
    let detail = "The identity provider's keys are not known yet, so no token can be verified";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "keys_unavailable", detail)
        .with_header(RETRY_AFTER, HeaderValue::from_static("2"))
}

fn too_many(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests: wait a little")
        .with_header(RETRY_AFTER, HeaderValue::from(seconds))
}

/// Where a request comes from: the connection's other end, or, where that is a trusted proxy, the last address that no trusted proxy has.
pub fn address(app: &App, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !app.trusted_proxies.contains(&peer) {
        return peer;
    }
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").into_iter().filter_map(|line| line.to_str().ok()).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    for hop in hops {
        match hop.trim().parse() {
            Ok(address) if app.trusted_proxies.contains(&address) => {}
            Ok(address) => return address,
            Err(_) => return peer,
        }
    }
    peer
}
