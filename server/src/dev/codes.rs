//! The codes that are on their way from the page to the token endpoint.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const LIFETIME: Duration = Duration::from_secs(60);

/// Past this many, the oldest goes: nobody signs in so often within a minute.
const CAPACITY: usize = 256;

/// What a code stands for, and what must be shown to redeem it.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) persona: String,
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
}

/// The oldest first.
#[derive(Debug, Default)]
pub(super) struct Codes(VecDeque<(String, Instant, Grant)>);

impl Codes {
    pub(super) fn put(&mut self, code: String, grant: Grant) {
        if self.0.len() >= CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back((code, Instant::now(), grant));
    }

    /// A code is gone once it was shown, whether or not the rest was right.
    pub(super) fn take(&mut self, code: &str) -> Option<Grant> {
        self.0.retain(|(_, made, _)| made.elapsed() < LIFETIME);
        let index = self.0.iter().position(|(known, ..)| known == code)?;
        self.0.remove(index).map(|(_, _, grant)| grant)
    }
}
