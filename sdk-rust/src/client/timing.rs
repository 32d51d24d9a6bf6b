//! How often, how long: what is the same for everybody.

use std::time::Duration;

/// How often and how long: what a test shortens and nobody else should touch.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Timing {
    /// Between two conditional requests, a fifth more or less.
    pub check_in: Duration,
    /// The least wait before trying again.
    pub min_backoff: Duration,
    /// For a request, from its key to the last byte of its answer.
    pub request_timeout: Duration,
    /// How long a stream may be silent.
    pub silence: Duration,
    /// How long a stream must have been open for the next wait to be short again.
    pub settled: Duration,
    /// From the start of a fetch to that of the next which events ask for.
    pub burst: Duration,
    /// How long the server is waited for with a subject whose last known version is at hand.
    pub subject_patience: Duration,
    /// For the last request of a client that is closed.
    pub sign_off: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            check_in: Duration::from_secs(30),
            min_backoff: Duration::from_millis(250),
            request_timeout: Duration::from_secs(10),
            silence: Duration::from_secs(40),
            settled: Duration::from_secs(10),
            burst: Duration::from_millis(50),
            subject_patience: Duration::from_secs(1),
            sign_off: Duration::from_secs(1),
        }
    }
}
