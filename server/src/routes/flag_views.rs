//! What is shown of a flag, and to whom.

use dezky_core::flags::{Scope, State};
use dezky_core::limits::MAX_HISTORY;
use dezky_core::model::{Actor, Change, Flag, FlagContent, FlagHistoryEntry, FlagWarning, Revisioned};
use dezky_core::names::{Email, FlagKey, Percent, Prose};
use dezky_core::world::Warning;
use schemars::JsonSchema;
use serde::Serialize;

use super::delivery::ReachView;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::reply::unwritable;
use crate::store::{ChangeQuery, StoreError};

/// A flag. Whom it is for and how it came to be so is shown to platform admins alone.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlagView {
    key: FlagKey,
    state: State,
    pct: Percent,
    description: Prose,
    #[serde(flatten)]
    revisioned: Revisioned,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope>,
    /// Its newest changes, newest first; of one flag alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<FlagHistoryEntry>>,
    /// Who evaluates without it; after a kill that waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<ReachView>,
    /// The code of what its maker may not have meant of its state and scope together.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<FlagWarning>,
    /// Everything that its maker may not have meant; in the answer to a write alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

impl FlagView {
    /// A flag as this caller may see it.
    pub fn new(call: &Call, flag: &Flag) -> FlagView {
        let FlagContent { state, pct, scope, description } = flag.content().clone();
        FlagView {
            key: flag.key().clone(),
            state,
            pct,
            description,
            revisioned: flag.revisioned(),
            scope: call.caller.is_platform_admin().then_some(scope),
            history: None,
            reach: None,
            warning: None,
            warnings: Vec::new(),
        }
    }

    /// The same with its history, for those who may see it.
    pub async fn with_history(self, call: &Call) -> Result<FlagView, Problem> {
        if !call.caller.is_platform_admin() {
            return Ok(self);
        }
        let history = history(call, &self.key).await?;
        Ok(FlagView { history: Some(history), ..self })
    }

    /// The same with what its maker may not have meant.
    pub fn warned(self, warning: Option<FlagWarning>, warnings: Vec<Warning>) -> FlagView {
        FlagView { warning, warnings, ..self }
    }
}

/// A flag's newest changes, as the log has them: back to where it was made, if that is among them.
pub async fn history(call: &Call, key: &FlagKey) -> Result<Vec<FlagHistoryEntry>, Problem> {
    let query = ChangeQuery {
        kind: Some("flag".to_owned()),
        id: Some(key.to_string()),
        limit: MAX_HISTORY,
        ..ChangeQuery::default()
    };
    let mut history = Vec::new();
    for change in call.app.store.changes(query).await? {
        // What bore this name before it was made anew is another flag.
        if change.content.after.is_null() {
            break;
        }
        let is_first = change.content.before.is_null();
        history.push(entry(change)?);
        if is_first {
            break;
        }
    }
    Ok(history)
}

/// By what a flag's history names somebody: their verified address; else their id, under a name that no mail reaches.
pub fn named(actor: &Actor) -> Option<Email> {
    let unverified = || Email::new(&format!("{}@unverified.invalid", actor.id.as_ref()?)).ok();
    actor.email.clone().or_else(unverified)
}

fn entry(change: Change) -> Result<FlagHistoryEntry, Problem> {
    let broken = |what: &str| StoreError::Broken(format!("revision {}: {what}", change.revision));
    let content = |document: &serde_json::Value| {
        serde_json::from_value::<Flag>(document.clone()).map(|flag| flag.content().clone())
    };
    let before = match change.content.before.is_null() {
        true => None,
        false => Some(content(&change.content.before).map_err(|error| broken(&error.to_string()))?),
    };
    Ok(FlagHistoryEntry {
        revision: change.revision,
        at: change.content.at,
        by: named(&change.content.actor).ok_or_else(|| broken("nobody made it"))?,
        before,
        after: content(&change.content.after).map_err(|error| broken(&error.to_string()))?,
    })
}

/// The same flag with these changes as its history.
pub fn with_history(flag: &Flag, history: &[FlagHistoryEntry]) -> Result<Flag, Problem> {
    let mut document = serde_json::to_value(flag).map_err(unwritable)?;
    if let Some(members) = document.as_object_mut() {
        members.insert("history".to_owned(), serde_json::to_value(history).map_err(unwritable)?);
    }
    Ok(Flag::from_json(document.to_string().as_bytes())?)
}
