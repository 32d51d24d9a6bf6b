//! Going back to an older copy of the data: a new history, and what the copy brings back with it.

use std::path::Path;

use dezky_core::Timestamp;
use dezky_core::model::{Actor, User};
use rusqlite::{Connection, TransactionBehavior};

use super::permissions::Permissions;
use super::{HISTORY_BYTES, apply, documents, failure, log, population, random, schema};
use crate::store::{Entry, KeptKey, Record, StoreError, Write, WriteError};

/// What is done with the machine keys of an older copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysOfCopy {
    /// They stay valid, those that were revoked since the copy as well.
    Keep,
    /// All are revoked, as changes of the log.
    Revoke,
}

/// The credentials and rights that an older copy brings back, whatever became of them since.
#[derive(Debug, Clone)]
pub struct Revived {
    /// Every machine key.
    pub keys: Vec<KeptKey>,
    /// Every active platform admin.
    pub admins: Vec<User>,
}

/// Begins a new history: what was read from the old one is no longer comparable with what is read from now on. Until it is said what is done
/// with the machine keys, nothing is changed. Revocations are logged with this time and actor. Returns what the data brings back, as it was before.
pub fn begin_history(
    directory: &Path,
    permissions: Permissions,
    keys: Option<KeysOfCopy>,
    (at, actor): (Timestamp, Actor),
) -> Result<Revived, StoreError> {
    let file = schema::file(directory);
    if !file.exists() {
        return Err(StoreError::Unavailable(format!("{}: there is no database", file.display())));
    }
    let _lock = schema::lock(directory, permissions)?;
    let mut connection = schema::open_writer(&file)?;
    schema::migrate(&mut connection)?;
    let revived = revived(&connection)?;
    let Some(keys) = keys else { return Ok(revived) };
    let mut transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
    if keys == KeysOfCopy::Revoke {
        let mut head = log::newest(&transaction)?;
        apply::apply(&mut transaction, revocation(&revived.keys, at, actor), &mut head).map_err(unwritten)?;
    }
    let sql = "INSERT INTO settings (name, value) VALUES ('history', ?1) \
               ON CONFLICT DO UPDATE SET value = excluded.value";
    transaction.execute(sql, [random::<HISTORY_BYTES>()?]).map_err(failure)?;
    transaction.commit().map_err(failure)?;
    Ok(revived)
}

fn revived(connection: &Connection) -> Result<Revived, StoreError> {
    let admins = "SELECT doc FROM users WHERE is_active_admin = 1 ORDER BY id";
    Ok(Revived {
        keys: population::keys(connection)?,
        admins: documents(connection, admins, [], User::from_json)?,
    })
}

/// The revocation of all these keys.
fn revocation(keys: &[KeptKey], at: Timestamp, actor: Actor) -> Write {
    let revoke = |kept: &KeptKey| Entry {
        action: "key.revoke",
        before: Some(Record::Key(Box::new(kept.key.clone()))),
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
