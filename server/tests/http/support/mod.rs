//! What every test here needs: a server, callers, and the served document to hold answers against.

mod api;
mod contract;
mod events;
mod server;

pub use api::{Answer, Api, Ask};
pub use contract::{Contract, Said};
pub use events::{Event, Events};
pub use server::Server;
