//! Feature flags: the snapshot document, the ruleset that it compiles to, and evaluation for one
//! tenant.

mod axis_index;
mod compiled;
mod evaluation;
mod explanation;
mod fingerprint;
mod rollout;
mod rule;
mod ruleset;
#[cfg(feature = "schema")]
mod schema;
mod scope;
mod scope_patch;
mod snapshot;
mod subject;
#[cfg(feature = "host")]
mod subject_lines;

pub use evaluation::Evaluation;
pub use explanation::{Explanation, Reason};
pub use rollout::{in_rollout, rollout_position};
pub use rule::{ELSEWHERE, FlagRule, State};
pub use ruleset::Ruleset;
pub use scope::{Axis, Scope};
pub use scope_patch::ScopePatch;
pub use snapshot::Snapshot;
pub use subject::{Subject, SubjectDocument};

/// The number of flags in a machine word.
const WORD: usize = u64::BITS as usize;

pub(crate) use compiled::{Compiled, EvaluationQuery};
pub(crate) use fingerprint::Fingerprint;
pub(crate) use rule::push_rule;
#[cfg(feature = "schema")]
pub(crate) use schema::scope_to_send;
pub(crate) use snapshot::sort_by_key;
pub(crate) use subject::Name;
#[cfg(feature = "host")]
pub(crate) use subject_lines::{read_subjects, subject_lines_of};
