//! Stores the past of flags in compact form, in the same transaction as each change.

use dezky_core::flags::{Axis, State};
use dezky_core::model::{Change, Flag, FlagContent};
use dezky_core::names::{FlagKey, Percent};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use serde_json::Value;

use super::{broken, failure, rows, unwritable};
use crate::store::{FlagDifference, FlagListing, FlagShape, FlagStep, Record, StoreError};

/// The number of changes per read while the past is rebuilt from the log.
const PAGE: usize = 50;

/// Appends the difference that a change made to a flag's rule. Ignores records of other kinds.
pub(super) fn append(
    connection: &Connection,
    revision: u64,
    before: Option<&Record>,
    after: Option<&Record>,
) -> Result<(), StoreError> {
    let Some(Record::Flag(flag)) = after.or(before) else { return Ok(()) };
    add(connection, revision, flag.key(), [before, after].map(flag_content))
}

fn flag_content(record: Option<&Record>) -> Option<&FlagContent> {
    match record {
        Some(Record::Flag(flag)) => Some(flag.content()),
        _ => None,
    }
}

fn add(
    connection: &Connection,
    revision: u64,
    flag: &FlagKey,
    [before, after]: [Option<&FlagContent>; 2],
) -> Result<(), StoreError> {
    let Some(FlagDifference { before, after, listings }) = FlagDifference::between(before, after) else {
        return Ok(());
    };
    let sql = "INSERT INTO flag_steps (revision, flag, before_state, before_pct, before_closed, \
               after_state, after_pct, after_closed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let [old, new] = [before, after].map(columns);
    let row = params![revision, flag.as_str(), old.0, old.1, old.2, new.0, new.1, new.2];
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute(row)).map_err(failure)?;
    let sql =
        "INSERT INTO flag_listings (axis, value, revision, flag, is_listed) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    for (axis, value, is_listed) in listings {
        let row = params![axis.as_str(), value, revision, flag.as_str(), is_listed];
        statement.execute(row).map_err(failure)?;
    }
    Ok(())
}

/// The columns of a shape; all NULL for a flag that does not exist.
fn columns(shape: Option<FlagShape>) -> (Option<&'static str>, Option<u16>, Option<u8>) {
    let state = shape.map(|shape| shape.state.as_str());
    (state, shape.map(|shape| shape.pct.hundredths()), shape.map(|shape| shape.closed))
}

/// Returns whether the database contains the past of flags. Older databases do not.
pub(super) fn is_kept(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM settings WHERE name = 'flag_past'";
    Ok(connection.query_row(sql, [], |_| Ok(())).optional().map_err(failure)?.is_some())
}

/// Compares the rows of a change with its document. Returns the number of rows; `None` if a row is
/// missing or different.
pub(super) fn verify(connection: &Connection, change: &Change) -> Result<Option<u64>, StoreError> {
    if change.content.entity.kind.as_str() != "flag" {
        return Ok(Some(0));
    }
    let [before, after] = [content(&change.content.before)?, content(&change.content.after)?];
    let Some(difference) = FlagDifference::between(before.as_ref(), after.as_ref()) else {
        return Ok(Some(0));
    };
    let (flag, mut count) = (change.content.entity.id.as_str(), 1);
    let sql = "SELECT 1 FROM flag_steps WHERE revision = ?1 AND flag = ?2 AND before_state IS ?3 AND before_pct IS ?4 \
               AND before_closed IS ?5 AND after_state IS ?6 AND after_pct IS ?7 AND after_closed IS ?8";
    let [old, new] = [difference.before, difference.after].map(columns);
    let row = params![change.revision, flag, old.0, old.1, old.2, new.0, new.1, new.2];
    if !connection.prepare_cached(sql).and_then(|mut statement| statement.exists(row)).map_err(failure)? {
        return Ok(None);
    }
    let sql = "SELECT 1 FROM flag_listings \
               WHERE axis = ?1 AND value = ?2 AND revision = ?3 AND flag = ?4 AND is_listed = ?5";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    for (axis, value, is_listed) in difference.listings {
        let row = params![axis.as_str(), value, change.revision, flag, is_listed];
        if !statement.exists(row).map_err(failure)? {
            return Ok(None);
        }
        count += 1;
    }
    Ok(Some(count))
}

/// Counts the rows up to a revision, and the rows that belong to no change.
pub(super) fn count(connection: &Connection, until: u64) -> Result<u64, StoreError> {
    let counted = |table: &str| {
        let sql = format!(
            "SELECT count(*) FROM {table} AS kept WHERE revision <= ?1 \
             OR NOT EXISTS (SELECT 1 FROM changes WHERE changes.revision = kept.revision)"
        );
        connection.query_row(&sql, [until], |row| row.get::<_, u64>(0)).map_err(failure)
    };
    Ok(counted("flag_steps")? + counted("flag_listings")?)
}

