//! Flags as administrators see them: rule, description and history (specification section 5.2).

use alloc::vec::Vec;

use serde::Serialize;

use super::{EditContext, EditedFlag, Revisioned};
use crate::flags::{FlagRule, Scope, State};
use crate::json::decode_objects;
use crate::limits::MAX_HISTORY;
use crate::names::{Email, FlagKey, Percent, Prose};
use crate::{Error, Timestamp};

/// A flag with its description and its 20 newest changes. Only [`edit`](Flag::edit),
/// [`kill`](Flag::kill) and [`restore`](Flag::restore) change it.
///
/// ```
/// use dezky_core::Timestamp;
/// use dezky_core::flags::State;
/// use dezky_core::model::{EditContext, Flag, FlagContent};
/// use dezky_core::names::{Email, FlagKey, Percent};
/// let ada = Email::new("ada@example.org")?;
/// let context = |revision| EditContext { by: ada.clone(), at: Timestamp::EPOCH, revision };
/// let pct = Percent::whole(25)?;
/// let content = FlagContent { state: State::Rollout, pct, ..FlagContent::default() };
/// let flag = Flag::create(FlagKey::new("new_billing_engine")?, content, context(7))?.flag;
/// let killed = flag.kill(context(8))?.flag;
/// assert_eq!(killed.content().state, State::Off);
/// let restored = killed.restore(7, context(9))?.flag;
/// assert_eq!(restored.content().pct, pct);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(transform = crate::schema::tidy, description = "A flag with its description and its 20 newest changes.")
)]
#[serde(rename_all = "camelCase")]
pub struct Flag {
    /// The key, which never changes.
    pub(super) key: FlagKey,
    #[serde(flatten)]
    pub(super) content: FlagContent,
    #[serde(flatten)]
    pub(super) revisioned: Revisioned,
    /// The 20 newest changes, newest first.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_HISTORY)))]
    pub(super) history: Vec<FlagHistoryEntry>,
}

/// The part of a flag that an edit can change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct FlagContent {
    /// The state of the flag.
    pub state: State,
    /// The percentage of the scope that a rollout includes.
    pub pct: Percent,
    /// The tenants that the rule can match.
    pub scope: Scope,
    /// A description for people.
    pub description: Prose,
}

impl Default for FlagContent {
    fn default() -> FlagContent {
        FlagContent {
            state: State::Off,
            pct: Percent::ZERO,
            scope: Scope::default(),
            description: Prose::default(),
        }
    }
}

/// One change in the history of a flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct FlagHistoryEntry {
    /// The revision that the change made.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = crate::limits::MAX_REVISION)))]
    pub revision: u64,
    /// The time of the change.
    pub at: Timestamp,
    /// The author of the change.
    pub by: Email,
    /// The content before the change, or `None` if the change created the flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<FlagContent>,
    /// The content after the change.
    pub after: FlagContent,
}

impl Flag {
    /// Creates a flag. Fails with `invalid_revision` if the revision is not from 1 to
    /// [`MAX_REVISION`](crate::limits::MAX_REVISION).
    pub fn create(key: FlagKey, content: FlagContent, context: EditContext) -> Result<EditedFlag, Error> {
        let revisioned = Revisioned { created_at: context.at, updated_at: context.at, version: 0 };
        let blank = Flag { key, content: FlagContent::default(), revisioned, history: Vec::new() };
        blank.record(None, content, context)
    }

    /// Returns the key, which never changes.
    pub fn key(&self) -> &FlagKey {
        &self.key
    }

    /// Returns the current content.
    pub fn content(&self) -> &FlagContent {
        &self.content
    }

    /// Returns the 20 newest changes, newest first.
    pub fn history(&self) -> &[FlagHistoryEntry] {
        &self.history
    }

    /// Returns the times of creation and of the last change, and the version.
    pub fn revisioned(&self) -> Revisioned {
        self.revisioned
    }

    /// Returns the rule that evaluation uses.
    pub fn rule(&self) -> FlagRule {
        let FlagContent { state, pct, scope, .. } = self.content.clone();
        FlagRule { key: self.key.clone(), state, pct, scope }
    }
}

impl From<&Flag> for FlagRule {
    fn from(flag: &Flag) -> FlagRule {
        flag.rule()
    }
}

impl From<Flag> for FlagRule {
    fn from(flag: Flag) -> FlagRule {
        flag.rule()
    }
}

decode_objects! {
    FlagContent {
        state: required("state"),
        pct: or_default("pct"),
        scope: or_default("scope"),
        description: or_default("description"),
    }
    FlagHistoryEntry {
        revision: required_revision("revision", 1),
        at: required("at"),
        by: required("by"),
        before: optional("before"),
        after: required("after"),
    }
    Flag {
        key: required("key"),
        content: embedded(),
        revisioned: embedded(),
        history: list_or_empty("history", MAX_HISTORY),
    }
}
