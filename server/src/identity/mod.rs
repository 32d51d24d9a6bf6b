//! From a bearer token to verified claims, by keys that follow the issuer's.

mod cache;
mod fault;
mod fetch;
mod issuer;
mod keys;
mod settings;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dezky_core::{Claims, Code, Error, Timestamp};
use futures_util::future::join_all;
use tokio::task::JoinHandle;

use cache::Cache;
use fault::Accepted;
use issuer::Issuer;
use keys::Keys;
pub use settings::{IdentitySettings, KeyTiming, LEEWAY_SECONDS, SettingsError, TrustedIssuer, UnknownRule};

/// Verifies tokens by the keys of the issuers that the operator of the service trusts.
#[derive(Debug)]
pub struct Identity {
    issuers: Vec<Arc<Issuer>>,
    accepted: Accepted,
    cache: Cache,
    is_started: AtomicBool,
}

/// Why a token yields no claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The token is not one that is accepted.
    Token(Error),
    /// The token cannot be judged: an issuer's keys were never fetched, or too long ago.
    NoKeys,
}

impl Identity {
    /// Nothing is fetched before [`Identity::start`].
    pub fn new(settings: IdentitySettings) -> Result<Arc<Identity>, SettingsError> {
        let accepted = Accepted {
            issuers: settings.issuers.iter().map(|issuer| issuer.name.clone()).collect(),
            audiences: settings.audiences.clone(),
        };
        let issuers = settings.resolve()?.into_iter().map(|source| Arc::new(Issuer::new(source)));
        Ok(Arc::new(Identity {
            issuers: issuers.collect(),
            accepted,
            cache: Cache::default(),
            is_started: AtomicBool::new(false),
        }))
    }

    /// Begins to follow the issuers' keys, one task for each; they run until aborted. A second call starts nothing: an issuer
    /// must not be asked twice at a time.
    pub fn start(self: &Arc<Self>) -> Vec<JoinHandle<()>> {
        if self.is_started.swap(true, Ordering::Relaxed) {
            return Vec::new();
        }
        self.issuers.iter().map(|issuer| tokio::spawn(Arc::clone(issuer).follow())).collect()
    }

    /// The claims of a token that is genuine and valid at `now`.
    ///
    /// A token by a key that is not known makes the issuer's keys be fetched anew, unless that was tried a moment ago.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Claims>, Refusal> {
        let digest = cache::digest(token);
        if let Some(claims) = self.cache.find(&digest, now) {
            return Ok(claims);
        }
        let (verified, in_doubt) = self.judge(token, now);
        let verified = match verified {
            Err(_) if !in_doubt.is_empty() => {
                join_all(in_doubt.into_iter().map(Issuer::refreshed)).await;
                self.judge(token, now).0
            }
            verified => verified,
        };
        let (claims, keys) = verified?;
        let claims = Arc::new(claims);
        self.cache.keep(digest, Arc::clone(&claims), keys, now);
        Ok(claims)
    }

    /// Why a token is refused, for people: each claim at fault, and what is accepted. No value of the token is repeated.
    pub fn explain(&self, error: &Error) -> String {
        self.accepted.explain(error)
    }

    /// Fetches each issuer's keys once, and keeps nothing: whether they can be had, or why not.
    pub async fn probe(&self) -> Vec<(String, Result<(), String>)> {
        let probes =
            self.issuers.iter().map(|issuer| async { (issuer.name().to_owned(), issuer.probe().await) });
        join_all(probes).await
    }

    /// Why the service should not be asked yet, if so.
    pub fn readiness(&self) -> Result<(), String> {
        self.issuers.iter().try_for_each(|issuer| issuer.readiness())
    }

    /// For each issuer, the seconds since its keys were last fetched.
    pub fn key_ages(&self) -> Vec<(String, Option<f64>)> {
        self.issuers
            .iter()
            .map(|issuer| (issuer.name().to_owned(), issuer.keys().map(|keys| keys.age().as_secs_f64())))
            .collect()
    }

    /// The verdict by the keys at hand, and the issuers whose newer keys might turn it.
    fn judge(&self, token: &str, now: Timestamp) -> (Judged, Vec<&Issuer>) {
        let mut verdict = Verdict::NotOurs(Error::new(Code::TokenIssuerUnknown, "/claims/iss"));
        let mut in_doubt = Vec::new();
        for issuer in &self.issuers {
            let found = match issuer.keys().filter(|keys| keys.are_trusted()) {
                None => Verdict::NoKeys,
                Some(keys) => match keys.verify(token, now) {
                    Ok(claims) => return (Ok((claims, keys)), Vec::new()),
                    Err(error) => Verdict::of(error),
                },
            };
            if matches!(found, Verdict::NoKeys | Verdict::UnknownKey(_)) {
                in_doubt.push(issuer.as_ref());
            }
            if found.weight() > verdict.weight() {
                verdict = found;
            }
        }
        match verdict {
            Verdict::NoKeys => (Err(Refusal::NoKeys), in_doubt),
            Verdict::NotOurs(error) | Verdict::UnknownKey(error) => (Err(Refusal::Token(error)), in_doubt),
            // Someone's key fitted: nobody else's newer keys would help, and a forger must not cause work.
            Verdict::Refused(error) | Verdict::Recognised(error) => (Err(Refusal::Token(error)), Vec::new()),
        }
    }
}

/// The claims of a token and the keys that vouch for them.
type Judged = Result<(Claims, Arc<Keys>), Refusal>;

/// What one issuer's keys say against a token, by how much it tells.
enum Verdict {
    /// A key fitted, but the token is another issuer's: Authentik's applications share a key and differ in name.
    NotOurs(Error),
    UnknownKey(Error),
    NoKeys,
    Refused(Error),
    /// The issuer signed it and names itself in it, but something else is wrong.
    Recognised(Error),
}

impl Verdict {
    fn of(error: Error) -> Verdict {
        if matches!(error.code, Code::TokenKidUnknown | Code::TokenNoKey) {
            return Verdict::UnknownKey(error);
        }
        if error.all().any(|each| each.code == Code::TokenIssuerUnknown) {
            return Verdict::NotOurs(error);
        }
        let is_about_claims =
            |each: &Error| each.path.starts_with("/claims/") || each.code == Code::TokenNotAccess;
        let is_recognised = error.all().any(is_about_claims);
        match is_recognised {
            true => Verdict::Recognised(error),
            false => Verdict::Refused(error),
        }
    }

    fn weight(&self) -> u8 {
        match self {
            Verdict::NotOurs(_) => 0,
            Verdict::UnknownKey(_) => 1,
            Verdict::NoKeys => 2,
            Verdict::Refused(_) => 3,
            Verdict::Recognised(_) => 4,
        }
    }
}
