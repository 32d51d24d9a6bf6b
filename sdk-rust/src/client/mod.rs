//! A client that keeps a ruleset as the server has it.
//!
//! Readers and the client's one thread share a pointer to the rules in use; the thread swaps it. On the thread: `follow` has the loops, `fetch` and
//! `stream` what comes in, `work` what becomes of it; `resolve` asks for subjects.

mod chance;
mod error;
mod event;
mod fetch;
mod file;
mod follow;
mod held;
mod http;
mod key;
mod life;
mod live;
mod options;
mod resolve;
mod settings;
mod shared;
mod stream;
mod subject;
mod subjects;
mod thread;
mod timing;
mod work;

pub use error::{ClientCode, ClientError};
pub use event::{ClientEvent, ClientStatus, HandlerId};
pub use fetch::{fetched, subject_of};
pub use key::Key;
pub use live::Client;
pub use options::{ConnectOptions, PastDeadline};
pub use shared::CurrentRuleset;
pub use stream::announcements;
pub use timing::Timing;
