//! Dezky in WebAssembly, as two modules: evaluation, which every page loads, and the population, which few need.
//!
//! Both talk with their host in text through a buffer each way: the host writes into `input`, calls, and reads the output. Only numbers cross in
//! calls, so that there is next to no glue. An answer that begins with `[` is the list of problems; no other does.
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
