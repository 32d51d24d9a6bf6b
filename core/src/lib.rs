#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "token"))]
extern crate std;

pub mod access;
mod codes;
mod error;
pub mod flags;
mod hash;
#[cfg(feature = "host")]
#[doc(hidden)]
pub mod host;
pub mod json;
pub mod limits;
pub mod model;
pub mod names;
pub mod prelude;
#[cfg(feature = "schema")]
mod schema;
mod text;
mod time;
#[cfg(feature = "token")]
pub mod token;
pub mod world;

pub use codes::Code;
pub use error::Error;
pub use time::Timestamp;
