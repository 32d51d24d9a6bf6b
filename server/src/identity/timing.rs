//! The intervals at which an issuer's keys are fetched, and the time for which they are trusted.

use std::time::Duration;

/// The intervals of the fetches of an issuer's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyTiming {
    /// The age at which keys are fetched again.
    pub max_age: Duration,
    /// The least time between the starts of two attempts, even after a failure.
    pub cooldown: Duration,
    /// The timeout of one attempt.
    pub timeout: Duration,
    /// The age at which keys are no longer trusted, counted from the last success.
    pub hard_cap: Duration,
}

impl Default for KeyTiming {
    fn default() -> KeyTiming {
        KeyTiming {
            max_age: Duration::from_secs(10 * 60),
            cooldown: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            hard_cap: Duration::from_secs(24 * 3600),
        }
    }
}
