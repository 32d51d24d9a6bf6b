//! What is SQLite's own: the directory, copies, the walk over the log.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use dezky_core::Timestamp;
use dezky_core::model::verify_chain;
use dezky_server::store::sqlite::{SqliteStore, backup, verify_log};
use dezky_server::store::{ChangeQuery, Observer, RecordChange, Store, StoreError, TenantFilter, Write};
use rusqlite::Connection;

use crate::directory::{Directory, create_private_directory, create_private_file};
use crate::records::*;

pub struct Nobody;

impl Observer for Nobody {
    fn committed(&mut self, _: &[(u64, RecordChange)]) {}
}

pub fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Box::new(Nobody)).unwrap()
}

#[tokio::test]
async fn one_process_a_directory() {
    let directory = Directory::new();
    let first = open(directory.path());
    let mode = std::fs::metadata(directory.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let Err(StoreError::Unavailable(reason)) = SqliteStore::open(directory.path(), Box::new(Nobody)) else {
        panic!("opened twice")
    };
    assert!(reason.contains("using it"), "{reason}");
    first.write(write([made(&tenant(1))])).await.unwrap();
    drop(first);
    assert!(open(directory.path()).tenant(&id("t1")).await.unwrap().is_some());
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let directory = Directory::new();
    let file = directory.beside("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(SqliteStore::open(&file, Box::new(Nobody)), Err(StoreError::Unavailable(_))));
    create_private_directory(directory.path());
    create_private_file(&directory.path().join("dezky.sqlite3"), &[b'x'; 8_192]);
    assert!(matches!(SqliteStore::open(directory.path(), Box::new(Nobody)), Err(StoreError::Broken(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_made_while_writing_are_consistent() {
    let directory = Directory::new();
    let store = Arc::new(open(directory.path()));
    store.write(write((0..2_000).map(|number| made(&tenant(number))))).await.unwrap();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in 0..150 {
                    let tenant = tenant(10_000 + writer * 1_000 + number);
                    let entries =
                        [made(&tenant), made(&subscription(writer * 1_000 + number, tenant.id(), price(1)))];
                    store.write(write(entries)).await.unwrap();
                }
            })
        })
        .collect();
    let mut heads = Vec::new();
    for number in 0..3 {
        let copy = directory.beside(&format!("copy-{number}/dezky.sqlite3"));
        create_private_directory(copy.parent().unwrap());
        let (before, _) = store.head().await.unwrap();
        backup(directory.path(), &copy).unwrap();
        let files: Vec<_> = std::fs::read_dir(copy.parent().unwrap())
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        assert_eq!(files, ["dezky.sqlite3"]);
        heads.push((copy, before, store.head().await.unwrap().0));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for (copy, before, after) in heads {
        let folder = copy.parent().unwrap();
        let (changes, head) = verify_log(folder).unwrap();
        assert!((before..=after).contains(&changes), "{before} {changes} {after}");
        let own = open(folder);
        assert_eq!(own.head().await.unwrap(), (changes, head));
        let population = own.initial_state().await.unwrap();
        let extra = changes - 2_000;
        assert_eq!((population.tenants.len() as u64, extra % 2), (2_000 + extra / 2, 0), "half a write");
        let totals = own.tenant_totals(TenantFilter { text: Some("tenant-00".into()), ..Default::default() });
        assert_eq!(totals.await.unwrap()["active"], 1_000);
        own.write(write([made(&tenant(99_999))])).await.unwrap();
    }
}

#[test]
fn a_copy_replaces_nothing() {
    let directory = Directory::new();
    let _store = open(directory.path());
    let copy = directory.beside("copy");
    std::fs::write(&copy, "precious").unwrap();
    assert!(backup(directory.path(), &copy).is_err());
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "precious");
    assert!(backup(directory.path(), &directory.beside("no/such/folder")).is_err());
    assert!(backup(&directory.beside("no-store"), &directory.beside("other")).is_err());
    assert!(!directory.beside("other").exists() && !directory.beside("other.partial").exists());
    assert!(!directory.beside("copy.partial").exists());
}

fn database(directory: &Directory) -> Connection {
    Connection::open(directory.path().join("dezky.sqlite3")).unwrap()
}

#[tokio::test]
async fn the_walk_over_the_log_finds_what_was_tampered_with() {
    let directory = Directory::new();
    let head = {
        let store = open(directory.path());
        assert_eq!(verify_log(directory.path()).unwrap(), (0, verify_chain(&[]).unwrap()));
        // More than are walked at a time.
        store.write(write((0..2_500).map(|number| made(&tenant(number))))).await.unwrap();
        let head = store.head().await.unwrap();
        // While the store is open.
        assert_eq!(verify_log(directory.path()).unwrap(), head);
        head
    };
    assert_eq!(verify_log(directory.path()).unwrap(), head);
    let tamperings = [
        "UPDATE changes SET doc = replace(doc, 'Tenant 7\"', 'Tenant 8\"') WHERE revision = 8",
        "UPDATE changes SET doc = replace(doc, 'operator@', 'somebody@') WHERE revision = 1000",
        "UPDATE changes SET doc = replace(doc, 'operator@', 'somebody@') WHERE revision = 1001",
        "UPDATE changes SET doc = replace(doc, 'operator@', 'somebody@') WHERE revision = 2500",
        "UPDATE changes SET doc = 'nothing' WHERE revision = 5",
        "DELETE FROM changes WHERE revision = 1",
        "DELETE FROM changes WHERE revision = 1000",
        "DELETE FROM changes WHERE revision = 2001",
        "UPDATE changes SET doc = (SELECT doc FROM changes AS other WHERE other.revision = 9) WHERE revision = 10",
    ];
    for tampering in tamperings {
        let copy = Directory::new();
        create_private_directory(copy.path());
        backup(directory.path(), &copy.path().join("dezky.sqlite3")).unwrap();
        assert_eq!(verify_log(copy.path()).unwrap(), head);
        assert_eq!(database(&copy).execute(tampering, []).unwrap(), 1);
        let found = verify_log(copy.path());
        assert!(matches!(found, Err(StoreError::Broken(_))), "{tampering}: {found:?}");
    }
    assert!(verify_log(&directory.beside("no-store")).is_err());
}

#[tokio::test]
async fn old_receipts_go() {
    const HOUR: i64 = 3_600;
    let directory = Directory::new();
    let store = open(directory.path());
    let written = |seconds: i64, key: &str| {
        let mut receipt = receipt("u1", key);
        receipt.at = at(seconds);
        Write { at: at(seconds), receipt: Some(receipt), ..write([]) }
    };
    store.write(written(0, "first")).await.unwrap();
    store.write(written(2 * HOUR, "second")).await.unwrap();
    store.write(written(47 * HOUR, "third")).await.unwrap();
    assert!(store.receipt("u1", "first").await.unwrap().is_some());
    store.write(written(49 * HOUR, "fourth")).await.unwrap();
    assert!(store.receipt("u1", "first").await.unwrap().is_none());
    for key in ["second", "third", "fourth"] {
        assert!(store.receipt("u1", key).await.unwrap().is_some(), "{key}");
    }
    assert_ne!(at(0), Timestamp::EPOCH);
}

/// Compacting the file by hand must not part the search index from its rows.
#[tokio::test]
async fn a_vacuum_changes_no_answer() {
    let directory = Directory::new();
    let store = open(directory.path());
    store.write(write((0..50).map(|number| made(&tenant(number))))).await.unwrap();
    store.write(write((0..20).map(|number| removed(&tenant(number))))).await.unwrap();
    drop(store);
    database(&directory).execute_batch("VACUUM").unwrap();
    let store = open(directory.path());
    let filter = TenantFilter { text: Some("tenant 31".into()), ..Default::default() };
    assert_eq!(store.tenant_totals(filter).await.unwrap()["active"], 1);
    let check = "INSERT INTO tenant_search (tenant_search, rank) VALUES ('integrity-check', 1)";
    store.write(write([changed(&tenant(31), &touched(&tenant(31)))])).await.unwrap();
    database(&directory).execute(check, []).unwrap();
}

/// A database that is locked away for too long costs the writes of that time, and no later one.
#[tokio::test(flavor = "multi_thread")]
async fn writes_fail_and_come_back() {
    let directory = Directory::new();
    let seen = crate::contract::Seen::default();
    let store = SqliteStore::open(directory.path(), Box::new(seen.clone())).unwrap();
    store.write(write([made(&tenant(1))])).await.unwrap();
    let other = database(&directory);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let failed = store.write(write([made(&tenant(2))])).await;
    assert!(
        matches!(failed, Err(dezky_server::store::WriteError::Failed(StoreError::Unavailable(_)))),
        "{failed:?}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.tenant(&id("t2")).await.unwrap(), None);
    store.write(write([made(&tenant(2))])).await.unwrap();
    assert_eq!(seen.revisions(), [1, 2]);
    let log = store.changes(ChangeQuery { limit: 10, ..Default::default() }).await.unwrap();
    assert_eq!(log.len(), 2);
}

/// The write-ahead log is brought into the database again and again, not kept for ever.
#[tokio::test(flavor = "multi_thread")]
async fn the_write_ahead_log_stays_small() {
    let directory = Directory::new();
    let store = Arc::new(open(directory.path()));
    let write_ahead_log = directory.path().join("dezky.sqlite3-wal");
    for round in 0..40 {
        let tenants: Vec<_> = (0..500).map(|number| tenant(round * 500 + number)).collect();
        store.write(write(tenants.iter().map(made))).await.unwrap();
    }
    let size = std::fs::metadata(&write_ahead_log).unwrap().len();
    assert!(size < 40 << 20, "{size}");
    drop(store);
    assert!(!write_ahead_log.exists() || std::fs::metadata(&write_ahead_log).unwrap().len() == 0);
}

/// A database of an older version has the log alone: its first start makes the past of flags from it.
#[tokio::test]
async fn the_past_of_flags_is_made_from_the_log() {
    let directory = Directory::new();
    let store = open(directory.path());
    let slugs =
        |numbers: std::ops::Range<usize>| -> Vec<String> { numbers.map(|n| format!("s-{n}")).collect() };
    let contents = [
        serde_json::json!({ "state": "off" }),
        serde_json::json!({ "state": "targeted", "scope": { "tenantSlugs": slugs(0..40), "plans": ["free"] } }),
        serde_json::json!({ "state": "targeted", "scope": { "tenantSlugs": slugs(20..60), "plans": ["free"] } }),
        serde_json::json!({ "state": "rollout", "pct": 12.5, "scope": { "tenantSlugs": slugs(20..60) } }),
        serde_json::json!({ "state": "on", "description": "Only people read this." }),
        serde_json::json!({ "state": "on", "description": "Again." }),
    ];
    let mut last: Option<dezky_core::model::Flag> = None;
    for (version, content) in contents.iter().enumerate() {
        let mut document = content.clone();
        document["key"] = "large".into();
        document["version"] = (version + 1).into();
        let flag = dezky_core::model::Flag::from_json(document.to_string().as_bytes()).unwrap();
        let entry = match &last {
            Some(before) => changed(before, &flag),
            None => made(&flag),
        };
        store.write(write([entry])).await.unwrap();
        last = Some(flag);
    }
    store.write(write([removed(&last.unwrap())])).await.unwrap();
    let axis = dezky_core::flags::Axis::TenantSlugs;
    let past = async |store: &SqliteStore| {
        let values = ["s-0", "s-30", "s-50", "s-90"].map(|slug| (axis, slug.to_owned())).to_vec();
        let listings = store.flag_listings(values, u64::MAX >> 1).await.unwrap();
        (store.flag_steps(0, u64::MAX >> 1, 100).await.unwrap(), listings)
    };
    let written = past(&store).await;
    let revisions: Vec<u64> = written.0.iter().map(|step| step.revision).collect();
    assert_eq!(revisions, [7, 5, 4, 3, 2, 1], "a new description is no change of a rule");
    let moves: Vec<(u64, bool)> = written.1.iter().map(|one| (one.revision, one.is_listed)).collect();
    assert_eq!(moves, [(2, true), (3, false), (2, true), (5, false), (3, true), (5, false)]);
    assert_eq!(store.flag_steps(2, 5, 1).await.unwrap(), written.0[2..3]);
    drop(store);
    let connection = Connection::open(directory.path().join("dezky.sqlite3")).unwrap();
    let forget =
        "DELETE FROM flag_steps; DELETE FROM flag_listings; DELETE FROM settings WHERE name = 'flag_past'";
    connection.execute_batch(forget).unwrap();
    drop(connection);
    assert_eq!(past(&open(directory.path())).await, written);
}
