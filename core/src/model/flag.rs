//! Flags as the administration sees them: what evaluation sees, and how it came to be so.

use alloc::vec::Vec;

use serde::Serialize;

use super::{Edited, Editor, Revisioned};
use crate::flags::{FlagRule, Scope, State};
use crate::json::decode_objects;
use crate::limits::MAX_HISTORY;
use crate::names::{Email, FlagKey, Percent, Prose};
use crate::{Error, Timestamp};

/// A flag with its description and its 20 newest changes. It changes by [`edit`](Flag::edit) alone, [`kill`](Flag::kill) and
/// [`restore`](Flag::restore) being special cases of it.
///
/// ```
/// use dezky_core::Timestamp;
/// use dezky_core::flags::State;
/// use dezky_core::model::{Editor, Flag, FlagContent};
/// use dezky_core::names::{Email, FlagKey, Percent};
/// let editor = |revision| Editor { by: Email::new("ada@example.org").unwrap(), at: Timestamp::EPOCH, revision };
/// let content = FlagContent { state: State::Rollout, pct: Percent::whole(25)?, ..FlagContent::default() };
/// let flag = Flag::create(FlagKey::new("new_billing_engine")?, content, editor(7))?.flag;
/// let killed = flag.kill(editor(8))?.flag;
/// assert_eq!(killed.content().state, State::Off);
/// let back = killed.restore(7, editor(9))?.flag;
/// assert_eq!(back.content().pct, Percent::whole(25)?);
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
    /// Fixed once it is made.
    pub(super) key: FlagKey,
    #[serde(flatten)]
    pub(super) content: FlagContent,
    #[serde(flatten)]
    pub(super) revisioned: Revisioned,
    /// The 20 newest changes, newest first.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_HISTORY)))]
    pub(super) history: Vec<FlagHistoryEntry>,
}

/// Everything about a flag that an edit can change.
///
/// ```
/// use dezky_core::flags::State;
/// use dezky_core::model::FlagContent;
/// assert_eq!(FlagContent::default().state, State::Off);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct FlagContent {
    /// What it does.
    pub state: State,
    /// How much of its scope a rollout covers.
    pub pct: Percent,
    /// Whom it is for.
    pub scope: Scope,
    /// What it is about, for people.
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

/// One change of a flag.
///
/// ```
/// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
/// let editor = Editor { by: Email::new("ada@example.org")?, at: Timestamp::EPOCH, revision: 7 };
/// let flag = Flag::create(FlagKey::new("a")?, FlagContent::default(), editor)?.flag;
/// assert_eq!(flag.history()[0].before, None);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct FlagHistoryEntry {
    /// The revision that the change made.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = crate::limits::MAX_REVISION)))]
    pub revision: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Email,
    /// What was before; nothing, where the change made the flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<FlagContent>,
    /// What was then.
    pub after: FlagContent,
}

impl Flag {
    /// A new flag.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let editor = Editor { by: Email::new("ada@example.org")?, at: Timestamp::EPOCH, revision: 7 };
    /// let flag = Flag::create(FlagKey::new("a")?, FlagContent::default(), editor)?.flag;
    /// assert_eq!(flag.key().as_str(), "a");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn create(key: FlagKey, content: FlagContent, editor: Editor) -> Result<Edited, Error> {
        let revisioned = Revisioned { created_at: editor.at, updated_at: editor.at, version: 0 };
        let blank = Flag { key, content: FlagContent::default(), revisioned, history: Vec::new() };
        blank.record(None, content, editor)
    }

    /// Its key, fixed.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let flag: Flag = serde_json::from_str(r#"{ "key": "a", "state": "on" }"#).unwrap();
    /// assert_eq!(flag.key().as_str(), "a");
    /// ```
    pub fn key(&self) -> &FlagKey {
        &self.key
    }

    /// What it is now.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let flag: Flag = serde_json::from_str(r#"{ "key": "a", "state": "on" }"#).unwrap();
    /// assert_eq!(flag.content().state, State::On);
    /// ```
    pub fn content(&self) -> &FlagContent {
        &self.content
    }

    /// Its 20 newest changes, newest first.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let flag: Flag = serde_json::from_str(r#"{ "key": "a", "state": "on" }"#).unwrap();
    /// assert!(flag.history().is_empty());
    /// ```
    pub fn history(&self) -> &[FlagHistoryEntry] {
        &self.history
    }

    /// When it was made and last changed, and how often.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let flag: Flag = serde_json::from_str(r#"{ "key": "a", "state": "on" }"#).unwrap();
    /// assert_eq!(flag.revisioned().version, 1);
    /// ```
    pub fn revisioned(&self) -> Revisioned {
        self.revisioned
    }

    /// What evaluation sees of it.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let flag: Flag = serde_json::from_str(r#"{ "key": "a", "state": "on" }"#).unwrap();
    /// assert_eq!(flag.rule().state, State::On);
    /// ```
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
