//! Tests of the store: the contract of every store, and the behavior of the SQLite store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod contract;
mod directory;
mod history;
mod permissions;
mod records;
mod slices;
mod sqlite;
mod sqlite_versions;
mod verify;

use std::sync::Arc;

use dezky_server::store::sqlite::SqliteStore;

#[test]
fn the_sqlite_store_passes_the_contract() {
    contract::run(|| {
        let directory = directory::Directory::new();
        contract::DataLocation::new(move |observer| {
            Arc::new(SqliteStore::open(directory.path(), observer).unwrap())
        })
    });
}
