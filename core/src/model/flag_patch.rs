//! A partial change of a flag: one merge for `PATCH /flags/{key}` and for the plan of it.

use crate::flags::{FlagRule, Scope, ScopePatch, State};
use crate::json::{Decode, Kind, ProblemKind, Value, decode_strictly};
use crate::limits::MAX_DOCUMENT_BYTES;
use crate::model::FlagContent;
use crate::names::{Percent, Prose};
use crate::{Code, Error};

/// What changes of a flag; what is `None` stays.
///
/// ```
/// use dezky_core::flags::State;
/// use dezky_core::model::FlagPatch;
/// let patch = FlagPatch { state: Some(State::On), ..FlagPatch::default() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlagPatch {
    /// The new state.
    pub state: Option<State>,
    /// The new percentage of a rollout.
    pub pct: Option<Percent>,
    /// The new scope, which replaces the whole one.
    pub scope: Option<Scope>,
    /// New values on single axes of the scope; the other axes stay.
    pub axes: ScopePatch,
    /// The new description.
    pub description: Option<Prose>,
}

impl FlagPatch {
    /// Reads what `PATCH /flags/{key}` takes: a merge patch (RFC 7396), in which `null` resets a member to its default. A `planDigest`
    /// may stand beside the members, and changes nothing.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::model::FlagPatch;
    /// use dezky_core::names::Percent;
    /// assert_eq!(FlagPatch::from_json(br#"{ "pct": null }"#)?.pct, Some(Percent::ZERO));
    /// assert_eq!(FlagPatch::from_json(br#"{ "state": null }"#).unwrap_err().code, Code::Missing);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<FlagPatch, Error> {
        decode_strictly(bytes, MAX_DOCUMENT_BYTES)
    }

    /// The rule of a flag after this change.
    ///
    /// ```
    /// use dezky_core::flags::{FlagRule, Scope, State};
    /// use dezky_core::model::FlagPatch;
    /// use dezky_core::names::{FlagKey, Percent};
    /// let rule = FlagRule { key: FlagKey::new("a")?, state: State::Off, pct: Percent::FULL, scope: Scope::default() };
    /// let after = FlagPatch { state: Some(State::Rollout), ..FlagPatch::default() }.merged_rule(&rule);
    /// assert_eq!((after.state, after.pct), (State::Rollout, Percent::FULL));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn merged_rule(&self, rule: &FlagRule) -> FlagRule {
        FlagRule {
            key: rule.key.clone(),
            state: self.state.unwrap_or(rule.state),
            pct: self.pct.unwrap_or(rule.pct),
            scope: self.merged_scope(&rule.scope),
        }
    }

    /// The content of a flag after this change.
    ///
    /// ```
    /// use dezky_core::model::{FlagContent, FlagPatch};
    /// assert_eq!(FlagPatch::default().merged_content(&FlagContent::default()), FlagContent::default());
    /// ```
    pub fn merged_content(&self, content: &FlagContent) -> FlagContent {
        FlagContent {
            state: self.state.unwrap_or(content.state),
            pct: self.pct.unwrap_or(content.pct),
            scope: self.merged_scope(&content.scope),
            description: self.description.as_ref().unwrap_or(&content.description).clone(),
        }
    }

    fn merged_scope(&self, scope: &Scope) -> Scope {
        self.axes.merged(self.scope.as_ref().unwrap_or(scope))
    }
}

impl From<FlagContent> for FlagPatch {
    /// A change to exactly this content.
    fn from(content: FlagContent) -> FlagPatch {
        FlagPatch {
            state: Some(content.state),
            pct: Some(content.pct),
            scope: Some(content.scope),
            axes: ScopePatch::default(),
            description: Some(content.description),
        }
    }
}

impl Decode for FlagPatch {
    fn decode(value: Value<'_>) -> FlagPatch {
        let object = value.object();
        let state = object.member_or_null("state");
        if let Some(null) = state.filter(|state| state.kind() == Kind::Null) {
            null.note(ProblemKind::Form, Code::Missing);
        }
        object.part("planDigest").text();
        let scope = object.member_or_null("scope").filter(|scope| scope.kind() == Kind::Null);
        FlagPatch {
            state: state.filter(|state| state.kind() != Kind::Null).map(State::decode),
            pct: object.reset("pct"),
            scope: scope.map(|_| Scope::default()),
            axes: object.or_default("scope"),
            description: object.reset("description"),
        }
    }
}
