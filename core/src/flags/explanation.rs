//! Explanations: a flag's result together with its reason.

use alloc::string::String;

use serde::Serialize;

use super::{Axis, Compiled, EvaluationQuery, State, Subject};
use crate::names::Percent;
use crate::text::push_member;

/// The reason why a flag is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The flag is off for every tenant.
    Off,
    /// The flag is on for every tenant.
    On,
    /// The flag is targeted and its scope is empty, which matches no tenant.
    EmptyScope,
    /// An axis of the flag's scope excludes the subject.
    OutOfScope,
    /// The flag is targeted and its scope matches the subject.
    Targeted,
    /// The subject's position is below its percentage.
    InRollout,
    /// The subject's position is not below its percentage.
    OutOfRollout,
    /// No flag has this key.
    UnknownFlag,
}

impl Reason {
    /// All reasons, in the order of their declaration.
    pub const ALL: [Reason; 8] = [
        Reason::Off,
        Reason::On,
        Reason::EmptyScope,
        Reason::OutOfScope,
        Reason::Targeted,
        Reason::InRollout,
        Reason::OutOfRollout,
        Reason::UnknownFlag,
    ];

    /// The stable code of the reason.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::Off => "off",
            Reason::On => "on",
            Reason::EmptyScope => "empty_scope",
            Reason::OutOfScope => "out_of_scope",
            Reason::Targeted => "targeted",
            Reason::InRollout => "in_rollout",
            Reason::OutOfRollout => "out_of_rollout",
            Reason::UnknownFlag => "unknown_flag",
        }
    }
}

/// The result of one flag with its reason: `{ key, enabled, reason, axis?, position?, pct? }`.
///
/// ```
/// use dezky_core::flags::{Axis, Reason, Ruleset, Snapshot, Subject};
/// let rules = Ruleset::new(Snapshot::from_json(br#"{
///     "format": 1, "revision": 1, "environment": "production",
///     "flags": [{ "key": "a", "state": "targeted", "scope": { "plans": ["business"] } }]
/// }"#)?);
/// let explanation = rules.explain("a", &Subject::new("t1", "acme", "free")?);
/// assert_eq!((explanation.reason, explanation.axis), (Reason::OutOfScope, Some(Axis::Plans)));
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct Explanation<'k> {
    /// The key that the caller asked for.
    pub key: &'k str,
    /// True if the flag is on.
    pub enabled: bool,
    /// The reason for the result.
    pub reason: Reason,
    /// The first axis that excludes the subject, for the reason `out_of_scope`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub axis: Option<Axis>,
    /// The subject's position in the rollout, for the two rollout reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Percent>,
    /// The percentage of the rollout, for the two rollout reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pct: Option<Percent>,
}

impl Explanation<'_> {
    /// Serializes the explanation to JSON.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        push_member(&mut out, "key", self.key);
        push_member(&mut out, "reason", self.reason.as_str());
        if let Some(axis) = self.axis {
            push_member(&mut out, "axis", axis.as_str());
        }
        push_percent(&mut out, ",\"position\":", self.position);
        push_percent(&mut out, ",\"pct\":", self.pct);
        out.push_str(if self.enabled { ",\"enabled\":true}" } else { ",\"enabled\":false}" });
        out
    }
}

fn push_percent(out: &mut String, name: &str, number: Option<Percent>) {
    if let Some(number) = number {
        out.push_str(name);
        number.push_to(out);
    }
}

/// Evaluates a flag with [`Compiled::evaluate`] and derives the reason.
pub(super) fn explain<'k>(compiled: &Compiled, key: &'k str, subject: &Subject<'_>) -> Explanation<'k> {
    let unknown = Explanation {
        key,
        enabled: false,
        reason: Reason::UnknownFlag,
        axis: None,
        position: None,
        pct: None,
    };
    let Some(flag) = compiled.find(key) else { return unknown };
    let mut query = EvaluationQuery::new(subject);
    let enabled = compiled.evaluate(flag, &mut query);
    let axis = query.missed_axis();
    let reason = match compiled.state(flag) {
        State::Off => Reason::Off,
        State::On => Reason::On,
        State::Targeted if compiled.is_unscoped(flag) => Reason::EmptyScope,
        _ if axis.is_some() => Reason::OutOfScope,
        State::Targeted => Reason::Targeted,
        State::Rollout if enabled => Reason::InRollout,
        State::Rollout => Reason::OutOfRollout,
    };
    let in_scope_of_rollout = matches!(reason, Reason::InRollout | Reason::OutOfRollout);
    let position = if in_scope_of_rollout { compiled.position(flag, &mut query) } else { None };
    let pct = in_scope_of_rollout.then(|| compiled.pct(flag));
    Explanation { enabled, reason, axis, position, pct, ..unknown }
}
