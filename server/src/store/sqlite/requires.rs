//! Conditions that span records, judged inside the transaction.

use dezky_core::Id;
use rusqlite::{Connection, Params};

use super::failure;
use crate::store::{Require, StoreError};

/// Whether a condition holds. `until` is the newest revision before the write's own changes.
pub fn holds(connection: &Connection, require: &Require, until: u64) -> Result<bool, StoreError> {
    match require {
        Require::ActivePartner(id) => {
            exists(connection, "SELECT 1 FROM partners WHERE id = ?1 AND status = 'active'", [id.as_str()])
        }
        Require::LiveTenants(ids) => all_live(connection, ids),
        Require::AnActiveAdmin => exists(connection, "SELECT 1 FROM users WHERE is_active_admin = 1", []),
        Require::UnchangedWorld(since) => {
            let sql = "SELECT 1 FROM changes WHERE revision > ?1 AND revision <= ?2 AND kind IN ('tenant', 'partner', 'flag')";
            exists(connection, sql, [since, &until]).map(|changed| !changed)
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
