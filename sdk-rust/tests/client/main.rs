//! Tests of the client against a server that fails on purpose.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    missing_docs
)]

mod faults;
mod following;
mod keeping;
mod random;
mod server;
mod starting;
mod subjects;
mod support;
