//! The last-known-good file: a snapshot document that outlives the process.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::instance::random_name;
use super::loaded_snapshot::LoadedSnapshot;
use super::{ClientCode, ClientError};
use dezky_core::limits::MAX_DOCUMENT_BYTES;

/// Reads the file and the time since it was written; `None` if the file does not exist.
pub(super) fn read(path: &Path) -> Result<Option<(LoadedSnapshot, Duration)>, ClientError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable("read", &error)),
    };
    let mut bytes = Vec::new();
    // One byte above the limit is enough for the parser to reject the document.
    (&file)
        .take(MAX_DOCUMENT_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unusable("read", &error))?;
    let written = file.metadata().and_then(|metadata| metadata.modified());
    // After the clock was set back, the file may be dated in the future: it counts as new.
    let age = written.ok().and_then(|written| SystemTime::now().duration_since(written).ok());
    let snapshot = LoadedSnapshot::from_document(&bytes).map_err(|error| unusable("read", &error))?;
    Ok(Some((snapshot, age.unwrap_or_default())))
}

/// Replaces the file atomically: a reader sees the old document or the new one, never a part.
pub(super) fn write(path: &Path, snapshot: &LoadedSnapshot) -> Result<(), ClientError> {
    let temporary = temporary_path(path);
    let written =
        write_new(&temporary, snapshot.to_document().as_bytes()).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&temporary);
        return Err(unusable("written", &error));
    }
    // The rename must survive a power loss, too. Not every system can flush a directory.
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A path in the same folder that no other process writes to.
fn temporary_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{}", random_name("new")));
    PathBuf::from(name)
}

fn unusable(action: &str, reason: &dyn Display) -> ClientError {
    let message = format!("the last-known-good file cannot be {action}: {reason}");
    ClientError::new(ClientCode::FileUnusable, message)
}
