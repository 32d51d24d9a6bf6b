//! A consistent copy, made by any process while the server goes on.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::permissions::FILE_MODE;
use super::verify::verify_file;
use super::{failure, schema};
use crate::store::{Head, StoreError};

/// Copies the database of a directory to a file that is not there yet, and verifies the copy. The file appears whole and verified, or not at all.
/// Returns the head of the log in it.
pub fn backup(directory: &Path, to: &Path) -> Result<Head, StoreError> {
    let unusable = |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", to.display()));
    if to.exists() {
        return Err(StoreError::Unavailable(format!("{}: it is there already", to.display())));
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

/// In one step: it copies one revision while writers go on, and does not begin anew with each of their commits.
fn copy(directory: &Path, to: &Path) -> Result<(), StoreError> {
    let from = schema::open_reader(&schema::file(directory))?;
    let mut to = Connection::open(to).map_err(failure)?;
    let backup = Backup::new(&from, &mut to).map_err(failure)?;
    loop {
        match backup.step(-1).map_err(failure)? {
            StepResult::Done => break,
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    drop(backup);
    // A file of its own: no write-ahead log beside it.
    to.pragma_update(None, "journal_mode", "DELETE").map_err(failure)
}
