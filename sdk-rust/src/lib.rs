#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod client;
#[cfg(feature = "openfeature")]
mod openfeature;
pub mod prelude;

pub use client::{
    Client, ClientCode, ClientError, ClientEvent, ClientStatus, ConnectOptions, CurrentRuleset, HandlerId,
    Key, PastDeadline,
};
#[doc(hidden)]
pub use client::{Timing, announcements, fetched, subject_of};
pub use dezky_core::*;
#[cfg(feature = "openfeature")]
pub use openfeature::OpenFeatureProvider;
