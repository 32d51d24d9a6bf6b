//! Changing a flag: one method, which judges, records, and leaves the old flag as it was.

use serde::Serialize;

use super::{Flag, FlagContent, FlagHistoryEntry, FlagPatch};
use crate::flags::{Scope, State};
use crate::limits::MAX_HISTORY;
use crate::names::{Email, Percent};
use crate::{Code, Error, Timestamp};

/// Who changes a flag, when, and the revision that the change will make.
///
/// ```
/// use dezky_core::Timestamp;
/// use dezky_core::model::Editor;
/// use dezky_core::names::Email;
/// let editor = Editor { by: Email::new("ada@example.org")?, at: Timestamp::EPOCH, revision: 7 };
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    /// Who.
    pub by: Email,
    /// When.
    pub at: Timestamp,
    /// The revision that the change will make.
    pub revision: u64,
}

/// A flag after an edit, and what is odd about it.
///
/// ```
/// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
/// let editor = Editor { by: Email::new("ada@example.org")?, at: Timestamp::EPOCH, revision: 7 };
/// let content = FlagContent { state: State::Targeted, ..FlagContent::default() };
/// let edited = Flag::create(FlagKey::new("a")?, content, editor)?;
/// assert_eq!(edited.warning, Some(FlagWarning::TargetsNobody));
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The flag.
    pub flag: Flag,
    /// What is allowed and yet seldom meant.
    pub warning: Option<FlagWarning>,
}

/// What is allowed and yet seldom meant.
///
/// ```
/// assert_eq!(serde_json::to_string(&dezky_core::model::FlagWarning::TargetsNobody).unwrap(), r#""targets_nobody""#);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "snake_case")]
pub enum FlagWarning {
    /// A targeted flag with an empty scope is on for nobody.
    TargetsNobody,
    /// A flag that is on is on for everybody, whatever its scope says.
    ScopeIgnored,
    /// A plan, a tenant, a partner or an environment that nobody has.
    UnknownName,
}

impl FlagWarning {
    /// Its stable text.
    ///
    /// ```
    /// assert_eq!(dezky_core::model::FlagWarning::ScopeIgnored.as_str(), "scope_ignored");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            FlagWarning::TargetsNobody => "targets_nobody",
            FlagWarning::ScopeIgnored => "scope_ignored",
            FlagWarning::UnknownName => "unknown_name",
        }
    }

    /// What is odd about a state and a scope together.
    ///
    /// ```
    /// use dezky_core::flags::{Axis, Scope, State};
    /// use dezky_core::model::FlagWarning;
    /// let scope = Scope::default().with(Axis::Plans, ["free"])?;
    /// assert_eq!(FlagWarning::of(State::On, &scope), Some(FlagWarning::ScopeIgnored));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn of(state: State, scope: &Scope) -> Option<FlagWarning> {
        match state {
            State::Targeted if scope.is_empty() => Some(FlagWarning::TargetsNobody),
            State::On if !scope.is_empty() => Some(FlagWarning::ScopeIgnored),
            _ => None,
        }
    }
}

impl Flag {
    /// The flag with a change, which its history records. An edit that changes nothing, or whose revision is not above the last one,
    /// is refused.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let flag: Flag = serde_json::from_str(r#"{ "key": "a", "state": "off" }"#).unwrap();
    /// let editor = Editor { by: Email::new("ada@example.org")?, at: Timestamp::EPOCH, revision: 7 };
    /// assert_eq!(flag.edit(FlagPatch::default(), editor).unwrap_err().code, Code::EmptyEdit);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn edit(&self, patch: FlagPatch, editor: Editor) -> Result<Edited, Error> {
        let before = self.content.clone();
        let after = patch.merged_content(&before);
        if after == before {
            return Err(Error::new(Code::EmptyEdit, ""));
        }
        self.clone().record(Some(before), after, editor)
    }

    /// The kill switch: off, and nobody in the rollout, in one step. [`restore`](Flag::restore) undoes it.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let flag: Flag = serde_json::from_str(r#"{ "key": "a", "state": "rollout", "pct": 50 }"#).unwrap();
    /// let editor = Editor { by: Email::new("ada@example.org")?, at: Timestamp::EPOCH, revision: 7 };
    /// assert_eq!(flag.kill(editor)?.flag.content().pct, Percent::ZERO);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn kill(&self, editor: Editor) -> Result<Edited, Error> {
        self.edit(
            FlagPatch { state: Some(State::Off), pct: Some(Percent::ZERO), ..FlagPatch::default() },
            editor,
        )
    }

    /// The flag as it stood at a revision that its history still reaches.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let flag: Flag = serde_json::from_str(r#"{ "key": "a", "state": "rollout", "pct": 50 }"#).unwrap();
    /// let editor = |revision| Editor { by: Email::new("ada@example.org").unwrap(), at: Timestamp::EPOCH, revision };
    /// let killed = flag.kill(editor(7))?.flag;
    /// assert_eq!(killed.restore(6, editor(8))?.flag.content(), flag.content());
    /// assert_eq!(killed.restore(5, editor(8)).unwrap_err().code, Code::UnknownRevision);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn restore(&self, revision: u64, editor: Editor) -> Result<Edited, Error> {
        let Some(content) = self.content_at(revision) else {
            return Err(Error::new(Code::UnknownRevision, "/revision"));
        };
        self.edit(FlagPatch::from(content.clone()), editor)
    }

    /// What the flag was at a revision. Of the time before the oldest change that is kept, only the moment just before it is known.
    fn content_at(&self, revision: u64) -> Option<&FlagContent> {
        let made_it = self.history.iter().find(|entry| entry.revision <= revision).map(|entry| &entry.after);
        let oldest = self.history.last().filter(|oldest| oldest.revision.checked_sub(1) == Some(revision));
        made_it.or_else(|| oldest?.before.as_ref())
    }

    pub(super) fn record(
        mut self,
        before: Option<FlagContent>,
        after: FlagContent,
        editor: Editor,
    ) -> Result<Edited, Error> {
        let Editor { by, at, revision } = editor;
        if self.history.first().is_some_and(|last| last.revision >= revision) {
            return Err(Error::new(Code::StaleRevision, "/revision"));
        }
        let warning = FlagWarning::of(after.state, &after.scope);
        self.history.insert(0, FlagHistoryEntry { revision, at, by, before, after: after.clone() });
        self.history.truncate(MAX_HISTORY);
        self.content = after;
        self.revisioned = self.revisioned.touched(at);
        Ok(Edited { flag: self, warning })
    }
}
