//! Checks the conditions of a write inside its transaction.

use dezky_core::Timestamp;
use dezky_core::access::UserRecord;
use dezky_core::model::User;
use dezky_core::names::Id;
use rusqlite::{Connection, OptionalExtension, Params};

use super::{failure, lists, unwritable};
use crate::keys::KeyRecord;
use crate::store::{ActorRights, Require, StoreError};

/// Returns whether a condition holds. `until` is the newest revision before the write's own
/// changes, and `at` is the time of the write.
pub(super) fn holds(
    connection: &Connection,
    require: &Require,
    (until, at): (u64, Timestamp),
) -> Result<bool, StoreError> {
    match require {
        Require::Actor(id, rights) => has_rights(connection, id, rights, at),
        Require::ActivePartner(id) => {
            exists(connection, "SELECT 1 FROM partners WHERE id = ?1 AND status = 'active'", [id.as_str()])
        }
        Require::LiveTenants(ids) => all_live(connection, ids),
        Require::AnActiveAdmin => exists(connection, "SELECT 1 FROM users WHERE is_active_admin = 1", []),
        Require::FlagsWithin { flags, bytes } => {
            let sql = "SELECT count(*), coalesce(sum(rule_bytes), 0) FROM flags";
            let totals = |row: &rusqlite::Row<'_>| Ok((row.get::<_, usize>(0)?, row.get::<_, usize>(1)?));
            let mut statement = connection.prepare_cached(sql).map_err(failure)?;
            let (count, sum) = statement.query_row([], totals).map_err(failure)?;
            Ok(count <= *flags && sum <= *bytes)
        }
        Require::UnchangedWorld(since) => {
            let sql = "SELECT 1 FROM changes WHERE revision > ?1 AND revision <= ?2 AND kind IN ('tenant', 'partner', 'flag')";
            exists(connection, sql, [since, &until]).map(|changed| !changed)
        }
    }
}

fn has_rights(
    connection: &Connection,
    id: &Id,
    rights: &ActorRights,
    at: Timestamp,
) -> Result<bool, StoreError> {
    match rights {
        ActorRights::Person { .. } => {
            let sql = "SELECT doc FROM users WHERE id = ?1";
            let user = lists::one(connection, sql, id.as_str(), User::from_json)?;
            Ok(user.is_some_and(|user| ActorRights::from(UserRecord::from(&user)) == *rights))
        }
        ActorRights::Key => {
            let sql = "SELECT doc FROM keys WHERE id = ?1";
            let read = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
            let document = connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.query_row([id.as_str()], read).optional())
                .map_err(failure)?;
            let Some(document) = document else { return Ok(false) };
            let key: KeyRecord = serde_json::from_str(&document).map_err(unwritable)?;
            Ok(key.is_valid(at))
        }
    }
}

fn all_live(connection: &Connection, ids: &[Id]) -> Result<bool, StoreError> {
    for id in ids {
        let sql = "SELECT 1 FROM tenants WHERE id = ?1 AND status <> 'terminated'";
        if !exists(connection, sql, [id.as_str()])? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn exists(connection: &Connection, sql: &str, row: impl Params) -> Result<bool, StoreError> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.exists(row)).map_err(failure)
}
