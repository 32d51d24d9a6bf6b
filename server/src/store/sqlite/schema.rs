//! Opens the database with its settings, and migrates its schema.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::failure;
use super::paths;
use super::permissions::{self, DIRECTORY_MODE, FILE_MODE, Permissions, create_private};
use crate::store::StoreError;

/// The migrations, in order. The statements of a released migration never change.
const MIGRATIONS: [&str; 6] = [
    include_str!("migrations/0001_tables.sql"),
    include_str!("migrations/0002_receipts.sql"),
    include_str!("migrations/0003_search.sql"),
    include_str!("migrations/0004_keys.sql"),
    include_str!("migrations/0005_people.sql"),
    include_str!("migrations/0006_flag_past.sql"),
];

/// The first SQLite release in which a checkpoint of another connection cannot lose a committed
/// transaction.
const OLDEST_SQLITE: i32 = 3_051_003;

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The page cache of a reader in KiB. It is small, because the operating system caches the file
/// too.
const READER_CACHE_KIB: i64 = 2_048;

/// The number of prepared statements that a connection caches.
const STATEMENTS: usize = 64;

/// Creates the directory and an empty database if missing, and locks the directory for this
/// process. Only this account can access what is created. Rejects existing data that other accounts
/// can access, unless the operator accepts it.
pub(super) fn lock(directory: &Path, permissions: Permissions) -> Result<File, StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        let text = format!("SQLite {} is too old: the server needs 3.51.3", rusqlite::version());
        return Err(StoreError::Unavailable(text));
    }
    let unusable =
        |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", directory.display()));
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory).map_err(unusable)?;
    permissions::check(directory, permissions)?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(FILE_MODE);
    let lock = options.open(paths::lock(directory)).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => create_private(&paths::database(directory)).map(|()| lock).map_err(unusable),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Unavailable(format!("{}: another server is using it", directory.display())))
        }
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Returns whether a process uses the directory.
pub fn is_locked(directory: &Path) -> Result<bool, StoreError> {
    let path = paths::lock(directory);
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

/// The newest schema version.
pub(super) fn newest_version() -> usize {
    MIGRATIONS.len()
}

/// Opens the connection of the writer.
pub(super) fn open_writer(file: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(file).map_err(failure)?;
    configure(&connection)?;
    // Every acknowledged write survives a loss of power, and readers never wait for writes.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failure)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failure)?;
    // A savepoint rolls back little data, so it needs no temporary file.
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(failure)?;
    // The writer runs checkpoints between commits, not inside them.
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(failure)?;
    Ok(connection)
}

/// Opens a connection for reads.
pub(super) fn open_reader(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).map_err(failure)?;
    configure(&connection)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB).map_err(failure)?;
    connection.pragma_update(None, "query_only", true).map_err(failure)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failure)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", true).map_err(failure)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(failure)
}

/// Migrates the database to the newest version, in one transaction per migration.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrate_to(connection, MIGRATIONS.len())
}

/// Returns the version of the database. Rejects versions that are newer than this server.
pub(super) fn supported_version(connection: &Connection) -> Result<usize, StoreError> {
    let current: usize =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failure)?;
    if current > MIGRATIONS.len() {
        let text = format!(
            "the database has version {current}, and this server supports versions up to {}",
            MIGRATIONS.len()
        );
        return Err(StoreError::Unavailable(text));
    }
    Ok(current)
}

/// Migrates the database to a version.
pub fn migrate_to(connection: &mut Connection, version: usize) -> Result<(), StoreError> {
    let current = supported_version(connection)?;
    for (index, step) in MIGRATIONS.iter().enumerate().take(version).skip(current) {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
        transaction.execute_batch(step).map_err(failure)?;
        transaction.pragma_update(None, "user_version", index + 1).map_err(failure)?;
        transaction.commit().map_err(failure)?;
    }
    Ok(())
}
