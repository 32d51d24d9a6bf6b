//! File permissions: only the account of the server can read the data.

use std::fs::{Permissions as Mode, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use dezky_server::store::sqlite::{Permissions, SqliteStore, backup};
use dezky_server::store::{Store, StoreError};

use crate::directory::Directory;
use crate::records::*;
use crate::sqlite::{NoObserver, open};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn loosen(path: &Path, mode: u32) {
    set_permissions(path, Mode::from_mode(mode)).unwrap();
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn refusal(directory: &Path) -> String {
    match SqliteStore::open(directory, Box::new(NoObserver)) {
        Err(StoreError::Exposed(reason)) => reason,
        Err(other) => panic!("refused for another reason: {other}"),
        Ok(_) => panic!("opened"),
    }
}

#[tokio::test]
async fn all_created_files_are_private() {
    let directory = Directory::new();
    // The rule also holds for a directory that existed before the server.
    crate::directory::create_private_directory(directory.path());
    let store = open(directory.path());
    store.write(write([created(&tenant(1))])).await.unwrap();
    let found = files(directory.path());
    let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["dezky.sqlite3", "dezky.sqlite3-shm", "dezky.sqlite3-wal", "lock"]);
    for file in &found {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    let copy = directory.beside("copy");
    backup(directory.path(), &copy).unwrap();
    assert_eq!(mode(&copy), 0o600);
    assert!(!directory.beside("copy.partial").exists());
}

#[tokio::test]
async fn files_that_other_accounts_can_use_are_refused() {
    let directory = Directory::new();
    drop(open(directory.path()));
    let database = directory.path().join("dezky.sqlite3");
    loosen(directory.path(), 0o750);
    let reason = refusal(directory.path());
    let path = directory.path().display();
    assert!(reason.contains(&format!("{path} has mode 0750")), "{reason}");
    assert!(reason.contains(&format!("chmod 700 {path}")), "{reason}");
    loosen(directory.path(), 0o700);
    for (name, loose) in [
        ("dezky.sqlite3", 0o644),
        ("dezky.sqlite3-wal", 0o640),
        ("dezky.sqlite3-shm", 0o604),
        ("lock", 0o620),
    ] {
        let file = directory.path().join(name);
        if !file.exists() {
            crate::directory::create_private_file(&file, b"");
        }
        loosen(&file, loose);
        let reason = refusal(directory.path());
        assert!(reason.contains(&format!("{} has mode {loose:04o}", file.display())), "{reason}");
        assert!(reason.contains(&format!("chmod 600 {}", file.display())), "{reason}");
        loosen(&file, 0o600);
    }
    // One command repairs several paths.
    loosen(&database, 0o644);
    loosen(directory.path(), 0o755);
    let reason = refusal(directory.path());
    let command = format!("chmod 700 {path} && chmod 600 {}", database.display());
    assert!(reason.contains(&command), "{reason}");
    let repair = std::process::Command::new("sh").args(["-c", &command]).status().unwrap();
    assert!(repair.success());
    open(directory.path()).write(write([created(&tenant(1))])).await.unwrap();
}

#[test]
fn loose_permissions_can_be_accepted() {
    let directory = Directory::new();
    drop(open(directory.path()));
    loosen(directory.path(), 0o755);
    loosen(&directory.path().join("dezky.sqlite3"), 0o644);
    refusal(directory.path());
    let opened = SqliteStore::open_with(directory.path(), Permissions::Loose, Box::new(NoObserver));
    drop(opened.unwrap());
    assert_eq!(mode(directory.path()), 0o755, "the mode that the operator chose must stay");
}
