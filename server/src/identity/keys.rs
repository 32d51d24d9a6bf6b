//! An issuer's keys from the moment they were fetched to the moment they are withdrawn.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use dezky_core::token::{Claims, KeySet, TokenPolicy, TokenVerifier};
use dezky_core::{Error, Timestamp};
use tokio::time::Instant;

/// One key set. Never changed but for its age, and replaced whole.
#[derive(Debug)]
pub(super) struct Keys {
    verifier: TokenVerifier,
    /// As the issuer published it, to see whether it has changed.
    text: Vec<u8>,
    hard_cap: Duration,
    first_fetched: Instant,
    /// Microseconds from the first fetch to the last.
    last_fetched: AtomicU64,
    is_withdrawn: AtomicBool,
}

impl Keys {
    pub(super) fn read(text: Vec<u8>, policy: &TokenPolicy, hard_cap: Duration) -> Result<Keys, Error> {
        let verifier = TokenVerifier::new(policy.clone(), KeySet::from_json(&text)?);
        Ok(Keys {
            verifier,
            text,
            hard_cap,
            first_fetched: Instant::now(),
            last_fetched: AtomicU64::new(0),
            is_withdrawn: AtomicBool::new(false),
        })
    }

    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Error> {
        self.verifier.verify(token, now)
    }

    pub(super) fn is_same(&self, text: &[u8]) -> bool {
        self.text == text
    }

    /// Fetched once more, and the same.
    pub(super) fn renew(&self) {
        let micros = u64::try_from(self.first_fetched.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_fetched.store(micros, Ordering::Release);
    }

    /// Other keys have taken their place: from here on, nothing counts that was verified by these.
    pub(super) fn withdraw(&self) {
        self.is_withdrawn.store(true, Ordering::Release);
    }

    /// The time since the last success.
    pub(super) fn age(&self) -> Duration {
        let last = Duration::from_micros(self.last_fetched.load(Ordering::Acquire));
        self.first_fetched.elapsed().saturating_sub(last)
    }

    pub(super) fn are_trusted(&self) -> bool {
        !self.is_withdrawn.load(Ordering::Acquire) && self.age() < self.hard_cap
    }
}
