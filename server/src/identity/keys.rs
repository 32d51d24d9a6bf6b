//! An issuer's key set: its age, and whether it is still trusted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use dezky_core::token::{Claims, KeySet, TokenPolicy, TokenVerifier};
use dezky_core::{Error, Timestamp};
use tokio::time::Instant;

/// One fetched key set. Only its age changes; new keys replace the whole set.
#[derive(Debug)]
pub(super) struct Keys {
    verifier: TokenVerifier,
    /// The published bytes, to detect a change.
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

    /// Records another fetch that returned the same bytes.
    pub(super) fn renew(&self) {
        let micros = u64::try_from(self.first_fetched.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_fetched.store(micros, Ordering::Release);
    }

    /// Marks the keys as replaced: tokens that they verified are verified again.
    pub(super) fn withdraw(&self) {
        self.is_withdrawn.store(true, Ordering::Release);
    }

    /// The time since the last successful fetch.
    pub(super) fn age(&self) -> Duration {
        let last = Duration::from_micros(self.last_fetched.load(Ordering::Acquire));
        self.first_fetched.elapsed().saturating_sub(last)
    }

    pub(super) fn are_trusted(&self) -> bool {
        !self.is_withdrawn.load(Ordering::Acquire) && self.age() < self.hard_cap
    }
}
