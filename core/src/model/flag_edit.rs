//! Edits of a flag, with its history and warnings (specification sections 5.4 and 5.5).
//!
//! An edit returns a new flag and leaves the old one unchanged.

use serde::Serialize;

use super::{Flag, FlagContent, FlagHistoryEntry, FlagPatch};
use crate::flags::{Scope, State};
use crate::limits::{MAX_HISTORY, MAX_REVISION};
use crate::names::{Email, Percent};
use crate::{Code, Error, Timestamp};

/// The author, the time and the revision of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditContext {
    /// The author of the edit.
    pub by: Email,
    /// The time of the edit.
    pub at: Timestamp,
    /// The revision that the edit makes, from 1 to [`MAX_REVISION`].
    pub revision: u64,
}

/// A flag after an edit, with a warning if its rule is seldom intended.
///
/// ```
/// use dezky_core::Timestamp;
/// use dezky_core::flags::State;
/// use dezky_core::model::{EditContext, Flag, FlagContent, FlagWarning};
/// use dezky_core::names::{Email, FlagKey};
/// let by = Email::new("ada@example.org")?;
/// let context = EditContext { by, at: Timestamp::EPOCH, revision: 7 };
/// let content = FlagContent { state: State::Targeted, ..FlagContent::default() };
/// let edited = Flag::create(FlagKey::new("a")?, content, context)?;
/// assert_eq!(edited.warning, Some(FlagWarning::TargetsNobody));
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedFlag {
    /// The flag after the edit.
    pub flag: Flag,
    /// The warning about the state and the scope of the flag.
    pub warning: Option<FlagWarning>,
}

/// The code of a warning: the rule is valid and seldom intended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "snake_case")]
pub enum FlagWarning {
    /// A targeted flag with an empty scope is on for no tenant.
    TargetsNobody,
    /// A flag in state `on` is on for every tenant, so its scope has no effect.
    ScopeIgnored,
    /// A name in the scope that no tenant, partner or environment has.
    UnknownName,
}

impl FlagWarning {
    /// Returns the stable code of the warning.
    pub const fn as_str(self) -> &'static str {
        match self {
            FlagWarning::TargetsNobody => "targets_nobody",
            FlagWarning::ScopeIgnored => "scope_ignored",
            FlagWarning::UnknownName => "unknown_name",
        }
    }

    /// Returns the warning about a state and a scope, apart from unknown names.
    pub fn from_state_and_scope(state: State, scope: &Scope) -> Option<FlagWarning> {
        match state {
            State::Targeted if scope.is_empty() => Some(FlagWarning::TargetsNobody),
            State::On if !scope.is_empty() => Some(FlagWarning::ScopeIgnored),
            _ => None,
        }
    }
}

impl Flag {
    /// Applies a patch and adds an entry to the history.
    ///
    /// Fails with `empty_edit` if the content stays equal, with `invalid_revision` if the revision
    /// is not from 1 to [`MAX_REVISION`], and with `stale_revision` if it is not above the newest
    /// one in the history.
    pub fn edit(&self, patch: FlagPatch, context: EditContext) -> Result<EditedFlag, Error> {
        let before = self.content.clone();
        let after = patch.merged_content(&before);
        if after == before {
            return Err(Error::new(Code::EmptyEdit, ""));
        }
        self.clone().record(Some(before), after, context)
    }

    /// Sets the state to `off` and the percentage to 0 in one edit. [`restore`](Flag::restore)
    /// undoes it.
    pub fn kill(&self, context: EditContext) -> Result<EditedFlag, Error> {
        self.edit(
            FlagPatch { state: Some(State::Off), pct: Some(Percent::ZERO), ..FlagPatch::default() },
            context,
        )
    }

    /// Edits the flag back to its content at a revision. Fails with `unknown_revision` if the
    /// history does not reach that revision.
    pub fn restore(&self, revision: u64, context: EditContext) -> Result<EditedFlag, Error> {
        let Some(content) = self.content_at(revision) else {
            return Err(Error::new(Code::UnknownRevision, "/revision"));
        };
        self.edit(FlagPatch::from(content.clone()), context)
    }

    /// Returns the content at a revision. Before the oldest entry of the history, only the content
    /// at the revision directly before that entry is available.
    fn content_at(&self, revision: u64) -> Option<&FlagContent> {
        let after = self.history.iter().find(|entry| entry.revision <= revision).map(|entry| &entry.after);
        let oldest = self.history.last().filter(|oldest| oldest.revision.checked_sub(1) == Some(revision));
        after.or_else(|| oldest?.before.as_ref())
    }

    pub(super) fn record(
        mut self,
        before: Option<FlagContent>,
        after: FlagContent,
        context: EditContext,
    ) -> Result<EditedFlag, Error> {
        let EditContext { by, at, revision } = context;
        // Reading a history rejects other revisions.
        if !(1..=MAX_REVISION).contains(&revision) {
            return Err(Error::new(Code::InvalidRevision, "/revision"));
        }
        if self.history.first().is_some_and(|last| last.revision >= revision) {
            return Err(Error::new(Code::StaleRevision, "/revision"));
        }
        let warning = FlagWarning::from_state_and_scope(after.state, &after.scope);
        self.history.insert(0, FlagHistoryEntry { revision, at, by, before, after: after.clone() });
        self.history.truncate(MAX_HISTORY);
        self.content = after;
        self.revisioned = self.revisioned.touched(at);
        Ok(EditedFlag { flag: self, warning })
    }
}
