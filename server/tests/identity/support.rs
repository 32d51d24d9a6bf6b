//! Helpers: settings with short times, the current time, and polling with a deadline.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dezky_core::token::Claims;
use dezky_core::{Code, Timestamp};
use dezky_server::identity::{Identity, IdentitySettings, KeyTiming, Refusal, TrustedIssuer};

use crate::issuer::Issuer;

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Returns times so long that no fetch becomes due during a test.
pub fn timing() -> KeyTiming {
    KeyTiming {
        max_age: Duration::from_secs(60),
        cooldown: millis(150),
        timeout: millis(600),
        hard_cap: Duration::from_secs(3600),
    }
}

pub fn settings(issuers: &[&Issuer], timing: KeyTiming) -> IdentitySettings {
    IdentitySettings {
        issuers: issuers.iter().map(|issuer| TrustedIssuer::new(&issuer.name)).collect(),
        audiences: vec!["dezky-portal".to_owned(), "dezky-operator".to_owned()],
        timing,
        ..IdentitySettings::default()
    }
}

/// Starts an identity without waiting for keys.
pub fn started(issuers: &[&Issuer], timing: KeyTiming) -> Arc<Identity> {
    let identity = Identity::new(settings(issuers, timing)).unwrap();
    assert_eq!(identity.start().len(), issuers.len());
    identity
}

/// Starts an identity and waits until it has keys.
pub async fn ready(issuers: &[&Issuer], timing: KeyTiming) -> Arc<Identity> {
    let identity = started(issuers, timing);
    eventually("ready", || identity.readiness().is_ok()).await;
    identity
}

/// Polls until the condition holds, for at most 10 s.
pub async fn eventually(expectation: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(10), "not within 10 s: {expectation}");
        tokio::time::sleep(millis(5)).await;
    }
}

pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

pub fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub fn now() -> Timestamp {
    Timestamp::from_seconds(seconds() as i64).unwrap()
}

pub async fn verify(identity: &Identity, token: &str) -> Result<Arc<Claims>, Refusal> {
    identity.verify(token, now()).await
}

/// Returns the error code of a refused token.
pub fn code(outcome: Result<Arc<Claims>, Refusal>) -> Code {
    match outcome {
        Err(Refusal::Token(error)) => error.code,
        other => panic!("not a refused token: {other:?}"),
    }
}
