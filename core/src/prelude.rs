//! The names that most programs need: `use dezky_core::prelude::*`.

pub use crate::access::{Action, Decision, Principal, Resource, decide};
pub use crate::flags::{Evaluation, Reason, Ruleset, Snapshot, Subject};
pub use crate::world::{Edit, World};
pub use crate::{Code, Error};
