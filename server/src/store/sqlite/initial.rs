//! Reads the records that the server holds in memory. Of tenants, reads only the columns for
//! lookups, because there are many.

use dezky_core::Timestamp;
use dezky_core::model::{Flag, TenantStatus, User};
use dezky_core::names::{FlagKey, Id, PlanKey, Slug};
use dezky_core::world::{WorldPartner, WorldTenant};
use rusqlite::{Connection, Row};

use super::{broken, documents, failure, log, unwritable};
use crate::keys::KeyRecord;
use crate::store::{InitialState, StoreError, StoredKey};

/// Reads all records, at one revision.
pub(super) fn read(connection: &Connection) -> Result<InitialState, StoreError> {
    Ok(InitialState {
        revision: log::newest(connection)?.map_or(0, |newest| newest.revision),
        tenants: rows(connection, "SELECT id, slug, plan, partner_id, status FROM tenants", tenant)?,
        partners: rows(connection, "SELECT id, slug FROM partners", partner)?,
        users: documents(connection, "SELECT doc FROM users", [], User::from_json)?,
        keys: keys(connection)?,
        flags: documents(connection, "SELECT doc FROM flags ORDER BY id", [], Flag::from_json)?,
        flags_revision: flags_revision(connection)?,
        killed: rows(connection, KILLED, |row| FlagKey::new(text(row, 0)?).map_err(broken))?
            .into_iter()
            .collect(),
    })
}

/// Reads all machine keys, oldest first.
pub(super) fn keys(connection: &Connection) -> Result<Vec<StoredKey>, StoreError> {
    rows(
        connection,
        "SELECT doc, hash, last_used_at, previous_hash, last_used_from FROM keys ORDER BY id",
        key,
    )
}

const KILLED: &str = "SELECT entity_id FROM changes AS kill WHERE action = 'flag.kill' AND revision = \
    (SELECT max(revision) FROM changes WHERE kind = 'flag' AND entity_id = kill.entity_id)";

fn flags_revision(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT coalesce(max(revision), 0) FROM changes WHERE kind = 'flag'";
    connection.query_row(sql, [], |row| row.get(0)).map_err(failure)
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    read: fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare(sql).map_err(failure)?;
    let mut rows = statement.query([]).map_err(failure)?;
    let mut read_rows = Vec::new();
    while let Some(row) = rows.next().map_err(failure)? {
        read_rows.push(read(row)?);
    }
    Ok(read_rows)
}

fn tenant(row: &Row<'_>) -> Result<WorldTenant, StoreError> {
    let partner = row.get_ref(3).and_then(|value| Ok(value.as_str_or_null()?)).map_err(failure)?;
    let status = text(row, 4)?;
    let parsed = TenantStatus::ALL.iter().copied().find(|each| each.as_str() == status);
    Ok(WorldTenant {
        id: Id::new(text(row, 0)?).map_err(broken)?,
        slug: Slug::new(text(row, 1)?).map_err(broken)?,
        plan: PlanKey::new(text(row, 2)?).map_err(broken)?,
        partner_id: partner.map(Id::new).transpose().map_err(broken)?,
        status: parsed
            .ok_or_else(|| StoreError::Broken(format!("a tenant has the unknown status {status}")))?,
    })
}

fn key(row: &Row<'_>) -> Result<StoredKey, StoreError> {
    let mut key: KeyRecord = serde_json::from_str(text(row, 0)?).map_err(unwritable)?;
    key.hash = row.get(1).map_err(failure)?;
    let last_used_at: Option<i64> = row.get(2).map_err(failure)?;
    if let Some(previous) = &mut key.previous {
        previous.hash = row.get(3).map_err(failure)?;
    }
    let last_used_from: Option<String> = row.get(4).map_err(failure)?;
    Ok(StoredKey {
        key,
        last_used_at: last_used_at.map(Timestamp::from_micros).transpose().map_err(broken)?,
        last_used_from: last_used_from.and_then(|address| address.parse().ok()),
    })
}

fn partner(row: &Row<'_>) -> Result<WorldPartner, StoreError> {
    Ok(WorldPartner {
        id: Id::new(text(row, 0)?).map_err(broken)?,
        slug: Slug::new(text(row, 1)?).map_err(broken)?,
    })
}

fn text<'r>(row: &'r Row<'_>, index: usize) -> Result<&'r str, StoreError> {
    row.get_ref(index).and_then(|value| Ok(value.as_str()?)).map_err(failure)
}
