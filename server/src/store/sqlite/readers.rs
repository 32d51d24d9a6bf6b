//! Connections that read, each used by one question at a time, away from the threads that answer requests.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::schema;
use crate::histogram::timed;
use crate::store::{StoreError, Times};

/// Questions that are answered at a time.
const READERS: usize = 4;

/// The connections.
#[derive(Clone)]
pub struct Readers {
    file: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
    times: Arc<Times>,
}

impl Readers {
    /// Of a database that is there. Connections are opened as they are needed.
    pub fn new(file: PathBuf, times: Arc<Times>) -> Readers {
        Readers { file, idle: Arc::default(), places: Arc::new(Semaphore::new(READERS)), times }
    }

    /// Asks a question; everything that it reads is of one revision.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        timed(&self.times.reads, self.answer(question)).await
    }

    async fn answer<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let closed = |_| StoreError::Unavailable("the store is closing".to_owned());
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(closed)?;
        let readers = self.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let connection = readers.take()?;
            let answer = in_one_revision(&connection, question);
            if answer.is_ok() {
                readers.give_back(connection);
            }
            drop(place);
            answer
        });
        match asked.await {
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
    question: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.unchecked_transaction().map_err(super::failure)?;
    let answer = question(&transaction)?;
    transaction.finish().map_err(super::failure)?;
    Ok(answer)
}
