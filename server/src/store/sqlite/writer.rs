//! The one thread that writes: it takes what is waiting, commits it together, tells the observer, and only then answers.

use std::path::PathBuf;

use dezky_core::model::Change;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{apply, failure, log, schema};
use crate::store::{Entry, Observer, StoreError, Write, WriteError};

/// A write that waits, and where its answer goes.
pub struct Job {
    /// The write.
    pub write: Write,
    /// Who waits for it.
    pub reply: oneshot::Sender<Result<Vec<Change>, WriteError>>,
}

/// Writes that are committed together at most.
const BATCH: usize = 256;

/// Writes that wait before those who bring more have to wait as well.
pub const QUEUE: usize = 1_024;

/// Pages in the write-ahead log from which it is brought into the database: as soon as nobody waits, and in any case.
const PAGES_WHEN_IDLE: i64 = 1_000;
const PAGES_AT_MOST: i64 = 8_000;

/// The state of the thread.
pub struct Writer {
    file: PathBuf,
    connection: Option<Connection>,
    observer: Box<dyn Observer>,
    head: Option<Change>,
    doubt: Option<Landing>,
    last_purge: i64,
}

/// What became of one write before the commit.
type Applied = Result<(Vec<Change>, Vec<Entry>), WriteError>;

/// What became of each, and how the commit of them all went.
type Tried = (Vec<Applied>, Result<(), StoreError>);

/// What a commit brings: the log's new head, and what the observer is told.
struct Landing {
    head: Option<Change>,
    entries: Vec<(u64, Entry)>,
}

/// What became of a commit.
enum Outcome {
    Committed,
    RolledBack(StoreError),
    /// It failed, and so far nobody can tell whether it is in the database all the same.
    Unknown(StoreError),
}

impl Writer {
    /// With a connection that is open already.
    pub fn new(
        file: PathBuf,
        connection: Connection,
        observer: Box<dyn Observer>,
    ) -> Result<Writer, StoreError> {
        let head = log::newest(&connection)?;
        Ok(Writer { file, connection: Some(connection), observer, head, doubt: None, last_purge: 0 })
    }

