//! A flag as evaluation sees it, and its canonical bytes.

use serde::Serialize;

use super::{Axis, Scope};
use crate::json::{Decode, Problems, Value, decode_word, deserialize_by_decoding};
use crate::{Code, FlagKey, Percent};

/// What a flag does.
///
/// ```
/// assert_eq!(dezky_core::State::parse("rollout"), Some(dezky_core::State::Rollout));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Off for everybody.
    Off,
    /// On for everybody, whatever the scope.
    On,
    /// On for those in scope; an empty scope is nobody.
    Targeted,
    /// On for a percentage of those in scope; an empty scope is everybody.
    Rollout,
}

impl State {
    /// Every state.
    ///
    /// ```
    /// assert_eq!(dezky_core::State::ALL.len(), 4);
    /// ```
    pub const ALL: [State; 4] = [State::Off, State::On, State::Targeted, State::Rollout];

    /// The state as documents spell it.
    ///
    /// ```
    /// assert_eq!(dezky_core::State::Off.as_str(), "off");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Off => "off",
            State::On => "on",
            State::Targeted => "targeted",
            State::Rollout => "rollout",
        }
    }

    /// The state spelled so.
    ///
    /// ```
    /// assert_eq!(dezky_core::State::parse("killed"), None);
    /// ```
    pub fn parse(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl Decode for State {
    fn decode(value: Value<'_>, problems: &mut Problems) -> Option<State> {
        decode_word(value, State::parse, Code::UnknownState, problems)
    }
}

/// What decides a flag: the part of it that a snapshot carries.
///
/// ```
/// use dezky_core::{Axis, FlagKey, FlagRule, Percent, Scope, State};
/// let rule = FlagRule {
///     key: FlagKey::new("jmap_native_v2")?,
///     state: State::Rollout,
///     pct: Percent::whole(25)?,
///     scope: Scope::default().with(Axis::Plans, ["business"])?,
/// };
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlagRule {
    /// Its name.
    pub key: FlagKey,
    /// What it does.
    pub state: State,
    /// How much of its scope a rollout covers; kept, and without effect, in the other states.
    pub pct: Percent,
    /// Whom it is for.
    pub scope: Scope,
}

impl Decode for FlagRule {
    fn decode(value: Value<'_>, problems: &mut Problems) -> Option<FlagRule> {
        let object = value.object(problems)?;
        let key = object.required("key", problems);
        let state = object.required("state", problems);
        let pct = object.or_default("pct", problems);
        let scope = object.or_default("scope", problems);
        Some(FlagRule { key: key?, state: state?, pct: pct?, scope: scope? })
    }
}

deserialize_by_decoding!(State, FlagRule);

/// Appends the canonical form. No value in it can hold a character that JSON escapes.
pub(crate) fn push_rule(out: &mut String, rule: &FlagRule) {
    out.push_str("{\"key\":\"");
    out.push_str(rule.key.as_str());
    out.push_str("\",\"state\":\"");
    out.push_str(rule.state.as_str());
    out.push_str("\",\"pct\":");
    out.push_str(&rule.pct.to_string());
    out.push_str(",\"scope\":{");
    for (index, axis) in Axis::ALL.into_iter().enumerate() {
        out.push_str(if index == 0 { "\"" } else { ",\"" });
        out.push_str(axis.as_str());
        out.push_str("\":[");
        for (index, value) in rule.scope.values(axis).enumerate() {
            out.push_str(if index == 0 { "\"" } else { ",\"" });
            out.push_str(value);
            out.push('"');
        }
        out.push(']');
    }
    out.push_str("}}");
}
