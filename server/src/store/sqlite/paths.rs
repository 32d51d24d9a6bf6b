//! The files of a data directory.

use std::path::{Path, PathBuf};

/// The path of the database in a data directory.
pub fn database(directory: &Path) -> PathBuf {
    directory.join("dezky.sqlite3")
}

/// The path of the file that a process locks while it uses the directory.
pub(super) fn lock(directory: &Path) -> PathBuf {
    directory.join("lock")
}
