//! Who is calling: from the request's headers to a principal whose rights are those of the record as last committed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use dezky_core::{Claims, Code, Environment, Error, Person, Principal, Timestamp};

use super::address::counted;
use super::link::{self, Holder};
use super::problem::Problem;
use crate::app::App;
use crate::identity::Refusal;
use crate::keys::{PREFIX, SecretHash, hash_of};
use crate::live::{KeyEntry, Live, LiveState, UserEntry};
use crate::store::{ActorRights, Require};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Who is calling.
#[derive(Clone)]
pub struct Caller {
    /// What is known of them.
    pub who: Who,
    /// The same, as decisions need it.
    pub principal: Principal,
    // The hash of the secret that a machine has shown.
    secret: Option<SecretHash>,
}

/// A person or a machine.
#[derive(Clone)]
pub enum Who {
    /// A person, by what their token says and by their record, if there is one.
    Person {
        /// What the token says.
        claims: Arc<Claims>,
        /// Their record.
        known: Option<Arc<UserEntry>>,
    },
    /// A person, by a link that they were given.
    Linked {
        /// Their record.
        known: Arc<UserEntry>,
        /// Until when the token was good with which they were given it.
        until: Timestamp,
    },
    /// A machine, by its key.
    Key(Arc<KeyEntry>),
}

impl Who {
    fn known(&self) -> Option<&Arc<UserEntry>> {
        match self {
            Who::Person { known, .. } => known.as_ref(),
            Who::Linked { known, .. } => Some(known),
            Who::Key(_) => None,
        }
    }

    /// The id of their record, or of their key.
    pub fn id(&self) -> Option<&str> {
        match self {
            Who::Key(known) => Some(known.key.id.as_str()),
            _ => self.known().map(|known| known.record.id.as_str()),
        }
    }
}

/// Whose rate a request counts for.
#[derive(Hash)]
enum Counted<'c> {
    Person(&'c str, &'c str),
    Key(&'c str),
}

impl Caller {
    /// Whom a request comes from; a refusal where it does not say, or lies, or asks too often.
    pub async fn of(
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
                Err(Refusal::NoKeys) => return Err(no_keys()),
            },
            Credential::None => Err(unauthorized("token_missing")),
        };
        let instant = Instant::now();
        // Only failures count, and only failures are refused for it: nobody can use up another caller's budget.
        let caller = caller.map_err(|problem| match app.failures.take(counted(address), instant) {
            Ok(()) => problem,
            Err(wait) => too_many_failures(wait),
        })?;
        let (limiter, whose) = match &caller.who {
            Who::Person { claims, .. } => (&app.callers, Counted::Person(&claims.issuer, &claims.subject)),
            Who::Linked { known, .. } => (&app.callers, Counted::Person("", known.record.id.as_str())),
            Who::Key(known) if known.key.tenant_id.is_some() => {
                (&app.callers, Counted::Key(known.key.id.as_str()))
            }
            Who::Key(known) => (&app.fleets, Counted::Key(known.key.id.as_str())),
        };
        limiter.take(whose, instant).map_err(too_many)?;
        if let Who::Key(known) = &caller.who {
            known.record_use(now, address);
        }
        Ok(caller)
    }

    /// A person, by what their token says.
    pub fn person(app: &App, claims: Arc<Claims>) -> Caller {
        let known = app.live.read().user_by_identity(&claims.issuer, &claims.subject).cloned();
        let record = known.as_ref().map(|known| known.record.clone());
        let principal = Principal::Person(Person {
            operator_audience: app.rights.operator_audience.clone(),
            ..Person::new(claims.subject.as_str(), claims.audiences.iter().map(String::as_str), record)
        });
        Caller { who: Who::Person { claims, known }, principal, secret: None }
    }

    /// Whoever was given a link; nothing, where that is not good any more.
    fn linked(app: &App, holder: Holder, now: Timestamp) -> Option<Caller> {
        let state = app.live.read();
        let (id, until) = match holder {
            Holder::Key(id) => {
                return state.key(&id).filter(|known| known.key.is_valid(now)).cloned().map(Caller::key);
            }
            Holder::Person { id, until } => (id, until),
        };
        let known = state.user(&id).filter(|_| now < until).cloned()?;
        let no_audience: [&str; 0] = [];
        let principal = Principal::Person(Person::new("", no_audience, Some(known.record.clone())));
        Some(Caller { who: Who::Linked { known, until }, principal, secret: None })
    }

    /// As links name them.
    pub fn as_holder(&self) -> Holder {
        let until = match &self.who {
            Who::Key(known) => return Holder::Key(known.key.id.to_string()),
            Who::Person { claims, .. } => claims.expires_at,
            Who::Linked { until, .. } => *until,
        };
        Holder::Person { id: self.id().unwrap_or_default().to_owned(), until }
    }

    /// A machine, by its key.
    pub fn key(known: Arc<KeyEntry>) -> Caller {
        let principal = Principal::Key(known.key.principal());
        Caller { who: Who::Key(known), principal, secret: None }
    }

    /// The same caller as things are now; nothing, where their key is revoked, or their key, its secret or their token has expired.
    pub fn anew(&self, app: &App, now: Timestamp) -> Option<Caller> {
        match &self.who {
            Who::Key(known) => {
                let known = app.live.read().key(known.key.id.as_str()).cloned()?;
                let is_good = match &self.secret {
                    Some(secret) => known.key.accepts(secret, now),
                    None => known.key.is_valid(now),
                };
                is_good.then(|| Caller { secret: self.secret, ..Caller::key(known) })
            }
            Who::Person { claims, .. } => {
                (now < claims.expires_at).then(|| Caller::person(app, Arc::clone(claims)))
            }
            Who::Linked { .. } => Caller::linked(app, self.as_holder(), now),
        }
    }

    /// The refusal of a caller whose credential is not good any more.
    pub fn lapsed(&self) -> Problem {
        match &self.who {
            Who::Key(_) => unauthorized("key_unknown"),
            Who::Linked { .. } => unauthorized("link_invalid"),
            Who::Person { .. } => {
                challenged(Error::new(Code::TokenExpired, "/claims/exp").into(), INVALID_TOKEN)
            }
        }
    }

    /// The rights with which this caller's writes are decided; nothing, where there is no record yet.
    pub fn rights(&self) -> Option<Require> {
        let (id, rights) = match &self.who {
            Who::Key(known) => (known.key.id.clone(), ActorRights::Key),
            _ => {
                let record = self.known()?.record.clone();
                (record.id.clone(), record.into())
            }
        };
        Some(Require::Actor(id, rights))
    }

    /// What their token says; only people have one.
    pub fn claims(&self) -> Result<&Arc<Claims>, Problem> {
        match &self.who {
            Who::Person { claims, .. } => Ok(claims),
            Who::Key(_) | Who::Linked { .. } => {
                Err(Problem::denied(dezky_core::AccessReason::DeniedKeyScope))
            }
        }
    }

    fn known(&self) -> Option<&Arc<UserEntry>> {
        self.who.known()
    }

    /// The id of their record, or of their key.
    pub fn id(&self) -> Option<&str> {
        self.who.id()
    }

    /// Whether they run the platform, whatever their token is for.
    pub fn is_platform_admin(&self) -> bool {
        self.known().is_some_and(|known| known.record.active && known.record.platform_admin)
    }

    /// Whether there is no tenant that they may not evaluate for.
    pub fn covers_every_tenant(&self) -> bool {
        match &self.who {
            Who::Key(known) => known.key.tenant_id.is_none(),
            Who::Person { .. } | Who::Linked { .. } => self.is_platform_admin(),
        }
    }

    /// The environment that they ask in.
    pub fn environment<'a>(&'a self, state: &'a LiveState) -> &'a Environment {
        match &self.who {
            Who::Key(known) => &known.key.environment,
            Who::Person { .. } | Who::Linked { .. } => state.environment(),
        }
    }

    /// Whose idempotency keys theirs are.
    pub fn holder(&self) -> String {
        match &self.who {
            Who::Person { claims, known: None } => format!("{}\n{}", claims.issuer, claims.subject),
            _ => self.id().unwrap_or_default().to_owned(),
        }
    }

    /// Only what they are a member of; everything, for platform admins.
    pub fn visible_tenants(&self) -> Option<Vec<dezky_core::Id>> {
        if self.is_platform_admin() {
            return None;
        }
        Some(self.known().map(|known| known.record.tenant_ids.clone()).unwrap_or_default())
    }
}

