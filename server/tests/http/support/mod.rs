//! What every test here needs: a server, callers, and the served document to hold answers against.

mod api;
mod contract;
mod events;
mod issuer;
mod server;

pub use api::{Answer, Api, Ask};
pub use contract::{Contract, Said};
pub use events::{Event, Events};
pub use issuer::{Issuer, seconds};
pub use server::Server;