/// Returns the changes between two revisions (both exclusive), newest first.
pub(super) fn steps(
    connection: &Connection,
    (above, below): (u64, u64),
    limit: usize,
) -> Result<Vec<FlagStep>, StoreError> {
    let sql = "SELECT revision, flag, before_state, before_pct, before_closed, after_state, after_pct, after_closed \
               FROM flag_steps WHERE revision > ?1 AND revision < ?2 ORDER BY revision DESC LIMIT ?3";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![above, below, limit]).map_err(failure)?;
    let mut steps = Vec::new();
    while let Some(row) = rows.next().map_err(failure)? {
        steps.push(FlagStep {
            revision: row.get(0).map_err(failure)?,
            flag: flag_key(row, 1)?,
            before: shape(row, 2)?,
            after: shape(row, 5)?,
        });
    }
    Ok(steps)
}

/// Returns the additions and removals of these values up to a revision, oldest first for each
/// value.
pub(super) fn listings(
    connection: &Connection,
    values: &[(Axis, String)],
    up_to: u64,
) -> Result<Vec<FlagListing>, StoreError> {
    let sql = "SELECT revision, flag, is_listed FROM flag_listings \
               WHERE axis = ?1 AND value = ?2 AND revision <= ?3 ORDER BY revision";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let mut listings = Vec::new();
    for (axis, value) in values {
        let mut rows = statement.query(params![axis.as_str(), value, up_to]).map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            let revision = row.get(0).map_err(failure)?;
            let (flag, is_listed) = (flag_key(row, 1)?, row.get(2).map_err(failure)?);
            listings.push(FlagListing { revision, flag, axis: *axis, is_listed });
        }
    }
    Ok(listings)
}

/// Fills the past and the flags' sizes in a database of an older server, once.
pub(super) fn backfill(connection: &mut Connection) -> Result<(), StoreError> {
    if is_kept(connection)? {
        return Ok(());
    }
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
    let mut done = 0;
    loop {
        let page = page(&transaction, done)?;
        for change in &page {
            let key = FlagKey::new(change.content.entity.id.as_str()).map_err(broken)?;
            let [before, after] = [content(&change.content.before)?, content(&change.content.after)?];
            add(&transaction, change.revision, &key, [before.as_ref(), after.as_ref()])?;
        }
        match page.last() {
            Some(last) => done = last.revision,
            None => break,
        }
    }
    let flags = super::documents(&transaction, "SELECT doc FROM flags", [], Flag::from_json)?;
    for flag in flags {
        let row = params![flag.key().as_str(), rows::rule_bytes(&flag)];
        transaction.execute("UPDATE flags SET rule_bytes = ?2 WHERE id = ?1", row).map_err(failure)?;
    }
    transaction
        .execute("INSERT INTO settings (name, value) VALUES ('flag_past', ?1)", [&[1_u8][..]])
        .map_err(failure)?;
    transaction.commit().map_err(failure)
}

fn page(connection: &Connection, after: u64) -> Result<Vec<Change>, StoreError> {
    let sql = "SELECT doc FROM changes WHERE +kind = 'flag' AND revision > ?1 ORDER BY revision LIMIT ?2";
    super::documents(connection, sql, params![after, PAGE as i64], Change::from_json)
}

fn content(document: &Value) -> Result<Option<FlagContent>, StoreError> {
    if document.is_null() {
        return Ok(None);
    }
    let flag: Flag = serde_json::from_value(document.clone()).map_err(unwritable)?;
    Ok(Some(flag.content().clone()))
}

fn flag_key(row: &Row<'_>, index: usize) -> Result<FlagKey, StoreError> {
    let text = row.get_ref(index).and_then(|value| Ok(value.as_str()?)).map_err(failure)?;
    FlagKey::new(text).map_err(broken)
}

fn shape(row: &Row<'_>, first: usize) -> Result<Option<FlagShape>, StoreError> {
    let state = row.get_ref(first).and_then(|value| Ok(value.as_str_or_null()?)).map_err(failure)?;
    let Some(state) = state else { return Ok(None) };
    let unknown = || StoreError::Broken(format!("a flag has the unknown state {state}"));
    Ok(Some(FlagShape {
        state: State::parse(state).ok_or_else(unknown)?,
        pct: Percent::from_hundredths(row.get(first + 1).map_err(failure)?).map_err(broken)?,
        closed: row.get(first + 2).map_err(failure)?,
    }))
}
