//! Consistent backups, made by any process while the server runs.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::permissions::FILE_MODE;
use super::verify::verify_file;
use super::{failure, paths, schema};
use crate::store::{LogHead, StoreError};

/// Copies the database of a directory to a new file, and verifies the copy. The file appears
/// complete and verified, or not at all. Returns the head of the copied log.
pub fn backup(directory: &Path, to: &Path) -> Result<LogHead, StoreError> {
    let unusable = |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", to.display()));
    if to.exists() {
        return Err(StoreError::Unavailable(format!("{}: the file already exists", to.display())));
    }
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = to.with_file_name(name);
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&partial).map_err(unusable)?;
    let copied = copy(directory, &partial).and_then(|()| {
        File::open(&partial).and_then(|file| file.sync_all()).map_err(unusable)?;
        let head = verify_file(&partial, None)?;
        std::fs::hard_link(&partial, to).map_err(unusable)?;
        Ok(head)
    });
    let removed = std::fs::remove_file(&partial).map_err(unusable);
    let head = copied.and_then(|head| removed.map(|()| head))?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(unusable)?;
    Ok(head)
}

/// Copies in one step. A backup in several steps restarts after each commit of the server.
fn copy(directory: &Path, to: &Path) -> Result<(), StoreError> {
    let from = schema::open_reader(&paths::database(directory))?;
    let mut to = Connection::open(to).map_err(failure)?;
    let backup = Backup::new(&from, &mut to).map_err(failure)?;
    loop {
        match backup.step(-1).map_err(failure)? {
            StepResult::Done => break,
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    drop(backup);
    // Merges the write-ahead log, so that the copy is a single file.
    to.pragma_update(None, "journal_mode", "DELETE").map_err(failure)
}
