//! Tests of identity over real HTTP: issuers that rotate, fail and misbehave; the dev provider.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod cached;
mod dev;
mod failing;
mod faults;
mod issuer;
mod private_root;
mod rotation;
mod settings;
mod several;
mod support;
