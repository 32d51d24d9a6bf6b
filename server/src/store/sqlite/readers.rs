//! A pool of connections for reads, which run on blocking threads.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::schema;
use crate::histogram::timed;
use crate::store::{StoreError, StoreTimes};

/// The most reads at the same time.
const READERS: usize = 4;

/// The pool of connections.
#[derive(Clone)]
pub(super) struct Readers {
    file: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    times: Arc<StoreTimes>,
}

impl Readers {
    /// Creates a pool for an existing database. Opens connections on demand.
    pub(super) fn new(file: PathBuf, times: Arc<StoreTimes>) -> Readers {
        Readers { file, idle: Arc::default(), permits: Arc::new(Semaphore::new(READERS)), times }
    }

    /// Runs a query. All its statements read the same revision.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        timed(&self.times.reads, self.run(query)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let closed = |_| StoreError::Unavailable("the store is closing".to_owned());
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(closed)?;
        let readers = self.clone();
        let finished = tokio::task::spawn_blocking(move || {
            let connection = readers.take()?;
            let answer = in_one_revision(&connection, query);
            if answer.is_ok() {
                readers.give_back(connection);
            }
            drop(permit);
            answer
        });
        match finished.await {
            Ok(answer) => answer,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(StoreError::Unavailable("the store is closing".to_owned())),
        }
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| schema::open_reader(&self.file), Ok)
    }

    fn give_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

fn in_one_revision<T>(
    connection: &Connection,
    query: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.unchecked_transaction().map_err(super::failure)?;
    let answer = query(&transaction)?;
    transaction.finish().map_err(super::failure)?;
    Ok(answer)
}
