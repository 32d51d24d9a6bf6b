//! What a client tells its handlers, and the state that it is in.

use std::time::Duration;

use super::ClientError;
use dezky_core::names::FlagKey;

/// Something that happened to a client.
///
/// ```
/// use dezky::ClientEvent;
/// let event = ClientEvent::Ready { revision: 481 };
/// assert_eq!(event.name(), "ready");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// There are rules for the first time, or the server confirms them again after they were stale or the key was refused.
    Ready {
        /// That of the rules.
        revision: u64,
    },
    /// Other rules are in use now.
    Change {
        /// That of the rules.
        revision: u64,
        /// The flags whose rule changed, was added or removed, sorted.
        keys: Vec<FlagKey>,
    },
    /// The server has not confirmed the rules for a while.
    Stale {
        /// For how long.
        age: Duration,
    },
    /// Something hinders the client: told when the kind of the problem changes, not for each attempt.
    Error {
        /// What it is.
        error: ClientError,
        /// Always `false`: a client goes on asking until it is closed.
        fatal: bool,
    },
}

impl ClientEvent {
    /// `ready`, `change`, `stale` or `error`.
    ///
    /// ```
    /// # use dezky::ClientEvent;
    /// assert_eq!(ClientEvent::Stale { age: std::time::Duration::from_secs(60) }.name(), "stale");
    /// ```
    pub const fn name(&self) -> &'static str {
        match self {
            ClientEvent::Ready { .. } => "ready",
            ClientEvent::Change { .. } => "change",
            ClientEvent::Stale { .. } => "stale",
            ClientEvent::Error { .. } => "error",
        }
    }
}

/// The state that a client is in.
///
/// ```
/// assert_eq!(dezky::ClientStatus::Stale.as_str(), "stale");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ClientStatus {
    /// There are no rules yet.
    Connecting,
    /// The rules are those of the server.
    Ready,
    /// The server has not confirmed the rules for a while.
    Stale,
    /// The server refuses the key: the rules stay as they are, and the client goes on asking.
    Refused,
    /// The client is closed: the rules stay as they are.
    Closed,
}

impl ClientStatus {
    pub(super) const ALL: [ClientStatus; 5] = [
        ClientStatus::Connecting,
        ClientStatus::Ready,
        ClientStatus::Stale,
        ClientStatus::Refused,
        ClientStatus::Closed,
    ];

    /// `connecting`, `ready`, `stale`, `refused` or `closed`.
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

/// Names a handler, so that it can be taken off again with [`Client::off`](super::Client::off).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HandlerId(pub(super) u64);
