//! Failed requests: the client error and how long to wait before the next attempt.

use std::error::Error as _;
use std::time::Duration;

use super::{ClientCode, ClientError};

/// A request that failed.
pub(super) struct RequestFailure {
    pub(super) error: ClientError,
    /// The wait that the server asks for in `Retry-After`.
    pub(super) retry_after: Option<Duration>,
}

impl RequestFailure {
    pub(super) fn new(code: ClientCode, message: impl Into<String>) -> RequestFailure {
        ClientError::new(code, message).into()
    }

    /// The failure of a request whose response is incomplete when its time is up.
    pub(super) fn timed_out() -> RequestFailure {
        RequestFailure::new(ClientCode::Unreachable, "the server cannot be reached: the request timed out")
    }

    /// Returns whether the server refuses the key.
    pub(super) fn is_refusal(&self) -> bool {
        self.error.code == ClientCode::KeyRefused
    }
}

impl From<ClientError> for RequestFailure {
    fn from(error: ClientError) -> RequestFailure {
        RequestFailure { error, retry_after: None }
    }
}

impl From<reqwest::Error> for RequestFailure {
    fn from(error: reqwest::Error) -> RequestFailure {
        // The outermost error only reports that sending failed; its sources have the reason. None
        // of them contains a header, so the key cannot leak.
        let mut message = format!("the server cannot be reached: {error}");
        let mut source = error.source();
        while let Some(error) = source {
            message = format!("{message}: {error}");
            source = error.source();
        }
        RequestFailure::new(ClientCode::Unreachable, message)
    }
}
