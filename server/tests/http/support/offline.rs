//! Access to the data of a server that is stopped, without its HTTP interface.

use std::path::Path;

use dezky_core::Timestamp;
use dezky_core::model::Actor;
use dezky_server::store::sqlite::SqliteStore;
use dezky_server::store::{Observer, RecordChange, Store, Write};
use tokio::runtime::{Builder, Runtime};

struct IgnoreChanges;

impl Observer for IgnoreChanges {
    fn committed(&mut self, _: &[(u64, RecordChange)]) {}
}

/// Commits each list of entries as one write of the system.
pub fn commit_offline(data: &Path, writes: impl IntoIterator<Item = Vec<RecordChange>> + Send) {
    with_store(data, move |runtime, store| {
        for entries in writes {
            let write = Write {
                at: Timestamp::EPOCH,
                actor: Actor::default(),
                entries,
                requires: Vec::new(),
                receipt: None,
                key_uses: Vec::new(),
            };
            runtime.block_on(store.write(write)).unwrap();
        }
    });
}

/// The secret that seals the cursors and links of this server.
pub fn stored_secret(data: &Path) -> [u8; 32] {
    with_store(data, |runtime, store| runtime.block_on(store.secret()).unwrap())
}

/// Opens the store in a thread of its own, because a runtime cannot block inside another one.
fn with_store<T: Send>(data: &Path, work: impl FnOnce(&Runtime, &SqliteStore) -> T + Send) -> T {
    let run = || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let store = SqliteStore::open(data, Box::new(IgnoreChanges)).unwrap();
        work(&runtime, &store)
    };
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}
