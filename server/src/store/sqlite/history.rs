//! Begins a new history after an older copy of the data was restored.

use std::path::Path;

use dezky_core::Timestamp;
use dezky_core::model::{Actor, User};
use rusqlite::{Connection, TransactionBehavior};

use super::permissions::Permissions;
use super::{HISTORY_BYTES, apply, documents, failure, initial, log, paths, random, schema};
use crate::store::{Record, RecordChange, StoreError, StoredKey, Write, WriteError};

/// The treatment of machine keys in a restored copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoredKeys {
    /// All keys stay valid, even those that were revoked since the copy.
    Keep,
    /// All keys are revoked, as changes of the log.
    Revoke,
}

/// The credentials and rights in a restored copy. Some may have been removed since the copy was
/// made.
#[derive(Debug, Clone)]
pub struct RestoredAccess {
    /// All machine keys of the copy.
    pub keys: Vec<StoredKey>,
    /// All active platform admins of the copy.
    pub admins: Vec<User>,
}

/// Begins a new history, so that clients do not compare revisions of the old history with the new
/// ones. Without a decision on the machine keys, changes nothing. Logs revocations with this time
/// and actor. Returns the credentials and rights before the call.
pub fn begin_history(
    directory: &Path,
    permissions: Permissions,
    keys: Option<RestoredKeys>,
    (at, actor): (Timestamp, Actor),
) -> Result<RestoredAccess, StoreError> {
    let file = paths::database(directory);
    if !file.exists() {
        return Err(StoreError::Unavailable(format!("{}: the database does not exist", file.display())));
    }
    let _lock = schema::lock(directory, permissions)?;
    let mut connection = schema::open_writer(&file)?;
    schema::migrate(&mut connection)?;
    let restored = restored_access(&connection)?;
    let Some(keys) = keys else { return Ok(restored) };
    let mut transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
    if keys == RestoredKeys::Revoke {
        let mut head = log::newest(&transaction)?;
        apply::apply(&mut transaction, revocation(&restored.keys, at, actor), &mut head)
            .map_err(unwritten)?;
    }
    let sql = "INSERT INTO settings (name, value) VALUES ('history', ?1) \
               ON CONFLICT DO UPDATE SET value = excluded.value";
    transaction.execute(sql, [random::<HISTORY_BYTES>()?]).map_err(failure)?;
    transaction.commit().map_err(failure)?;
    Ok(restored)
}

fn restored_access(connection: &Connection) -> Result<RestoredAccess, StoreError> {
    let admins = "SELECT doc FROM users WHERE is_active_admin = 1 ORDER BY id";
    Ok(RestoredAccess {
        keys: initial::keys(connection)?,
        admins: documents(connection, admins, [], User::from_json)?,
    })
}

/// Builds the write that revokes all these keys.
fn revocation(keys: &[StoredKey], at: Timestamp, actor: Actor) -> Write {
    let revoke = |stored: &StoredKey| RecordChange {
        action: "key.revoke",
        before: Some(Record::Key(Box::new(stored.key.clone()))),
        after: None,
    };
    Write {
        at,
        actor,
        entries: keys.iter().map(revoke).collect(),
        requires: Vec::new(),
        receipt: None,
        key_uses: Vec::new(),
    }
}

fn unwritten(error: WriteError) -> StoreError {
    match error {
        WriteError::Failed(error) => error,
        other => StoreError::Broken(other.to_string()),
    }
}
