//! The helpers of all tests here: a server, HTTP clients, event streams and the served contract.

mod answer;
mod api;
mod contract;
mod events;
mod issuer;
mod offline;
mod server;
mod time;

pub use answer::Answer;
pub use api::{Api, Request, plain_client};
pub use contract::{Contract, Exchange};
pub use events::{Event, EventStream};
pub use issuer::Issuer;
pub use offline::{commit_offline, stored_secret};
pub use server::{NO_LIMITS, Server};
pub use time::{PATIENCE, eventually, next_second, unix_seconds, until_second};
