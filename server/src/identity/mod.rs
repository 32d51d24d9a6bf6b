//! Verifies bearer tokens with the keys of the trusted issuers.

mod address;
mod cache;
mod fault;
mod fetch;
mod issuer;
mod keys;
mod settings;
mod timing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dezky_core::token::Claims;
use dezky_core::{Code, Error, Timestamp};
use futures_util::future::join_all;
use tokio::task::JoinHandle;

use cache::Cache;
use fault::AcceptedNames;
use issuer::Issuer;
use keys::Keys;
pub use settings::{IdentitySettings, IdentitySettingsError, LEEWAY_SECONDS, TrustedIssuer, UnknownRule};
pub use timing::KeyTiming;

/// Verifies access tokens with the keys of the trusted issuers, and caches the results.
#[derive(Debug)]
pub struct Identity {
    issuers: Vec<Arc<Issuer>>,
    accepted: AcceptedNames,
    cache: Cache,
    is_started: AtomicBool,
}

/// The reason why a token yields no claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The token is not valid here.
    Token(Error),
    /// The issuer's keys were never fetched, or are too old to be trusted.
    NoKeys,
}

impl Identity {
    /// Validates the settings. [`Identity::start`] begins to fetch keys.
    pub fn new(settings: IdentitySettings) -> Result<Arc<Identity>, IdentitySettingsError> {
        let accepted = AcceptedNames {
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

    /// Starts one background task for each issuer, which refreshes its keys until aborted. A second
    /// call starts nothing, so that an issuer never receives parallel requests.
    pub fn start(self: &Arc<Self>) -> Vec<JoinHandle<()>> {
        if self.is_started.swap(true, Ordering::Relaxed) {
            return Vec::new();
        }
        self.issuers.iter().map(|issuer| tokio::spawn(Arc::clone(issuer).follow())).collect()
    }

    /// Returns the claims of a token that is genuine and valid at `now`.
    ///
    /// If the token's key is unknown, fetches the issuer's keys again, at most once per cooldown.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Claims>, Refusal> {
        let digest = cache::digest(token);
        if let Some(claims) = self.cache.find(&digest, now) {
            return Ok(claims);
        }
        let (verified, in_doubt) = self.judge(token, now);
        let verified = match verified {
            Err(_) if !in_doubt.is_empty() => {
                join_all(in_doubt.into_iter().map(Issuer::refresh)).await;
                self.judge(token, now).0
            }
            verified => verified,
        };
        let (claims, keys) = verified?;
        let claims = Arc::new(claims);
        self.cache.keep(digest, Arc::clone(&claims), keys, now);
        Ok(claims)
    }

    /// Describes why a token is rejected, without repeating values of the token.
    pub fn explain(&self, error: &Error) -> String {
        self.accepted.explain(error)
    }

    /// Fetches each issuer's keys once without storing them, and returns the outcome for each
    /// issuer.
    pub async fn probe(&self) -> Vec<(String, Result<(), String>)> {
        let probes =
            self.issuers.iter().map(|issuer| async { (issuer.name().to_owned(), issuer.probe().await) });
        join_all(probes).await
    }

    /// Fails while the keys of any issuer are missing or too old.
    pub fn readiness(&self) -> Result<(), String> {
        self.issuers.iter().try_for_each(|issuer| issuer.readiness())
    }

    /// The seconds since the last successful fetch, for each issuer.
    pub fn key_ages(&self) -> Vec<(String, Option<f64>)> {
        self.issuers
            .iter()
            .map(|issuer| (issuer.name().to_owned(), issuer.keys().map(|keys| keys.age().as_secs_f64())))
            .collect()
    }

    /// Verifies a token with the current keys. Also returns the issuers whose newer keys could
    /// change the result.
    fn judge(&self, token: &str, now: Timestamp) -> (Judged, Vec<&Issuer>) {
        let mut verdict = Verdict::NotOurs(Error::new(Code::TokenIssuerUnknown, "/claims/iss"));
        let mut in_doubt = Vec::new();
        for issuer in &self.issuers {
            let found = match issuer.keys().filter(|keys| keys.are_trusted()) {
                None => Verdict::NoKeys,
                Some(keys) => match keys.verify(token, now) {
                    Ok(claims) => return (Ok((claims, keys)), Vec::new()),
                    Err(error) => Verdict::from_error(error),
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
            // A key matched, so newer keys cannot help, and a forged token must not trigger
            // fetches.
            Verdict::Refused(error) | Verdict::Recognized(error) => (Err(Refusal::Token(error)), Vec::new()),
        }
    }
}

/// The claims of a token and the keys that verified it.
type Judged = Result<(Claims, Arc<Keys>), Refusal>;

/// The error of a token with one issuer's keys, from the least to the most informative.
enum Verdict {
    /// A key matched, but the token names another issuer. Authentik's applications share one key.
    NotOurs(Error),
    UnknownKey(Error),
    NoKeys,
    Refused(Error),
    /// The issuer signed the token and names itself in it, but another claim is wrong.
    Recognized(Error),
}

impl Verdict {
    fn from_error(error: Error) -> Verdict {
        if matches!(error.code, Code::TokenKidUnknown | Code::TokenNoKey) {
            return Verdict::UnknownKey(error);
        }
        if error.all().any(|each| each.code == Code::TokenIssuerUnknown) {
            return Verdict::NotOurs(error);
        }
        let is_about_claims =
            |each: &Error| each.path.starts_with("/claims/") || each.code == Code::TokenNotAccess;
        let is_recognized = error.all().any(is_about_claims);
        match is_recognized {
            true => Verdict::Recognized(error),
            false => Verdict::Refused(error),
        }
    }

    fn weight(&self) -> u8 {
        match self {
            Verdict::NotOurs(_) => 0,
            Verdict::UnknownKey(_) => 1,
            Verdict::NoKeys => 2,
            Verdict::Refused(_) => 3,
            Verdict::Recognized(_) => 4,
        }
    }
}
