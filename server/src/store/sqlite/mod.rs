//! The store in one SQLite database, with one writer thread and several connections for reads.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use async_trait::async_trait;
use dezky_core::Error;
use dezky_core::flags::Axis;
use dezky_core::model::{Change, Flag, Partner, Subscription, Tenant, User, verify_chain};
use dezky_core::names::{Digest, Email, FlagKey, Id};
use rusqlite::{Connection, Params, params};
use tokio::sync::{mpsc, oneshot};

use super::{
    ChangeQuery, Customers, ExportChunk, FlagListing, FlagQuery, FlagStep, InitialState, Observer,
    PartnerQuery, Receipt, Revenue, Store, StoreError, StoreTimes, SubscriptionQuery, TenantFilter,
    TenantQuery, UserQuery, Verification, VerifyError, Write, WriteError,
};
use crate::histogram::timed;
use readers::Readers;
use writer::{Job, QUEUE, WriterThread};

mod apply;
mod backup;
mod flag_past;
mod history;
mod initial;
mod lists;
mod log;
mod paths;
mod permissions;
mod readers;
mod receipts;
mod requires;
mod rows;
mod schema;
mod sums;
mod tenants;
mod verify;
mod writer;

pub use backup::backup;
pub use history::{RestoredAccess, RestoredKeys, begin_history};
pub use paths::database;
pub use permissions::{Permissions, check as check_permissions};
pub use schema::{is_locked, migrate_to};
pub use verify::verify_file;

/// The version of the bundled SQLite.
pub fn version() -> &'static str {
    rusqlite::version()
}

/// Verifies the database of a directory. Returns the newest revision and its hash.
pub fn verify_log(directory: &Path) -> Result<(u64, Digest), StoreError> {
    let head = verify_file(&paths::database(directory), None)?;
    Ok((head.revision, head.hash))
}

/// The result of inspecting a database without changing it.
pub struct Probe {
    /// The schema version of the database.
    pub version: usize,
    /// The newest schema version, to which opening the store migrates.
    pub newest: usize,
    /// The records for the server's memory; `None` if the schema is outdated.
    pub initial: Option<InitialState>,
}

/// Inspects the database of a directory. Returns `None` if it does not exist.
pub fn probe(directory: &Path) -> Result<Option<Probe>, StoreError> {
    let file = paths::database(directory);
    if !file.exists() {
        return Ok(None);
    }
    let connection = schema::open_reader(&file)?;
    let (version, newest) = (schema::supported_version(&connection)?, schema::newest_version());
    let initial = (version == newest).then(|| initial::read(&connection)).transpose()?;
    Ok(Some(Probe { version, newest, initial }))
}

/// The store in an SQLite database.
pub struct SqliteStore {
    jobs: Option<mpsc::Sender<Job>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    readers: Readers,
    times: Arc<StoreTimes>,
    // Locked while the store is open: the state in memory requires that no other process writes.
    _lock: File,
}

impl SqliteStore {
    /// Opens or creates the database of a directory, and migrates it. Rejects data that other
    /// accounts can access.
    pub fn open(directory: &Path, observer: Box<dyn Observer>) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_with(directory, Permissions::Private, observer)
    }

    /// Like `open`, with the permissions that the operator accepts.
    pub fn open_with(
        directory: &Path,
        permissions: Permissions,
        observer: Box<dyn Observer>,
    ) -> Result<SqliteStore, StoreError> {
        let lock = schema::lock(directory, permissions)?;
        let file = paths::database(directory);
        let mut connection = schema::open_writer(&file)?;
        schema::migrate(&mut connection)?;
        create_settings(&connection)?;
        flag_past::backfill(&mut connection)?;
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let writer = WriterThread::new(file.clone(), connection, observer)?;
        let spawned =
            std::thread::Builder::new().name("writer".to_owned()).spawn(move || writer.run(waiting));
        let thread = spawned.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let times = StoreTimes::new().map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let times = Arc::new(times);
        Ok(SqliteStore {
            jobs: Some(jobs),
            writer: Mutex::new(Some(thread)),
            readers: Readers::new(file, Arc::clone(&times)),
            times,
            _lock: lock,
        })
    }

    async fn enqueue(&self, write: Write) -> Result<Vec<Change>, WriteError> {
        let (reply, answer) = oneshot::channel();
        let closed = || StoreError::Unavailable("the writer has stopped".to_owned());
        let jobs = self.jobs.as_ref().ok_or_else(closed)?;
        jobs.send(Job { write, reply }).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    async fn find<T: Send + 'static>(
        &self,
        sql: &'static str,
        name: &str,
        read: fn(&[u8]) -> Result<T, Error>,
    ) -> Result<Option<T>, StoreError> {
        let name = name.to_owned();
        self.readers.read(move |connection| lists::one(connection, sql, &name, read)).await
    }
}

