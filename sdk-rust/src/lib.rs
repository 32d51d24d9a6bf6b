#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod client;
#[cfg(feature = "openfeature")]
mod openfeature;
pub mod prelude;
#[doc(hidden)]
pub mod testing;

pub use client::{
    Client, ClientCode, ClientError, ClientEvent, ClientStatus, ConnectOptions, CurrentRuleset, HandlerId,
    Key, PastDeadline,
};
pub use dezky_core::*;
#[cfg(feature = "openfeature")]
pub use openfeature::OpenFeatureProvider;

/// Compiles and runs the examples in the front page of the repository.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct FrontPage;
