//! Opening the database: its settings, and the numbered steps from whatever it is to what it should be.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::failure;
use super::permissions::{self, DIRECTORY_MODE, FILE_MODE, Permissions, create_private};
use crate::store::StoreError;

/// The steps, in order. One that was released never changes.
const MIGRATIONS: [&str; 6] = [
    include_str!("migrations/0001_tables.sql"),
    include_str!("migrations/0002_receipts.sql"),
    include_str!("migrations/0003_search.sql"),
    include_str!("migrations/0004_keys.sql"),
    include_str!("migrations/0005_people.sql"),
    include_str!("migrations/0006_flag_past.sql"),
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

/// The file whose lock tells that a process uses the directory.
pub fn lock_file(directory: &Path) -> PathBuf {
    directory.join("lock")
}

/// Makes the directory and an empty database where there are none, and locks the directory for this process. Only this account can use what is
/// made; what was there and other accounts can use is refused, unless it is accepted.
pub fn lock(directory: &Path, permissions: Permissions) -> Result<File, StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        let text = format!("SQLite {} is older than 3.51.3, which this needs", rusqlite::version());
        return Err(StoreError::Unavailable(text));
    }
    let unusable =
        |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", directory.display()));
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory).map_err(unusable)?;
    permissions::check(directory, permissions)?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(FILE_MODE);
    let lock = options.open(lock_file(directory)).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => create_private(&file(directory)).map(|()| lock).map_err(unusable),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Unavailable(format!("{}: another server is using it", directory.display())))
        }
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Whether a process uses the directory.
pub fn is_locked(directory: &Path) -> Result<bool, StoreError> {
    let path = lock_file(directory);
    let unusable = |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", path.display()));
    let lock = match OpenOptions::new().write(true).open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(unusable(error)),
    };
    match lock.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// The newest version of a database.
pub fn newest_version() -> usize {
    MIGRATIONS.len()
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

/// The database's version; refused where it is newer than this server knows.
pub fn judge_version(connection: &Connection) -> Result<usize, StoreError> {
    let current: usize =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failure)?;
    if current > MIGRATIONS.len() {
        let text =
            format!("the database is of version {current}, and this server knows up to {}", MIGRATIONS.len());
        return Err(StoreError::Unavailable(text));
    }
    Ok(current)
}

/// Takes the database to a version.
pub fn migrate_to(connection: &mut Connection, version: usize) -> Result<(), StoreError> {
    let current = judge_version(connection)?;
    for (index, step) in MIGRATIONS.iter().enumerate().take(version).skip(current) {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
        transaction.execute_batch(step).map_err(failure)?;
        transaction.pragma_update(None, "user_version", index + 1).map_err(failure)?;
        transaction.commit().map_err(failure)?;
    }
    Ok(())
}
