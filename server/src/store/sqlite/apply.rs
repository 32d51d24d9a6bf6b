//! One write inside a transaction: all of it, or none.

use dezky_core::{Change, ChangeContent, Entity, Label};
use rusqlite::{Connection, Transaction, params};
use serde_json::Value;

use super::{failure, log, receipts, requires, rows, unwritable};
use crate::store::{Entry, Record, StoreError, Write, WriteError};

/// How long receipts are kept, and how often old ones are looked for.
const RECEIPTS_KEPT_MICROS: i64 = 48 * 3_600 * 1_000_000;
pub const PURGE_EVERY_MICROS: i64 = 600 * 1_000_000;

/// Applies a write; `head` moves on with its changes. An error leaves transaction and head as they were.
pub fn apply(
    transaction: &mut Transaction<'_>,
    write: Write,
    head: &mut Option<Change>,
) -> Result<(Vec<Change>, Vec<Entry>), WriteError> {
    let savepoint = transaction.savepoint().map_err(failure)?;
    let Write { at, actor, entries, requires, receipt, key_uses } = write;
    if let Some(receipt) = &receipt
        && let Some(earlier) = receipts::find(&savepoint, &receipt.holder, &receipt.key)?
    {
        return Err(WriteError::Received(Box::new(earlier)));
    }
    let world_before = head.as_ref().map_or(0, |head| head.revision);
    let mut last = head.clone();
    let mut changes = Vec::with_capacity(entries.len());
    for entry in &entries {
        rows::put(&savepoint, entry.before.as_ref(), entry.after.as_ref())?;
        let Some(record) = entry.after.as_ref().or(entry.before.as_ref()) else { continue };
        let content = ChangeContent {
            at,
            actor: actor.clone(),
            action: label(entry.action)?,
            entity: Entity { kind: label(record.kind())?, id: label(record.id())? },
            before: document(entry.before.as_ref())?,
            after: document(entry.after.as_ref())?,
        };
        let change = content.follow(last.as_ref());
        log::append(&savepoint, &change, record.tenant_id())?;
        last = Some(change.clone());
        changes.push(change);
    }
    for require in requires {
        if !requires::holds(&savepoint, &require, world_before)? {
            return Err(WriteError::Unmet(require));
        }
    }
    for (key, at) in key_uses {
        let sql = "UPDATE keys SET last_used_at = ?2 WHERE id = ?1";
        let row = params![key.as_str(), at.as_micros()];
        savepoint.prepare_cached(sql).and_then(|mut statement| statement.execute(row)).map_err(failure)?;
    }
    if let Some(receipt) = &receipt {
        receipts::keep(&savepoint, receipt)?;
    }
    savepoint.commit().map_err(failure)?;
    *head = last;
    Ok((changes, entries))
}

/// Forgets receipts that are too old to be asked for.
pub fn purge(connection: &Connection, now: i64) -> Result<(), StoreError> {
    let old = now.saturating_sub(RECEIPTS_KEPT_MICROS);
    connection.execute("DELETE FROM receipts WHERE at < ?1", [old]).map_err(failure)?;
    Ok(())
}

fn label(text: &str) -> Result<Label, StoreError> {
    Label::new(text).map_err(|error| StoreError::Broken(error.to_string()))
}

/// A record as the log keeps it.
fn document(record: Option<&Record>) -> Result<Value, StoreError> {
    let Some(record) = record else { return Ok(Value::Null) };
    let document = match record {
        Record::Tenant(tenant) => serde_json::to_value(tenant),
        Record::Partner(partner) => serde_json::to_value(partner),
        Record::User(user) => serde_json::to_value(user),
        Record::Subscription(subscription) => serde_json::to_value(subscription),
        Record::Flag(flag) => return rows::flag_document(flag),
        Record::Key(key) => serde_json::to_value(key),
    };
    document.map_err(unwritable)
}
