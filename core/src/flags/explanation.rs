//! Why a flag is on or off.

use alloc::string::String;

use serde::Serialize;

use super::{Axis, Compiled, State, Subject};
use crate::names::Percent;
use crate::text::push_member;

/// Why a flag is on or off.
///
/// ```
/// assert_eq!(dezky_core::flags::Reason::InRollout.as_str(), "in_rollout");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is off for everybody.
    Off,
    /// It is on for everybody.
    On,
    /// It targets an empty list.
    EmptyScope,
    /// An axis of its scope leaves the subject out.
    OutOfScope,
    /// Its scope lets the subject in.
    Targeted,
    /// The subject's position is below its percentage.
    InRollout,
    /// The subject's position is not below its percentage.
    OutOfRollout,
    /// There is no such flag.
    UnknownFlag,
}

impl Reason {
    /// Every reason.
    ///
    /// ```
    /// assert_eq!(dezky_core::flags::Reason::ALL.len(), 8);
    /// ```
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

    /// The stable code.
    ///
    /// ```
    /// assert_eq!(dezky_core::flags::Reason::EmptyScope.as_str(), "empty_scope");
    /// ```
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

/// An answer with its reason: `{ key, enabled, reason, axis?, position?, pct? }`.
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
    /// The flag's key, as asked.
    pub key: &'k str,
    /// The answer.
    pub enabled: bool,
    /// Its reason.
    pub reason: Reason,
    /// The first axis that leaves the subject out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub axis: Option<Axis>,
    /// Where the subject stands in the rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Percent>,
    /// The rollout's percentage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pct: Option<Percent>,
}

impl Explanation<'_> {
    /// As JSON.
    ///
    /// ```
    /// # use dezky_core::flags::{Ruleset, Snapshot, Subject};
    /// # use dezky_core::names::Environment;
    /// # let rules = Ruleset::new(Snapshot::new(1, Environment::new("production")?, Vec::new())?);
    /// let json = rules.explain("none", &Subject::new("t1", "acme", "business")?).to_json();
    /// assert_eq!(json, r#"{"key":"none","reason":"unknown_flag","enabled":false}"#);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
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

/// Decides as [`Compiled::evaluate`] does, and says why.
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
    let (mut draw, mut axis) = (None, None);
    let enabled = compiled.evaluate(flag, subject, &mut draw, &mut axis);
    let reason = match compiled.state(flag) {
        State::Off => Reason::Off,
        State::On => Reason::On,
        State::Targeted if compiled.is_unscoped(flag) => Reason::EmptyScope,
        _ if axis.is_some() => Reason::OutOfScope,
        State::Targeted => Reason::Targeted,
        State::Rollout if enabled => Reason::InRollout,
        State::Rollout => Reason::OutOfRollout,
    };
    let drawn = matches!(reason, Reason::InRollout | Reason::OutOfRollout);
    let position = if drawn { compiled.position(flag, subject, &mut draw) } else { None };
    Explanation { enabled, reason, axis, position, pct: drawn.then(|| compiled.pct(flag)), ..unknown }
}
