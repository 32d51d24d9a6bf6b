//! The view of a flag for the caller.

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
use crate::http::reply::serialization_failed;
use crate::store::{ChangeQuery, StoreError};

/// A flag. Only platform admins see its scope and history.
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
    /// The newest changes, newest first; only for a single flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<FlagHistoryEntry>>,
    /// The reach after a kill that waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<ReachView>,
    /// The code of a warning about its state and scope together.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<FlagWarning>,
    /// All warnings about the flag; only in the response to a write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

impl FlagView {
    /// Creates the view of a flag for the caller.
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

    /// Adds the history, if the caller may see it.
    pub async fn with_history(self, call: &Call) -> Result<FlagView, Problem> {
        if !call.caller.is_platform_admin() {
            return Ok(self);
        }
        let history = history(call, &self.key).await?;
        Ok(FlagView { history: Some(history), ..self })
    }

    /// Adds the warnings of a write.
    pub fn warned(self, warning: Option<FlagWarning>, warnings: Vec<Warning>) -> FlagView {
        FlagView { warning, warnings, ..self }
    }
}

/// Returns the newest changes of a flag from the log, back to its creation if that is among them.
pub async fn history(call: &Call, key: &FlagKey) -> Result<Vec<FlagHistoryEntry>, Problem> {
    let query = ChangeQuery {
        kind: Some("flag".to_owned()),
        id: Some(key.to_string()),
        limit: MAX_HISTORY,
        ..ChangeQuery::default()
    };
    let mut history = Vec::new();
    for change in call.app.store.changes(query).await? {
        // Earlier changes belong to a deleted flag with the same key.
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

/// Returns the address that names an actor in a flag's history: the verified address, or the id
/// under a reserved domain.
pub fn author(actor: &Actor) -> Option<Email> {
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
        by: author(&change.content.actor).ok_or_else(|| broken("it has no actor"))?,
        before,
        after: content(&change.content.after).map_err(|error| broken(&error.to_string()))?,
    })
}

/// Returns the flag with these changes as its history.
pub fn with_history(flag: &Flag, history: &[FlagHistoryEntry]) -> Result<Flag, Problem> {
    let mut document = serde_json::to_value(flag).map_err(serialization_failed)?;
    if let Some(members) = document.as_object_mut() {
        members.insert("history".to_owned(), serde_json::to_value(history).map_err(serialization_failed)?);
    }
    Ok(Flag::from_json(document.to_string().as_bytes())?)
}