enum Credential<'h> {
    Key(&'h str),
    Token(&'h str),
    /// The query of a link.
    Link(&'h str),
    None,
}

/// What a request proves itself with: a machine key under either header, or a person's token.
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

/// A key by its secret. One that has expired is as unknown as one that never was.
fn by_key(live: &Live, secret: &str, now: Timestamp) -> Option<Caller> {
    let hash = hash_of(secret);
    let known = live.read().key_by_secret(&hash).filter(|known| known.key.accepts(&hash, now)).cloned()?;
    Some(Caller { secret: Some(hash), ..Caller::key(known) })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(AUTHORIZATION).into_iter();
    let line = lines.next().filter(|_| lines.next().is_none())?.to_str().ok()?;
    let (scheme, token) = line.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

const INVALID_TOKEN: &str = "Bearer realm=\"dezky\", error=\"invalid_token\"";

/// 401 for a missing credential, a machine key or a link. What is wrong with a token is said by the token's own errors.
pub fn unauthorized(code: &'static str) -> Problem {
    let (challenge, detail) = match code {
        "token_missing" => {
            ("Bearer realm=\"dezky\"", "This needs an access token or a machine key: Authorization: Bearer …")
        }
        "link_invalid" => (INVALID_TOKEN, "This link was not made here, or it has expired"),
        _ => (INVALID_TOKEN, "There is no such machine key, or it was revoked or has expired"),
    };
    challenged(Problem::new(StatusCode::UNAUTHORIZED, code, detail), challenge)
}

fn challenged(problem: Problem, challenge: &'static str) -> Problem {
    problem
        .with_status(StatusCode::UNAUTHORIZED)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

fn no_keys() -> Problem {
    let detail = "The identity provider's keys are not known yet, so no token can be verified";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "keys_unavailable", detail)
        .with_header(RETRY_AFTER, HeaderValue::from_static("2"))
}

/// 429, with how long to wait.
pub fn too_many(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests: wait a little")
        .with_header(RETRY_AFTER, HeaderValue::from(seconds))
}

/// 429, for a credential that is not valid, from an address that sent many of those.
fn too_many_failures(wait: Duration) -> Problem {
    let detail = "Too many requests from this address had no valid credential: wait a little";
    too_many(wait).with_detail(detail)
}
