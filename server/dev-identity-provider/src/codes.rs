//! The authorization codes that no client has redeemed yet.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const LIFETIME: Duration = Duration::from_secs(60);

/// The capacity; the oldest code is dropped beyond it. Fewer people sign in within one minute.
const CAPACITY: usize = 256;

/// The persona that a code signs in, and the request that must be repeated to redeem the code.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) persona: String,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
}

/// The unredeemed codes, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Codes(VecDeque<(String, Instant, Grant)>);

impl Codes {
    pub(crate) fn put(&mut self, code: String, grant: Grant) {
        if self.0.len() >= CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back((code, Instant::now(), grant));
    }

    /// Removes a code. A code works once, even if the rest of the token request is wrong.
    pub(crate) fn take(&mut self, code: &str) -> Option<Grant> {
        self.0.retain(|(_, created_at, _)| created_at.elapsed() < LIFETIME);
        let index = self.0.iter().position(|(each, ..)| each == code)?;
        self.0.remove(index).map(|(_, _, grant)| grant)
    }
}
