//! The flags' past, as the log has it: what a slice's revision is found from.

use std::sync::Arc;

use dezky_core::{Change, Flag};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::live::FlagChange;
use crate::store::{ChangeQuery, Store, StoreError};

/// What the log has of the flags up to the server's start. Read when it is first needed; it never changes.
#[derive(Debug, Default)]
pub struct Past(OnceCell<Vec<FlagChange>>);

/// Changes that are read at a time.
const PAGE: usize = 1_000;

impl Past {
    /// The changes up to a revision, which must be the same each time; oldest first.
    pub async fn up_to(&self, revision: u64, store: &dyn Store) -> Result<&[FlagChange], StoreError> {
        let read = || async {
            let mut changes = Vec::new();
            let mut below = revision + 1;
            loop {
                let kind = Some("flag".to_owned());
                let query = ChangeQuery { kind, below: Some(below), limit: PAGE, ..ChangeQuery::default() };
                let page = store.changes(query).await?;
                for change in &page {
                    changes.push(flag_change(change)?);
                }
                match page.last() {
                    Some(oldest) if page.len() == PAGE => below = oldest.revision,
                    _ => break,
                }
            }
            changes.reverse();
            Ok(changes)
        };
        self.0.get_or_try_init(read).await.map(Vec::as_slice)
    }
}

fn flag_change(change: &Change) -> Result<FlagChange, StoreError> {
    let rule = |document: &Value| match document.is_null() {
        true => Ok(None),
        false => serde_json::from_value::<Flag>(document.clone())
            .map(|flag| Some(Arc::new(flag.rule())))
            .map_err(|error| StoreError::Broken(format!("revision {}: {error}", change.revision))),
    };
    let content = &change.content;
    Ok(FlagChange { revision: change.revision, before: rule(&content.before)?, after: rule(&content.after)? })
}
