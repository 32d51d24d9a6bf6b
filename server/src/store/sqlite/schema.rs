//! Opening the database: its settings, and the numbered steps from whatever it is to what it should be.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::failure;
use crate::store::StoreError;

/// The steps, in order. One that was released never changes.
const MIGRATIONS: [&str; 5] = [
    include_str!("migrations/0001_tables.sql"),
    include_str!("migrations/0002_receipts.sql"),
    include_str!("migrations/0003_search.sql"),
    include_str!("migrations/0004_keys.sql"),
    include_str!("migrations/0005_people.sql"),
];

/// The first release of SQLite that never loses a committed transaction to a checkpoint that another connection resets.
const OLDEST_SQLITE: i32 = 3_051_003;

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pages that a reader keeps, in KiB: few, because the operating system keeps them too.
const READER_CACHE_KIB: i64 = 2_048;

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 64;

/// Where the database is.
pub fn file(directory: &Path) -> PathBuf {
    directory.join("dezky.sqlite3")
}

/// Makes the directory where there is none, and takes it for this process.
pub fn lock(directory: &Path) -> Result<File, StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        let text = format!("SQLite {} is older than 3.51.3, which this needs", rusqlite::version());
        return Err(StoreError::Unavailable(text));
    }
    let unusable =
        |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", directory.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(unusable)?;
    let options = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join("lock"));
    let lock = options.map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Unavailable(format!("{}: another server is using it", directory.display())))
        }
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// The connection that writes.
pub fn open_writer(file: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(file).map_err(failure)?;
    settle(&connection)?;
    // Every acknowledged write survives a loss of power; readers never wait for it.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failure)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failure)?;
    // What a savepoint may have to take back is small: no file for it.
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(failure)?;
    // Checkpoints are made between commits, not inside them.
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(failure)?;
    Ok(connection)
}

/// A connection that reads.
pub fn open_reader(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).map_err(failure)?;
    settle(&connection)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB).map_err(failure)?;
    connection.pragma_update(None, "query_only", true).map_err(failure)?;
    Ok(connection)
}

fn settle(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failure)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", true).map_err(failure)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(failure)
}

/// Takes the database from its version to the newest, a transaction a step.
pub fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrate_to(connection, MIGRATIONS.len())
}

/// Takes the database to a version.
pub fn migrate_to(connection: &mut Connection, version: usize) -> Result<(), StoreError> {
    let current: usize =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failure)?;
    if current > MIGRATIONS.len() {
        let text =
            format!("the database is of version {current}, and this server knows up to {}", MIGRATIONS.len());
        return Err(StoreError::Unavailable(text));
    }
    for (index, step) in MIGRATIONS.iter().enumerate().take(version).skip(current) {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
        transaction.execute_batch(step).map_err(failure)?;
        transaction.pragma_update(None, "user_version", index + 1).map_err(failure)?;
        transaction.commit().map_err(failure)?;
    }
    Ok(())
}
