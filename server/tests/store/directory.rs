//! Temporary directories that are deleted at the end of a test.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A data directory that does not exist yet, inside a temporary directory.
pub struct Directory {
    root: PathBuf,
    inner: PathBuf,
}

impl Directory {
    pub fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&root).unwrap();
        Directory { inner: root.join("data"), root }
    }

    /// Returns the path for the data.
    pub fn path(&self) -> &Path {
        &self.inner
    }

    /// Returns a path outside the data directory.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// Creates a directory that only this account can use.
pub fn create_private_directory(path: &Path) {
    DirBuilder::new().mode(0o700).create(path).unwrap();
}

/// Creates a file that only this account can use.
pub fn create_private_file(path: &Path, content: &[u8]) {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).unwrap().write_all(content).unwrap();
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}
