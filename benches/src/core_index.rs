//! The private hash table of core, compiled from core's own file.
#![allow(dead_code, reason = "only the lookup is measured")]

const IS_SMALL: bool = false;

#[path = "../../core/src/text/index.rs"]
pub mod index;
