//! The private hash table of core, compiled from core's own file.
#![allow(dead_code)]

const IS_SMALL: bool = false;

#[path = "../../core/src/text/index.rs"]
pub mod index;