impl Drop for SqliteStore {
    /// Waits for the queued writes, and leaves a database that needs no recovery.
    fn drop(&mut self) {
        self.jobs = None;
        let writer = self.writer.get_mut().map(Option::take);
        if let Ok(Some(writer)) = writer
            && writer.join().is_err()
        {
            tracing::error!("the writer thread panicked");
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn write(&self, write: Write) -> Result<Vec<Change>, WriteError> {
        timed(&self.times.writes, self.enqueue(write)).await
    }

    async fn receipt(&self, holder: &str, key: &str) -> Result<Option<Receipt>, StoreError> {
        let (holder, key) = (holder.to_owned(), key.to_owned());
        self.readers.read(move |connection| receipts::find(connection, &holder, &key)).await
    }

    async fn initial_state(&self) -> Result<InitialState, StoreError> {
        self.readers.read(initial::read).await
    }

    async fn tenant(&self, id: &Id) -> Result<Option<Tenant>, StoreError> {
        self.find("SELECT doc FROM tenants WHERE id = ?1", id.as_str(), Tenant::from_json).await
    }

    async fn tenants(&self, query: TenantQuery) -> Result<Vec<Tenant>, StoreError> {
        self.readers.read(move |connection| tenants::page(connection, &query)).await
    }

    async fn tenant_totals(&self, filter: TenantFilter) -> Result<BTreeMap<&'static str, u64>, StoreError> {
        self.readers.read(move |connection| tenants::totals(connection, &filter)).await
    }

    async fn tenants_of_groups(&self, groups: Vec<String>) -> Result<Vec<Id>, StoreError> {
        self.readers.read(move |connection| tenants::by_groups(connection, &groups)).await
    }

    async fn partner(&self, id: &Id) -> Result<Option<Partner>, StoreError> {
        self.find("SELECT doc FROM partners WHERE id = ?1", id.as_str(), Partner::from_json).await
    }

    async fn partners(&self, query: PartnerQuery) -> Result<Vec<Partner>, StoreError> {
        self.readers.read(move |connection| lists::partners(connection, &query)).await
    }

    async fn customers(&self, partners: Vec<Id>) -> Result<BTreeMap<Id, Customers>, StoreError> {
        self.readers.read(move |connection| sums::customers(connection, &partners)).await
    }

    async fn user(&self, id: &Id) -> Result<Option<User>, StoreError> {
        self.find("SELECT doc FROM users WHERE id = ?1", id.as_str(), User::from_json).await
    }

    async fn user_with_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        self.find("SELECT doc FROM users WHERE reserved_email = ?1", email.as_str(), User::from_json).await
    }

    async fn users(&self, query: UserQuery) -> Result<Vec<User>, StoreError> {
        self.readers.read(move |connection| lists::users(connection, &query)).await
    }

    async fn subscription(&self, id: &Id) -> Result<Option<Subscription>, StoreError> {
        self.find("SELECT doc FROM subscriptions WHERE id = ?1", id.as_str(), Subscription::from_json).await
    }

    async fn subscription_tenant(&self, id: &Id, visible: Option<Vec<Id>>) -> Result<Option<Id>, StoreError> {
        let id = id.clone();
        self.readers
            .read(move |connection| lists::subscription_tenant(connection, &id, visible.as_deref()))
            .await
    }

    async fn subscriptions(&self, query: SubscriptionQuery) -> Result<Vec<Subscription>, StoreError> {
        self.readers.read(move |connection| lists::subscriptions(connection, &query)).await
    }

    async fn revenue(&self) -> Result<Revenue, StoreError> {
        self.readers.read(sums::revenue).await
    }