    /// Works until nobody can bring anything any more.
    pub fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        while jobs.blocking_recv_many(&mut batch, BATCH) > 0 {
            let (writes, replies): (Vec<Write>, Vec<_>) =
                batch.drain(..).map(|Job { write, reply }| (write, reply)).unzip();
            let results = self.commit(writes).unwrap_or_else(|error| {
                tracing::error!(%error, "a commit failed: nothing of it is acknowledged");
                replies.iter().map(|_| Err(WriteError::Failed(error.clone()))).collect()
            });
            for (reply, result) in replies.into_iter().zip(results) {
                // Whoever no longer waits has gone; their write stands.
                let _ = reply.send(result);
            }
            self.checkpoint(if jobs.is_empty() { PAGES_WHEN_IDLE } else { PAGES_AT_MOST });
        }
        self.finish();
    }

    /// Everything of the batch that can be, in one commit. An error acknowledges nothing of it.
    ///
    /// What a failed commit left behind only the database can tell, and it is asked at once: if the log's head is the one that the batch was to
    /// bring, all of it landed, for a commit is whole, and the observer and the callers are told so; if it is still the one before, nobody sees
    /// anything of it, and the next commit overwrites what it left in the write-ahead log. (Only if the machine dies before that may it come
    /// back, as a whole. It was answered with an error, which promises nothing either way, and the next start reads everything anew.) If the
    /// database cannot be asked, nothing more is written until it can: else the batch might be seen without the observer having been told.
    fn commit(&mut self, writes: Vec<Write>) -> Result<Vec<Result<Vec<Change>, WriteError>>, StoreError> {
        self.settle_doubt()?;
        let (applied, landing, outcome) = self.try_commit(writes)?;
        let mut results = Vec::with_capacity(applied.len());
        let mut landing = landing;
        for result in applied {
            results.push(result.map(|(changes, written)| {
                landing.entries.extend(changes.iter().map(|change| change.revision).zip(written));
                changes
            }));
        }
        match outcome {
            Outcome::Committed => self.landed(landing),
            Outcome::RolledBack(error) => return Err(error),
            Outcome::Unknown(error) => {
                self.connection = None;
                self.doubt = Some(landing);
                return Err(error);
            }
        }
        Ok(results)
    }

    fn landed(&mut self, landing: Landing) {
        self.head = landing.head;
        if !landing.entries.is_empty() {
            self.observer.committed(&landing.entries);
        }
    }

    /// Finds out what became of the batch whose commit failed without the database being able to say more.
    fn settle_doubt(&mut self) -> Result<(), StoreError> {
        let Some(doubted) = self.doubt.take() else { return Ok(()) };
        let found = self.connect().and_then(|connection| log::newest(connection));
        match found {
            Ok(found) if found == doubted.head => self.landed(doubted),
            Ok(found) if found == self.head => {}
            found => {
                self.doubt = Some(doubted);
                self.connection = None;
                let moved =
                    || StoreError::Broken("the log's head is one that was never committed".to_owned());
                return Err(found.err().unwrap_or_else(moved));
            }
        }
        Ok(())
    }

    /// An error means that nothing was committed, for certain.
    fn try_commit(&mut self, writes: Vec<Write>) -> Result<(Vec<Applied>, Landing, Outcome), StoreError> {
        let mut head = self.head.clone();
        let now = writes.iter().map(|write| write.at.as_micros()).max().unwrap_or_default();
        let purges = now - self.last_purge > apply::PURGE_EVERY_MICROS;
        let connection = self.connect()?;
        let applied = apply_all(connection, writes, &mut head, purges.then_some(now));
        // Where a roll-back fails too, what the connection still holds must not become part of the next commit.
        if !connection.is_autocommit() {
            self.connection = None;
        }
        let (applied, committed) = applied?;
        let outcome = match committed {
            Ok(()) => Outcome::Committed,
            Err(error) => self.outcome_of_failure(head.as_ref(), error),
        };
        if purges && matches!(outcome, Outcome::Committed) {
            self.last_purge = now;
        }
        Ok((applied, Landing { head, entries: Vec::new() }, outcome))
    }

    fn outcome_of_failure(&mut self, expected: Option<&Change>, error: StoreError) -> Outcome {
        let found = self.connect().and_then(|connection| log::newest(connection));
        match found {
            Ok(found) if found == self.head => Outcome::RolledBack(error),
            Ok(found) if found.as_ref() == expected => Outcome::Committed,
            _ => Outcome::Unknown(error),
        }
    }

    fn connect(&mut self) -> Result<&mut Connection, StoreError> {
        if self.connection.is_none() {
            self.connection = Some(schema::open_writer(&self.file)?);
        }
        self.connection.as_mut().ok_or_else(|| StoreError::Unavailable("there is no connection".to_owned()))
    }

    /// Between commits, so that nobody's acknowledgement waits for it. The file's size says nothing: it stays what it once was.
    fn checkpoint(&self, from: i64) {
        let Some(connection) = &self.connection else { return };
        let waiting = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
        let done = match connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], waiting) {
            Ok(pages) if pages < from => return,
            Ok(_) => connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "the write-ahead log cannot be brought into the database now");
        }
    }

    fn finish(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(%error, "the write-ahead log stays for the next start");
        }
    }
}

/// The writes inside one transaction, each whole or not at all, and how its commit went. An error comes before the commit.
fn apply_all(
    connection: &mut Connection,
    writes: Vec<Write>,
    head: &mut Option<Change>,
    purge: Option<i64>,
) -> Result<Tried, StoreError> {
    let mut transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
    let mut applied = Vec::with_capacity(writes.len());
    for write in writes {
        let result = apply::apply(&mut transaction, write, head);
        if let Err(WriteError::Failed(error @ StoreError::Unavailable(_))) = &result {
            return Err(error.clone());
        }
        applied.push(result);
    }
    if let Some(now) = purge {
        apply::purge(&transaction, now)?;
    }
    Ok((applied, transaction.commit().map_err(failure)))
}
