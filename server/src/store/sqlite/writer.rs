//! The writer thread: takes the queued writes, commits them together, calls the observer, and
//! replies.

use std::path::PathBuf;

use dezky_core::model::Change;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{apply, failure, log, schema};
use crate::store::{Observer, RecordChange, StoreError, Write, WriteError};

/// A queued write with the channel for its result.
pub(super) struct Job {
    /// The write to commit.
    pub(super) write: Write,
    /// The channel for the result.
    pub(super) reply: oneshot::Sender<Result<Vec<Change>, WriteError>>,
}

/// The most writes in one commit.
const BATCH: usize = 256;

/// The capacity of the queue. Callers wait when it is full.
pub(super) const QUEUE: usize = 1_024;

/// The pages in the write-ahead log from which an idle writer runs a checkpoint.
const PAGES_WHEN_IDLE: i64 = 1_000;

/// The pages in the write-ahead log from which a busy writer runs a checkpoint too.
const PAGES_AT_MOST: i64 = 8_000;

/// The state of the writer thread.
pub(super) struct WriterThread {
    file: PathBuf,
    connection: Option<Connection>,
    observer: Box<dyn Observer>,
    head: Option<Change>,
    /// A commit that failed in a way that does not tell whether it is durable.
    doubt: Option<PendingCommit>,
    last_purge: i64,
}

/// The result of applying one write, before the commit.
type WriteResult = Result<(Vec<Change>, Vec<RecordChange>), WriteError>;

/// The results of all writes of a batch, and the result of their commit.
type BatchResult = (Vec<WriteResult>, Result<(), StoreError>);

/// The effects of a commit: the new head of the log, and the changes for the observer.
struct PendingCommit {
    head: Option<Change>,
    changes: Vec<(u64, RecordChange)>,
}

/// The outcome of a commit.
enum CommitOutcome {
    Committed,
    RolledBack(StoreError),
    /// The commit failed, and the database cannot tell yet whether it is durable.
    Unknown(StoreError),
}

impl WriterThread {
    /// Creates a writer with an open connection.
    pub(super) fn new(
        file: PathBuf,
        connection: Connection,
        observer: Box<dyn Observer>,
    ) -> Result<WriterThread, StoreError> {
        let head = log::newest(&connection)?;
        Ok(WriterThread { file, connection: Some(connection), observer, head, doubt: None, last_purge: 0 })
    }

