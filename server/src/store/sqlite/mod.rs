//! The store in one SQLite database: one thread that writes, several connections that read.

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
    ChangeQuery, Customers, Exported, FlagListing, FlagQuery, FlagStep, Observer, PartnerQuery, Population,
    Receipt, Revenue, Store, StoreError, SubscriptionQuery, TenantFilter, TenantQuery, Times, UserQuery,
    Verification, VerifyError, Write, WriteError,
};
use crate::histogram::timed;
use readers::Readers;
use writer::{Job, QUEUE, Writer};

mod apply;
mod backup;
mod flag_past;
mod history;
mod lists;
mod log;
mod permissions;
mod population;
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
pub use history::{KeysOfCopy, Revived, begin_history};
pub use permissions::{Permissions, check as check_permissions};
pub use schema::{file, is_locked, migrate_to};
pub use verify::verify_file;

/// The version of SQLite that is built in.
pub fn version() -> &'static str {
    rusqlite::version()
}

/// Verifies the database of a directory: the newest revision and its hash.
pub fn verify_log(directory: &Path) -> Result<(u64, Digest), StoreError> {
    let head = verify_file(&file(directory), None)?;
    Ok((head.revision, head.hash))
}

/// What is found in a database without changing it.
pub struct Probe {
    /// Its version.
    pub version: usize,
    /// The newest version: opening the store brings it there.
    pub newest: usize,
    /// What a server would hold in memory; nothing, where the version is not the newest.
    pub population: Option<Population>,
}

/// Looks into the database of a directory, if there is one.
pub fn probe(directory: &Path) -> Result<Option<Probe>, StoreError> {
    let file = schema::file(directory);
    if !file.exists() {
        return Ok(None);
    }
    let connection = schema::open_reader(&file)?;
    let (version, newest) = (schema::judge_version(&connection)?, schema::newest_version());
    let population = (version == newest).then(|| population::read(&connection)).transpose()?;
    Ok(Some(Probe { version, newest, population }))
}

/// The store.
pub struct SqliteStore {
    jobs: Option<mpsc::Sender<Job>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    readers: Readers,
    times: Arc<Times>,
    // Held as long as the store is open: what is in memory holds only if nobody else writes.
    _lock: File,
}

impl SqliteStore {
    /// Opens the database of a directory, makes it where there is none, and brings it up to date. Data that other accounts can use is refused.
    pub fn open(directory: &Path, observer: Box<dyn Observer>) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_with(directory, Permissions::Private, observer)
    }

    /// Like `open`, for the permissions that the operator accepts.
    pub fn open_with(
        directory: &Path,
        permissions: Permissions,
        observer: Box<dyn Observer>,
    ) -> Result<SqliteStore, StoreError> {
        let lock = schema::lock(directory, permissions)?;
        let file = schema::file(directory);
        let mut connection = schema::open_writer(&file)?;
        schema::migrate(&mut connection)?;
        make_settings(&connection)?;
        flag_past::catch_up(&mut connection)?;
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let writer = Writer::new(file.clone(), connection, observer)?;
        let spawned =
            std::thread::Builder::new().name("writer".to_owned()).spawn(move || writer.run(waiting));
        let thread = spawned.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let times = Times::new().map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let times = Arc::new(times);
        Ok(SqliteStore {
            jobs: Some(jobs),
            writer: Mutex::new(Some(thread)),
            readers: Readers::new(file, Arc::clone(&times)),
            times,
            _lock: lock,
        })
    }

    async fn hand_over(&self, write: Write) -> Result<Vec<Change>, WriteError> {
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
        self.readers.ask(move |connection| lists::one(connection, sql, &name, read)).await
    }
}

impl Drop for SqliteStore {
    /// Waits for what was taken on, and leaves a database that needs no recovery.
    fn drop(&mut self) {
        self.jobs = None;
        let writer = self.writer.get_mut().map(Option::take);
        if let Ok(Some(writer)) = writer
            && writer.join().is_err()
        {
            tracing::error!("the writer has panicked");
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn write(&self, write: Write) -> Result<Vec<Change>, WriteError> {
        timed(&self.times.writes, self.hand_over(write)).await
    }

    async fn receipt(&self, holder: &str, key: &str) -> Result<Option<Receipt>, StoreError> {
        let (holder, key) = (holder.to_owned(), key.to_owned());
        self.readers.ask(move |connection| receipts::find(connection, &holder, &key)).await
    }

    async fn population(&self) -> Result<Population, StoreError> {
        self.readers.ask(population::read).await
    }

    async fn tenant(&self, id: &Id) -> Result<Option<Tenant>, StoreError> {
        self.find("SELECT doc FROM tenants WHERE id = ?1", id.as_str(), Tenant::from_json).await
    }

    async fn tenants(&self, query: TenantQuery) -> Result<Vec<Tenant>, StoreError> {
        self.readers.ask(move |connection| tenants::page(connection, &query)).await
    }

    async fn tenant_totals(&self, filter: TenantFilter) -> Result<BTreeMap<&'static str, u64>, StoreError> {
        self.readers.ask(move |connection| tenants::totals(connection, &filter)).await
    }

    async fn tenants_of_groups(&self, groups: Vec<String>) -> Result<Vec<Id>, StoreError> {
        self.readers.ask(move |connection| tenants::of_groups(connection, &groups)).await
    }

    async fn partner(&self, id: &Id) -> Result<Option<Partner>, StoreError> {
        self.find("SELECT doc FROM partners WHERE id = ?1", id.as_str(), Partner::from_json).await
    }

    async fn partners(&self, query: PartnerQuery) -> Result<Vec<Partner>, StoreError> {
        self.readers.ask(move |connection| lists::partners(connection, &query)).await
    }

    async fn customers(&self, partners: Vec<Id>) -> Result<BTreeMap<Id, Customers>, StoreError> {
        self.readers.ask(move |connection| sums::customers(connection, &partners)).await
    }

    async fn user(&self, id: &Id) -> Result<Option<User>, StoreError> {
        self.find("SELECT doc FROM users WHERE id = ?1", id.as_str(), User::from_json).await
    }

    async fn user_with_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        self.find("SELECT doc FROM users WHERE reserved_email = ?1", email.as_str(), User::from_json).await
    }

