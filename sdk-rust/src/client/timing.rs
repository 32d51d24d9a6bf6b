//! Intervals and timeouts that only tests change.

use std::time::Duration;

/// Intervals and timeouts of a client. Tests shorten them; services keep the defaults.
#[derive(Debug, Clone)]
pub struct Timing {
    /// The interval between two conditional requests, with jitter.
    pub poll_interval: Duration,
    /// The first backoff after a failure.
    pub min_backoff: Duration,
    /// The timeout of a request, from asking for its key to the last byte of its response.
    pub request_timeout: Duration,
    /// The longest silence on a stream before it is closed.
    pub silence: Duration,
    /// The time after which an open stream resets the backoff.
    pub settled: Duration,
    /// The shortest time between the starts of two fetches that events ask for.
    pub spacing: Duration,
    /// How long a caller waits for the server when a subject is cached.
    pub subject_patience: Duration,
    /// The timeout of the last request of a closing client.
    pub sign_off: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            poll_interval: Duration::from_secs(30),
            min_backoff: Duration::from_millis(250),
            request_timeout: Duration::from_secs(10),
            silence: Duration::from_secs(40),
            settled: Duration::from_secs(10),
            spacing: Duration::from_millis(50),
            subject_patience: Duration::from_secs(1),
            sign_off: Duration::from_secs(1),
        }
    }
}
