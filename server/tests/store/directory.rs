//! Directories of the tests' own, which go with them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory that is not there yet, in one that is removed in the end.
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

    /// Where the data may go.
    pub fn path(&self) -> &Path {
        &self.inner
    }

    /// A place beside the data.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}