    async fn users(&self, query: UserQuery) -> Result<Vec<User>, StoreError> {
        self.readers.ask(move |connection| lists::users(connection, &query)).await
    }

    async fn subscription(&self, id: &Id) -> Result<Option<Subscription>, StoreError> {
        self.find("SELECT doc FROM subscriptions WHERE id = ?1", id.as_str(), Subscription::from_json).await
    }

    async fn subscription_tenant(&self, id: &Id, visible: Option<Vec<Id>>) -> Result<Option<Id>, StoreError> {
        let id = id.clone();
        self.readers
            .ask(move |connection| lists::subscription_tenant(connection, &id, visible.as_deref()))
            .await
    }

    async fn subscriptions(&self, query: SubscriptionQuery) -> Result<Vec<Subscription>, StoreError> {
        self.readers.ask(move |connection| lists::subscriptions(connection, &query)).await
    }

    async fn revenue(&self) -> Result<Revenue, StoreError> {
        self.readers.ask(sums::revenue).await
    }

    async fn flag(&self, key: &FlagKey) -> Result<Option<Flag>, StoreError> {
        self.find("SELECT doc FROM flags WHERE id = ?1", key.as_str(), Flag::from_json).await
    }

    async fn flags(&self, query: FlagQuery) -> Result<Vec<Flag>, StoreError> {
        self.readers.ask(move |connection| lists::flags(connection, &query)).await
    }

    async fn flag_steps(&self, above: u64, below: u64, limit: usize) -> Result<Vec<FlagStep>, StoreError> {
        self.readers.ask(move |connection| flag_past::steps(connection, (above, below), limit)).await
    }

    async fn flag_listings(
        &self,
        values: Vec<(Axis, String)>,
        up_to: u64,
    ) -> Result<Vec<FlagListing>, StoreError> {
        self.readers.ask(move |connection| flag_past::listings(connection, &values, up_to)).await
    }

    async fn changes(&self, query: ChangeQuery) -> Result<Vec<Change>, StoreError> {
        self.readers.ask(move |connection| log::page(connection, &query)).await
    }

    async fn head(&self) -> Result<(u64, Digest), StoreError> {
        let newest = self.readers.ask(log::newest).await?;
        match newest {
            Some(newest) => Ok((newest.revision, newest.hash)),
            None => Ok((0, verify_chain(&[]).map_err(broken)?)),
        }
    }

    async fn verify(&self, so_far: Verification) -> Result<Verification, VerifyError> {
        let step = |connection: &Connection| Ok(verify::step(connection, so_far));
        self.readers.ask(step).await?
    }

    async fn export(&self, after: u64, until: u64) -> Result<Exported, StoreError> {
        self.readers.ask(move |connection| log::export(connection, after, until)).await
    }

    async fn history(&self) -> Result<String, StoreError> {
        let sql = "SELECT value FROM settings WHERE name = 'history'";
        let read = |connection: &Connection| connection.query_row(sql, [], |row| row.get(0)).map_err(failure);
        let bytes: [u8; HISTORY_BYTES] = self.readers.ask(read).await?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    async fn secret(&self) -> Result<[u8; 32], StoreError> {
        let sql = "SELECT value FROM settings WHERE name = 'secret'";
        self.readers
            .ask(move |connection| connection.query_row(sql, [], |row| row.get(0)).map_err(failure))
            .await
    }

    fn times(&self) -> &Times {
        &self.times
    }
}

const HISTORY_BYTES: usize = 8;

/// What a new database is given for good, and an older one is given late.
fn make_settings(connection: &Connection) -> Result<(), StoreError> {
    let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    connection.execute(sql, params!["secret", random::<32>()?]).map_err(failure)?;
    connection.execute(sql, params!["history", random::<HISTORY_BYTES>()?]).map_err(failure)?;
    Ok(())
}

fn random<const SIZE: usize>() -> Result<[u8; SIZE], StoreError> {
    let mut bytes = [0_u8; SIZE];
    let unavailable = |_| StoreError::Unavailable("there is no randomness".to_owned());
    aws_lc_rs::rand::fill(&mut bytes).map_err(unavailable)?;
    Ok(bytes)
}

/// The documents that a question finds, in its order.
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
        // What is not SQLite's own: a value that is not what its column should hold.
        None => StoreError::Broken(error.to_string()),
    }
}

fn broken(error: Error) -> StoreError {
    StoreError::Broken(error.to_string())
}

fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::Broken(error.to_string())
}
