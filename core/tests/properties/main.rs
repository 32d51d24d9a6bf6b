//! Property tests over generated flags, subjects, worlds, edits and bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod evaluation;
mod reading;
mod slice;
mod support;
mod world;
