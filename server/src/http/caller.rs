//! Authentication: from the headers of a request to a principal with the rights of its last
//! committed record.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use dezky_core::access::{Person, Principal};
use dezky_core::names::Environment;
use dezky_core::token::Claims;
use dezky_core::{Code, Error, Timestamp};

use super::address::counted;
use super::link::{self, Holder};
use super::problem::Problem;
use crate::app::App;
use crate::identity::Refusal;
use crate::keys::{PREFIX, SecretHash, hash_of};
use crate::live::{KeyEntry, Live, LiveState, UserEntry};
use crate::store::{ActorRights, Require};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The authenticated caller of a request.
#[derive(Clone)]
pub struct Caller {
    /// The person or machine, with its record.
    pub kind: CallerKind,
    /// The caller as authorization sees it.
    pub principal: Principal,
    // The hash of the secret that a machine presented.
    secret: Option<SecretHash>,
}

/// The kind of credential that a caller authenticated with.
#[derive(Clone)]
pub enum CallerKind {
    /// A person with an access token, and with a record after the first sign-in.
    Person {
        /// The verified claims of the token.
        claims: Arc<Claims>,
        /// The record of the person.
        entry: Option<Arc<UserEntry>>,
    },
    /// A person with the sealed token of a link.
    Linked {
        /// The record of the person.
        entry: Arc<UserEntry>,
        /// The expiry of the access token for which the link was issued.
        until: Timestamp,
    },
    /// A machine with its key.
    Key(Arc<KeyEntry>),
}

impl CallerKind {
    fn entry(&self) -> Option<&Arc<UserEntry>> {
        match self {
            CallerKind::Person { entry, .. } => entry.as_ref(),
            CallerKind::Linked { entry, .. } => Some(entry),
            CallerKind::Key(_) => None,
        }
    }

    /// Returns the id of the user record or of the key.
    pub fn id(&self) -> Option<&str> {
        match self {
            CallerKind::Key(entry) => Some(entry.key.id.as_str()),
            _ => self.entry().map(|entry| entry.record.id.as_str()),
        }
    }
}

/// The caller whose rate limit a request counts against.
#[derive(Hash)]
enum RateSubject<'c> {
    Person(&'c str, &'c str),
    Key(&'c str),
}

