//! Dezky core.
#![forbid(unsafe_code)]

mod codes;
mod error;
mod json;
pub mod limits;
mod names;
mod time;

pub use codes::Code;
pub use error::Error;
pub use names::{Currency, Digest, Domain, Email, Environment, FlagKey, Id, Label, Percent, PlanKey, Prose, Slug};
pub use time::Timestamp;
