//! The native half of the Python package `dezky`: arguments in, a call of core, the answer out, and no rule of its own.

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
    use crate::client::Client;
    #[pymodule_export]
    use crate::ruleset::{Flags, Ruleset};
    #[pymodule_export]
    use crate::subject::Subject;
    #[pymodule_export]
    use crate::world::World;
}