impl Caller {
    /// Authenticates a request. Rejects missing and invalid credentials, and callers beyond their
    /// rate limit.
    pub async fn authenticate(
        app: &App,
        (headers, link): (&HeaderMap, Option<&str>),
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Caller, Problem> {
        let caller = match link.map_or_else(|| credential(headers), Credential::Link) {
            Credential::Link(query) => link::holder(&app.seal, query, now)
                .and_then(|holder| Caller::linked(app, holder, now))
                .ok_or_else(|| unauthorized("link_invalid")),
            Credential::Key(secret) => {
                by_key(&app.live, secret, now).ok_or_else(|| unauthorized("key_unknown"))
            }
            Credential::Token(token) => match app.identity.verify(token, now).await {
                Ok(claims) => Ok(Caller::person(app, claims)),
                Err(Refusal::Token(error)) => {
                    let detail = app.identity.explain(&error);
                    Err(challenged(Problem::from(error).with_detail(detail), INVALID_TOKEN))
                }
                Err(Refusal::NoKeys) => return Err(keys_unavailable()),
            },
            Credential::None => Err(unauthorized("token_missing")),
        };
        let instant = Instant::now();
        // Only failures count, and only failures are refused for it: an attacker cannot use up
        // the budget of valid callers.
        let caller = caller.map_err(|problem| match app.failures.take(counted(address), instant) {
            Ok(()) => problem,
            Err(wait) => too_many_failures(wait),
        })?;
        let (limiter, whose) = match &caller.kind {
            CallerKind::Person { claims, .. } => {
                (&app.callers, RateSubject::Person(&claims.issuer, &claims.subject))
            }
            CallerKind::Linked { entry, .. } => {
                (&app.callers, RateSubject::Person("", entry.record.id.as_str()))
            }
            CallerKind::Key(entry) if entry.key.tenant_id.is_some() => {
                (&app.callers, RateSubject::Key(entry.key.id.as_str()))
            }
            CallerKind::Key(entry) => (&app.fleets, RateSubject::Key(entry.key.id.as_str())),
        };
        limiter.take(whose, instant).map_err(too_many)?;
        if let CallerKind::Key(entry) = &caller.kind {
            entry.record_use(now, address);
        }
        Ok(caller)
    }

    /// Creates the caller of a verified access token.
    pub fn person(app: &App, claims: Arc<Claims>) -> Caller {
        let entry = app.live.read().user_by_identity(&claims.issuer, &claims.subject).cloned();
        let record = entry.as_ref().map(|entry| entry.record.clone());
        let principal = Principal::Person(Person {
            operator_audience: app.rights.operator_audience.clone(),
            ..Person::new(claims.subject.as_str(), claims.audiences.iter().map(String::as_str), record)
        });
        Caller { kind: CallerKind::Person { claims, entry }, principal, secret: None }
    }

    /// Creates the caller of a link; `None` if its person or key lost access.
    fn linked(app: &App, holder: Holder, now: Timestamp) -> Option<Caller> {
        let state = app.live.read();
        let (id, until) = match holder {
            Holder::Key(id) => {
                return state.key(&id).filter(|entry| entry.key.is_valid(now)).cloned().map(Caller::key);
            }
            Holder::Person { id, until } => (id, until),
        };
        let entry = state.user(&id).filter(|_| now < until).cloned()?;
        let no_audience: [&str; 0] = [];
        let principal = Principal::Person(Person::new("", no_audience, Some(entry.record.clone())));
        Some(Caller { kind: CallerKind::Linked { entry, until }, principal, secret: None })
    }

    /// Returns the holder for which links of this caller are sealed.
    pub fn as_holder(&self) -> Holder {
        let until = match &self.kind {
            CallerKind::Key(entry) => return Holder::Key(entry.key.id.to_string()),
            CallerKind::Person { claims, .. } => claims.expires_at,
            CallerKind::Linked { until, .. } => *until,
        };
        Holder::Person { id: self.id().unwrap_or_default().to_owned(), until }
    }

    /// Creates the caller of a machine key.
    pub fn key(entry: Arc<KeyEntry>) -> Caller {
        let principal = Principal::Key(entry.key.principal());
        Caller { kind: CallerKind::Key(entry), principal, secret: None }
    }

    /// Looks the caller up again; `None` if the key was revoked, or if key, secret or token
    /// expired.
    pub fn refreshed(&self, app: &App, now: Timestamp) -> Option<Caller> {
        match &self.kind {
            CallerKind::Key(entry) => {
                let entry = app.live.read().key(entry.key.id.as_str()).cloned()?;
                let is_good = match &self.secret {
                    Some(secret) => entry.key.accepts(secret, now),
                    None => entry.key.is_valid(now),
                };
                is_good.then(|| Caller { secret: self.secret, ..Caller::key(entry) })
            }
            CallerKind::Person { claims, .. } => {
                (now < claims.expires_at).then(|| Caller::person(app, Arc::clone(claims)))
            }
            CallerKind::Linked { .. } => Caller::linked(app, self.as_holder(), now),
        }
    }

    /// Returns the 401 problem for a credential that is no longer valid.
    pub fn credential_expired(&self) -> Problem {
        match &self.kind {
            CallerKind::Key(_) => unauthorized("key_unknown"),
            CallerKind::Linked { .. } => unauthorized("link_invalid"),
            CallerKind::Person { .. } => {
                challenged(Error::new(Code::TokenExpired, "/claims/exp").into(), INVALID_TOKEN)
            }
        }
    }

    /// Returns the rights that a write of this caller requires at commit; `None` without a
    /// record.
    pub fn rights(&self) -> Option<Require> {
        let (id, rights) = match &self.kind {
            CallerKind::Key(entry) => (entry.key.id.clone(), ActorRights::Key),
            _ => {
                let record = self.entry()?.record.clone();
                (record.id.clone(), record.into())
            }
        };
        Some(Require::Actor(id, rights))
    }

    /// Returns the claims of the access token; an error for callers without one.
    pub fn claims(&self) -> Result<&Arc<Claims>, Problem> {
        match &self.kind {
            CallerKind::Person { claims, .. } => Ok(claims),
            CallerKind::Key(_) | CallerKind::Linked { .. } => {
                Err(Problem::denied(dezky_core::access::AccessReason::DeniedKeyScope))
            }
        }
    }

    fn entry(&self) -> Option<&Arc<UserEntry>> {
        self.kind.entry()
    }

    /// Returns the id of the user record or of the key.
    pub fn id(&self) -> Option<&str> {
        self.kind.id()
    }

    /// Reports whether the caller is an active platform admin, whatever the audience of the
    /// token.
    pub fn is_platform_admin(&self) -> bool {
        self.entry().is_some_and(|entry| entry.record.active && entry.record.platform_admin)
    }

    /// Reports whether the caller may evaluate for every tenant.
    pub fn covers_every_tenant(&self) -> bool {
        match &self.kind {
            CallerKind::Key(entry) => entry.key.tenant_id.is_none(),
            CallerKind::Person { .. } | CallerKind::Linked { .. } => self.is_platform_admin(),
        }
    }

    /// Returns the environment in which the caller evaluates.
    pub fn environment<'a>(&'a self, state: &'a LiveState) -> &'a Environment {
        match &self.kind {
            CallerKind::Key(entry) => &entry.key.environment,
            CallerKind::Person { .. } | CallerKind::Linked { .. } => state.environment(),
        }
    }

    /// Returns the name that scopes the idempotency keys of this caller.
    pub fn holder(&self) -> String {
        match &self.kind {
            CallerKind::Person { claims, entry: None } => format!("{}\n{}", claims.issuer, claims.subject),
            _ => self.id().unwrap_or_default().to_owned(),
        }
    }

    /// Returns the tenants that the caller may see; `None` for platform admins, who see all.
    pub fn visible_tenants(&self) -> Option<Vec<dezky_core::names::Id>> {
        if self.is_platform_admin() {
            return None;
        }
        Some(self.entry().map(|entry| entry.record.tenant_ids.clone()).unwrap_or_default())
    }
}

enum Credential<'h> {
    Key(&'h str),
    Token(&'h str),
    /// The query string of a link.
    Link(&'h str),
    None,
}

/// Reads the credential: a machine key under either header, or an access token.
fn credential(headers: &HeaderMap) -> Credential<'_> {
    match bearer(headers) {
        Some(key) if key.starts_with(PREFIX) => Credential::Key(key),
        Some(token) => Credential::Token(token),
        None => match headers.get(&API_KEY).and_then(|value| value.to_str().ok()) {
            Some(key) => Credential::Key(key),
            None => Credential::None,
        },
    }
}

/// Finds a key by its secret. An expired key is treated like an unknown one.
fn by_key(live: &Live, secret: &str, now: Timestamp) -> Option<Caller> {
    let hash = hash_of(secret);
    let entry = live.read().key_by_secret(&hash).filter(|entry| entry.key.accepts(&hash, now)).cloned()?;
    Some(Caller { secret: Some(hash), ..Caller::key(entry) })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(AUTHORIZATION).into_iter();
    let line = lines.next().filter(|_| lines.next().is_none())?.to_str().ok()?;
    let (scheme, token) = line.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

const INVALID_TOKEN: &str = "Bearer realm=\"dezky\", error=\"invalid_token\"";

/// Returns 401 for a missing credential, a machine key or a link. Token errors have their own
/// details.
pub fn unauthorized(code: &'static str) -> Problem {
    let (challenge, detail) = match code {
        "token_missing" => (
            "Bearer realm=\"dezky\"",
            "The request needs an access token or a machine key: Authorization: Bearer …",
        ),
        "link_invalid" => (INVALID_TOKEN, "The link is unknown or expired"),
        _ => (INVALID_TOKEN, "The machine key is unknown, revoked or expired"),
    };
    challenged(Problem::new(StatusCode::UNAUTHORIZED, code, detail), challenge)
}

fn challenged(problem: Problem, challenge: &'static str) -> Problem {
    problem
        .with_status(StatusCode::UNAUTHORIZED)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

fn keys_unavailable() -> Problem {
    let detail = "The keys of the identity provider are not available yet, so no token can be verified";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "keys_unavailable", detail)
        .with_header(RETRY_AFTER, HeaderValue::from_static("2"))
}

/// Returns 429 with `Retry-After`.
pub fn too_many(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        "Too many requests: retry after the time in Retry-After",
    )
    .with_header(RETRY_AFTER, HeaderValue::from(seconds))
}

/// Returns 429 for an invalid credential from an address with too many failures.
fn too_many_failures(wait: Duration) -> Problem {
    let detail = "Too many requests from this address had no valid credential: retry later";
    too_many(wait).with_detail(detail)
}
