//! A client that keeps its rules up to date with a server.
//!
//! Callers and the client's thread share a pointer to the rules in use, and the thread swaps it:
//!
//! - `handle`, `lifecycle` and `subject` have the methods of [`Client`] that callers use.
//! - `shared` is the state between callers and the thread; `phase` is its state machine.
//! - `thread` starts and stops the thread, which runs a `session`.
//! - `follow` has the loops of a session, and `resolve` its requests for subjects.
//! - `fetch` and `stream` read snapshots and announcements from the server, over `http`.

mod error;
mod event;
mod failure;
mod fetch;
mod file;
mod follow;
mod handle;
mod http;
mod instance;
mod jitter;
mod key;
mod lifecycle;
mod loaded_snapshot;
mod options;
mod phase;
mod resolve;
mod response;
mod session;
mod settings;
mod shared;
mod stream;
mod subject;
mod subject_cache;
mod thread;
mod timing;

pub use error::{ClientCode, ClientError};
pub use event::{ClientEvent, ClientStatus, HandlerId};
pub use fetch::fetched;
pub use handle::Client;
pub use key::Key;
pub use options::{ConnectOptions, PastDeadline};
pub use shared::CurrentRuleset;
pub use stream::announcements;
pub use subject_cache::subject_of;
pub use timing::Timing;
