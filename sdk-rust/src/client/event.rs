//! The events that a client emits, and its status.

use std::time::Duration;

use super::ClientError;
use dezky_core::names::FlagKey;

/// An event of a client, as handlers receive it.
///
/// ```
/// use dezky::ClientEvent;
///
/// let event = ClientEvent::Ready { revision: 481 };
/// assert_eq!(event.name(), "ready");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The client has rules for the first time, or the server confirms them again after they were
    /// stale or the key was refused.
    Ready {
        /// The revision of the rules.
        revision: u64,
    },
    /// Other rules are in use now.
    Change {
        /// The revision of the new rules.
        revision: u64,
        /// The flags that were changed, added or removed, sorted.
        keys: Vec<FlagKey>,
    },
    /// The server has not confirmed the rules for a while.
    Stale {
        /// The time since the last confirmation.
        age: Duration,
    },
    /// The client has a problem. The event is emitted when the code changes, not for each attempt.
    Error {
        /// The problem that occurred.
        error: ClientError,
        /// Always `false`: a client retries until it is closed.
        fatal: bool,
    },
}

impl ClientEvent {
    /// Returns `ready`, `change`, `stale` or `error`.
    pub const fn name(&self) -> &'static str {
        match self {
            ClientEvent::Ready { .. } => "ready",
            ClientEvent::Change { .. } => "change",
            ClientEvent::Stale { .. } => "stale",
            ClientEvent::Error { .. } => "error",
        }
    }
}

/// The status of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientStatus {
    /// The client has no rules yet.
    Connecting,
    /// The client has rules, and they are not stale.
    Ready,
    /// The server has not confirmed the rules for a while.
    Stale,
    /// The server refuses the key. The last rules stay in use, and the client keeps retrying.
    Refused,
    /// The client is closed. The last rules stay readable.
    Closed,
}

impl ClientStatus {
    /// Returns `connecting`, `ready`, `stale`, `refused` or `closed`.
    ///
    /// ```
    /// assert_eq!(dezky::ClientStatus::Ready.as_str(), "ready");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            ClientStatus::Connecting => "connecting",
            ClientStatus::Ready => "ready",
            ClientStatus::Stale => "stale",
            ClientStatus::Refused => "refused",
            ClientStatus::Closed => "closed",
        }
    }
}

/// The identifier of a handler, for [`Client::off`](super::Client::off).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HandlerId(pub(super) u64);