    /// Processes writes until the queue is closed.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        while jobs.blocking_recv_many(&mut batch, BATCH) > 0 {
            let (writes, replies): (Vec<Write>, Vec<_>) =
                batch.drain(..).map(|Job { write, reply }| (write, reply)).unzip();
            let results = self.commit(writes).unwrap_or_else(|error| {
                tracing::error!(%error, "a commit failed: all its writes fail");
                replies.iter().map(|_| Err(WriteError::Failed(error.clone()))).collect()
            });
            for (reply, result) in replies.into_iter().zip(results) {
                // A caller that no longer waits does not undo its write.
                let _ = reply.send(result);
            }
            self.checkpoint(if jobs.is_empty() { PAGES_WHEN_IDLE } else { PAGES_AT_MOST });
        }
        self.finish();
    }

    /// Commits all valid writes of a batch together. After an error, no write is acknowledged.
    ///
    /// After a failed commit, the head of the log decides. If it is the head of the batch, the
    /// commit is durable as a whole, and the observer and the callers are notified. If it is the
    /// previous head, the commit is invisible, and the next commit overwrites its pages in the
    /// write-ahead log. (If the machine fails before that, the commit may reappear as a whole. Its
    /// callers got an error, which promises nothing, and the next start reads everything.) If the
    /// database cannot be read, no further write starts until it can be read. Otherwise readers
    /// could see the batch before the observer.
    fn commit(&mut self, writes: Vec<Write>) -> Result<Vec<Result<Vec<Change>, WriteError>>, StoreError> {
        self.settle_doubt()?;
        let (applied, mut pending, outcome) = self.try_commit(writes)?;
        let mut results = Vec::with_capacity(applied.len());
        for result in applied {
            results.push(result.map(|(changes, written)| {
                pending.changes.extend(changes.iter().map(|change| change.revision).zip(written));
                changes
            }));
        }
        match outcome {
            CommitOutcome::Committed => self.finish_commit(pending),
            CommitOutcome::RolledBack(error) => return Err(error),
            CommitOutcome::Unknown(error) => {
                self.connection = None;
                self.doubt = Some(pending);
                return Err(error);
            }
        }
        Ok(results)
    }

    fn finish_commit(&mut self, pending: PendingCommit) {
        self.head = pending.head;
        if !pending.changes.is_empty() {
            self.observer.committed(&pending.changes);
        }
    }

    /// Determines the outcome of a commit in doubt.
    fn settle_doubt(&mut self) -> Result<(), StoreError> {
        let Some(doubted) = self.doubt.take() else { return Ok(()) };
        let found = self.connect().and_then(|connection| log::newest(connection));
        match found {
            Ok(found) if found == doubted.head => self.finish_commit(doubted),
            Ok(found) if found == self.head => {}
            found => {
                self.doubt = Some(doubted);
                self.connection = None;
                let moved = || StoreError::Broken("the head of the log was never committed".to_owned());
                return Err(found.err().unwrap_or_else(moved));
            }
        }
        Ok(())
    }

    /// Applies and commits a batch. An error guarantees that nothing was committed.
    fn try_commit(
        &mut self,
        writes: Vec<Write>,
    ) -> Result<(Vec<WriteResult>, PendingCommit, CommitOutcome), StoreError> {
        let mut head = self.head.clone();
        let now = writes.iter().map(|write| write.at.as_micros()).max().unwrap_or_default();
        let purges = now - self.last_purge > apply::PURGE_EVERY_MICROS;
        let connection = self.connect()?;
        let applied = apply_all(connection, writes, &mut head, purges.then_some(now));
        // If the rollback failed too, the open transaction must not become part of the next commit.
        if !connection.is_autocommit() {
            self.connection = None;
        }
        let (applied, committed) = applied?;
        let outcome = match committed {
            Ok(()) => CommitOutcome::Committed,
            Err(error) => self.outcome_of_failure(head.as_ref(), error),
        };
        if purges && matches!(outcome, CommitOutcome::Committed) {
            self.last_purge = now;
        }
        Ok((applied, PendingCommit { head, changes: Vec::new() }, outcome))
    }

    fn outcome_of_failure(&mut self, expected: Option<&Change>, error: StoreError) -> CommitOutcome {
        let found = self.connect().and_then(|connection| log::newest(connection));
        match found {
            Ok(found) if found == self.head => CommitOutcome::RolledBack(error),
            Ok(found) if found.as_ref() == expected => CommitOutcome::Committed,
            _ => CommitOutcome::Unknown(error),
        }
    }

    fn connect(&mut self) -> Result<&mut Connection, StoreError> {
        if self.connection.is_none() {
            self.connection = Some(schema::open_writer(&self.file)?);
        }
        self.connection
            .as_mut()
            .ok_or_else(|| StoreError::Unavailable("the writer has no connection".to_owned()))
    }

    /// Runs a checkpoint if the write-ahead log has enough pages. Runs between commits, so that it
    /// delays no acknowledgement. Counts pages, because the file never shrinks.
    fn checkpoint(&self, from: i64) {
        let Some(connection) = &self.connection else { return };
        let waiting = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
        let done = match connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], waiting) {
            Ok(pages) if pages < from => return,
            Ok(_) => connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "the checkpoint of the write-ahead log failed");
        }
    }

    fn finish(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(%error, "the final checkpoint failed: the next start recovers from the write-ahead log");
        }
    }
}

/// Applies the writes in one transaction, each completely or not at all, and commits. An error
/// precedes the commit.
fn apply_all(
    connection: &mut Connection,
    writes: Vec<Write>,
    head: &mut Option<Change>,
    purge: Option<i64>,
) -> Result<BatchResult, StoreError> {
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