    async fn flag(&self, key: &FlagKey) -> Result<Option<Flag>, StoreError> {
        self.find("SELECT doc FROM flags WHERE id = ?1", key.as_str(), Flag::from_json).await
    }

    async fn flags(&self, query: FlagQuery) -> Result<Vec<Flag>, StoreError> {
        self.readers.read(move |connection| lists::flags(connection, &query)).await
    }

    async fn flag_steps(&self, above: u64, below: u64, limit: usize) -> Result<Vec<FlagStep>, StoreError> {
        self.readers.read(move |connection| flag_past::steps(connection, (above, below), limit)).await
    }

    async fn flag_listings(
        &self,
        values: Vec<(Axis, String)>,
        up_to: u64,
    ) -> Result<Vec<FlagListing>, StoreError> {
        self.readers.read(move |connection| flag_past::listings(connection, &values, up_to)).await
    }

    async fn changes(&self, query: ChangeQuery) -> Result<Vec<Change>, StoreError> {
        self.readers.read(move |connection| log::page(connection, &query)).await
    }

    async fn head(&self) -> Result<(u64, Digest), StoreError> {
        let newest = self.readers.read(log::newest).await?;
        match newest {
            Some(newest) => Ok((newest.revision, newest.hash)),
            None => Ok((0, verify_chain(&[]).map_err(broken)?)),
        }
    }

    async fn verify(&self, so_far: Verification) -> Result<Verification, VerifyError> {
        let step = |connection: &Connection| Ok(verify::step(connection, so_far));
        self.readers.read(step).await?
    }

    async fn export(&self, after: u64, until: u64) -> Result<ExportChunk, StoreError> {
        self.readers.read(move |connection| log::export(connection, after, until)).await
    }

    async fn history(&self) -> Result<String, StoreError> {
        let sql = "SELECT value FROM settings WHERE name = 'history'";
        let read = |connection: &Connection| connection.query_row(sql, [], |row| row.get(0)).map_err(failure);
        let bytes: [u8; HISTORY_BYTES] = self.readers.read(read).await?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    async fn secret(&self) -> Result<[u8; 32], StoreError> {
        let sql = "SELECT value FROM settings WHERE name = 'secret'";
        self.readers
            .read(move |connection| connection.query_row(sql, [], |row| row.get(0)).map_err(failure))
            .await
    }

    fn times(&self) -> &StoreTimes {
        &self.times
    }
}

const HISTORY_BYTES: usize = 8;

/// Creates the secret and the history of a database that has none.
fn create_settings(connection: &Connection) -> Result<(), StoreError> {
    let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    connection.execute(sql, params!["secret", random::<32>()?]).map_err(failure)?;
    connection.execute(sql, params!["history", random::<HISTORY_BYTES>()?]).map_err(failure)?;
    Ok(())
}

fn random<const SIZE: usize>() -> Result<[u8; SIZE], StoreError> {
    let mut bytes = [0_u8; SIZE];
    let unavailable = |_| StoreError::Unavailable("the system has no random bytes".to_owned());
    aws_lc_rs::rand::fill(&mut bytes).map_err(unavailable)?;
    Ok(bytes)
}

/// Reads and parses the documents of a query, in its order.
fn documents<T>(
    connection: &Connection,
    sql: &str,
    row: impl Params,
    read: fn(&[u8]) -> Result<T, Error>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let mut rows = statement.query(row).map_err(failure)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failure)? {
        let text = row.get_ref(0).and_then(|value| Ok(value.as_str()?)).map_err(failure)?;
        found.push(read(text.as_bytes()).map_err(broken)?);
    }
    Ok(found)
}

fn ids_text(ids: &[Id]) -> Result<String, StoreError> {
    serde_json::to_string(ids).map_err(unwritable)
}

fn failure(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            StoreError::Broken(error.to_string())
        }
        Some(_) => StoreError::Unavailable(error.to_string()),
        // Not an error of SQLite itself: a column holds a value of another type.
        None => StoreError::Broken(error.to_string()),
    }
}

fn broken(error: Error) -> StoreError {
    StoreError::Broken(error.to_string())
}

fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::Broken(error.to_string())
}
