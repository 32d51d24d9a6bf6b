//! Applies one write inside a transaction, completely or not at all.

use dezky_core::Timestamp;
use dezky_core::model::{Change, ChangeContent, Entity};
use dezky_core::names::Label;
use rusqlite::{Connection, Transaction, params};
use serde_json::Value;

use super::{failure, flag_past, log, receipts, requires, rows, unwritable};
use crate::store::{KeyUse, Record, RecordChange, Require, StoreError, Write, WriteError};

/// The lifetime of a receipt.
const RECEIPTS_KEPT_MICROS: i64 = 48 * 3_600 * 1_000_000;

/// The interval between removals of old receipts.
pub(super) const PURGE_EVERY_MICROS: i64 = 600 * 1_000_000;

/// Applies a write, and advances `head` to its last change. An error leaves the transaction and
/// `head` unchanged.
pub(super) fn apply(
    transaction: &mut Transaction<'_>,
    write: Write,
    head: &mut Option<Change>,
) -> Result<(Vec<Change>, Vec<RecordChange>), WriteError> {
    let savepoint = transaction.savepoint().map_err(failure)?;
    let Write { at, actor, entries, requires, receipt, key_uses } = write;
    let world_before = head.as_ref().map_or(0, |head| head.revision);
    // The actor's rights come first: the write itself may change them, and only the actor may read
    // an earlier receipt.
    let (actor_rights, requires): (Vec<Require>, Vec<Require>) =
        requires.into_iter().partition(|require| matches!(require, Require::Actor(..)));
    check(&savepoint, actor_rights, (world_before, at))?;
    if let Some(receipt) = &receipt
        && let Some(earlier) = receipts::find(&savepoint, &receipt.holder, &receipt.key)?
    {
        return Err(WriteError::Received(Box::new(earlier)));
    }
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
        log::append(&savepoint, &change, record.tenant_id(), &entry.tenants())?;
        flag_past::append(&savepoint, change.revision, entry.before.as_ref(), entry.after.as_ref())?;
        last = Some(change.clone());
        changes.push(change);
    }
    check(&savepoint, requires, (world_before, at))?;
    if entries.iter().any(RecordChange::removes_admin) {
        check(&savepoint, vec![Require::AnActiveAdmin], (world_before, at))?;
    }
    for KeyUse { key, at, from } in key_uses {
        let sql = "UPDATE keys SET last_used_at = ?2, last_used_from = ?3 WHERE id = ?1";
        let row = params![key.as_str(), at.as_micros(), from.map(|address| address.to_string())];
        savepoint.prepare_cached(sql).and_then(|mut statement| statement.execute(row)).map_err(failure)?;
    }
    if let Some(receipt) = &receipt {
        receipts::insert(&savepoint, receipt)?;
    }
    savepoint.commit().map_err(failure)?;
    *head = last;
    Ok((changes, entries))
}

/// Rejects the write unless all conditions hold.
fn check(connection: &Connection, requires: Vec<Require>, now: (u64, Timestamp)) -> Result<(), WriteError> {
    for require in requires {
        if !requires::holds(connection, &require, now)? {
            return Err(WriteError::Unmet(require));
        }
    }
    Ok(())
}

/// Removes receipts that are older than their lifetime.
pub(super) fn purge(connection: &Connection, now: i64) -> Result<(), StoreError> {
    let old = now.saturating_sub(RECEIPTS_KEPT_MICROS);
    connection.execute("DELETE FROM receipts WHERE at < ?1", [old]).map_err(failure)?;
    Ok(())
}

fn label(text: &str) -> Result<Label, StoreError> {
    Label::new(text).map_err(|error| StoreError::Broken(error.to_string()))
}

/// The document of a record in the log.
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
