//! Dezky in WebAssembly, as two modules: evaluation for every page, and the population for few.
//!
//! A module exchanges text with its host through one buffer in each direction: the host writes into
//! `input`, calls a function, and reads the output. Calls pass only numbers, so almost no glue code
//! is needed. An output that begins with `[` is a list of problems; no other output does.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

mod buffers;
#[cfg(feature = "evaluation")]
mod evaluation;
#[cfg(feature = "population")]
mod population;
#[cfg(target_family = "wasm")]
mod runtime;
mod slots;

#[cfg(feature = "evaluation")]
pub use evaluation::Evaluation;
#[cfg(feature = "population")]
pub use population::Population;
