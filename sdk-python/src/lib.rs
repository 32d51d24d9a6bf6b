//! The native module of the Python package `dezky`.
//!
//! This module converts arguments, calls core, and converts the answers. All rules live in core.

mod access;
mod client;
mod client_arguments;
mod document;
mod fault;
mod results;
mod ruleset;
mod subject;
mod world;
mod writer;

#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::access::{can, changed_keys, decide, normalize, rollout_position};
    #[pymodule_export]
    use crate::client::{Client, client_codes};
    #[pymodule_export]
    use crate::ruleset::{Flags, Ruleset};
    #[pymodule_export]
    use crate::subject::Subject;
    #[pymodule_export]
    use crate::world::World;
}
