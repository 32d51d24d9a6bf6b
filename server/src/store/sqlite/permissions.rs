//! File permissions: only the server's own account may access the data, unless the operator accepts
//! more.

use std::fs::{Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::paths;
use crate::store::StoreError;

/// The mode of every file that holds data.
pub(super) const FILE_MODE: u32 = 0o600;

/// The mode of a directory that holds data.
pub(super) const DIRECTORY_MODE: u32 = 0o700;

/// The permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// The accepted permissions of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Permissions {
    /// Files and directories that other accounts can access are rejected.
    #[default]
    Private,
    /// Files and directories that other accounts can access are accepted.
    Loose,
}

/// Creates an empty file that only this account can access. Leaves an existing file unchanged.
pub(super) fn create_private(file: &Path) -> std::io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Rejects a data directory if other accounts can access it or one of its files.
pub fn check(directory: &Path, permissions: Permissions) -> Result<(), StoreError> {
    if permissions == Permissions::Loose {
        return Ok(());
    }
    let loose = loose_paths(directory)?;
    if loose.is_empty() {
        return Ok(());
    }
    let described: Vec<String> = loose.iter().map(Loose::describe).collect();
    let commands: Vec<String> = loose.iter().map(Loose::command).collect();
    Err(StoreError::Exposed(format!(
        "other accounts of this machine can use the data: {}. Run: {}. \
         (--allow-loose-permissions skips this check.)",
        described.join(", "),
        commands.join(" && "),
    )))
}

/// A path that other accounts can access.
struct Loose {
    path: PathBuf,
    mode: u32,
    wanted: u32,
}

impl Loose {
    fn describe(&self) -> String {
        format!("{} has mode {:04o}", self.path.display(), self.mode)
    }

    fn command(&self) -> String {
        format!("chmod {:o} {}", self.wanted, quoted(&self.path))
    }
}

fn loose_paths(directory: &Path) -> Result<Vec<Loose>, StoreError> {
    let files = files(directory).into_iter().map(|file| (file, FILE_MODE));
    let paths = std::iter::once((directory.to_owned(), DIRECTORY_MODE)).chain(files);
    let mut loose = Vec::new();
    for (path, wanted) in paths {
        let Some(metadata) = metadata(&path)? else { continue };
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & OTHERS != 0 {
            loose.push(Loose { path, mode, wanted });
        }
    }
    Ok(loose)
}

/// The data files of a directory. SQLite creates its files with the mode of the database.
fn files(directory: &Path) -> Vec<PathBuf> {
    let database = paths::database(directory);
    let beside = ["-wal", "-shm", "-journal"].map(|suffix| {
        let mut name = database.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    });
    [database, paths::lock(directory)].into_iter().chain(beside).collect()
}

fn metadata(path: &Path) -> Result<Option<Metadata>, StoreError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::Unavailable(format!("{}: {error}", path.display()))),
    }
}

/// Quotes a path for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-+@%:,".contains(character);
    match text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_into_a_shell() {
        assert_eq!(quoted(Path::new("/var/lib/dezky")), "/var/lib/dezky");
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
