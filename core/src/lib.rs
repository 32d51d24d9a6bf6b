//! Dezky core.
#![forbid(unsafe_code)]

mod codes;
mod error;
mod flags;
mod json;
pub mod limits;
mod names;
mod time;

pub use codes::Code;
pub use error::Error;
pub use flags::{
    Axis, Evaluation, Explanation, FlagRule, Reason, Ruleset, Scope, Snapshot, State, Subject, SubjectDocument, in_rollout,
    rollout_position,
};
pub use names::{Currency, Digest, Domain, Email, Environment, FlagKey, Id, Label, Percent, PlanKey, Prose, Slug};
pub use time::Timestamp;
