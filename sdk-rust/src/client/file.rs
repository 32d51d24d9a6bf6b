//! The last-known-good file: a snapshot document that outlives the process.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::time::SystemTime;

use super::chance;
use super::held::Held;
use super::{ClientCode, ClientError};
use dezky_core::limits::MAX_DOCUMENT_BYTES;

/// What the file holds and how long ago it was written; `None` where there is no file.
pub(super) fn read(path: &Path) -> Result<Option<(Held, Duration)>, ClientError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable("cannot be read", &error)),
    };
    let mut bytes = Vec::new();
    // One byte more than is accepted is enough to be refused.
    (&file)
        .take(MAX_DOCUMENT_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unusable("cannot be read", &error))?;
    let written = file.metadata().and_then(|metadata| metadata.modified());
    // A clock that was set back makes a file of the future: it is new.
    let age = written.ok().and_then(|written| SystemTime::now().duration_since(written).ok());
    let held = Held::from_document(&bytes).map_err(|error| unusable("is no snapshot", &error))?;
    Ok(Some((held, age.unwrap_or_default())))
}

/// Puts other rules into the file: whoever reads it, at whatever moment, reads one of the two whole.
pub(super) fn write(path: &Path, held: &Held) -> Result<(), ClientError> {
    let beside = beside(path);
    let written =
        write_whole(&beside, held.to_document().as_bytes()).and_then(|()| fs::rename(&beside, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&beside);
        return Err(unusable("cannot be written", &error));
    }
    // The name as well must survive a loss of power; not every system lets a folder be flushed.
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A name that no other process writes to, in the same folder.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{}", chance::instance("new")));
    PathBuf::from(name)
}

fn unusable(what: &str, why: &dyn std::fmt::Display) -> ClientError {
    ClientError::new(ClientCode::FileUnusable, format!("the last-known-good file {what}: {why}"))
}
