//! Reads and stores receipts of idempotency keys.

use dezky_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::failure;
use crate::store::{Receipt, StoreError};

/// Finds the receipt of a holder's idempotency key.
pub(super) fn find(connection: &Connection, holder: &str, key: &str) -> Result<Option<Receipt>, StoreError> {
    let sql =
        "SELECT fingerprint, at, status, etag, location, body FROM receipts WHERE holder = ?1 AND key = ?2";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let found = statement.query_row([holder, key], |row| {
        Ok(Receipt {
            holder: holder.to_owned(),
            key: key.to_owned(),
            fingerprint: row.get(0)?,
            at: Timestamp::from_micros(row.get(1)?).unwrap_or(Timestamp::EPOCH),
            status: row.get(2)?,
            etag: row.get(3)?,
            location: row.get(4)?,
            body: row.get(5)?,
        })
    });
    found.optional().map_err(failure)
}

/// Stores a new receipt.
pub(super) fn insert(connection: &Connection, receipt: &Receipt) -> Result<(), StoreError> {
    let sql = "INSERT INTO receipts (holder, key, fingerprint, at, status, etag, location, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let Receipt { holder, key, fingerprint, at, status, etag, location, body } = receipt;
    let row = params![holder, key, fingerprint, at.as_micros(), status, etag, location, body];
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute(row)).map_err(failure)?;
    Ok(())
}
