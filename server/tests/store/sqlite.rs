//! The SQLite store: its directory, its copies, and the verification of the log.

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

/// An observer that ignores all changes.
pub struct NoObserver;

impl Observer for NoObserver {
    fn committed(&mut self, _: &[(u64, RecordChange)]) {}
}

pub fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Box::new(NoObserver)).unwrap()
}

#[tokio::test]
async fn a_directory_serves_one_process() {
    let directory = Directory::new();
    let first = open(directory.path());
    let mode = std::fs::metadata(directory.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let Err(StoreError::Unavailable(reason)) = SqliteStore::open(directory.path(), Box::new(NoObserver))
    else {
        panic!("opened twice")
    };
    assert!(reason.contains("using it"), "{reason}");
    first.write(write([created(&tenant(1))])).await.unwrap();
    drop(first);
    assert!(open(directory.path()).tenant(&id("t1")).await.unwrap().is_some());
}

#[test]
fn a_directory_that_cannot_be_created_is_an_error() {
    let directory = Directory::new();
    let file = directory.beside("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(SqliteStore::open(&file, Box::new(NoObserver)), Err(StoreError::Unavailable(_))));
    create_private_directory(directory.path());
    create_private_file(&directory.path().join("dezky.sqlite3"), &[b'x'; 8_192]);
    assert!(matches!(SqliteStore::open(directory.path(), Box::new(NoObserver)), Err(StoreError::Broken(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_made_while_writing_are_consistent() {
    let directory = Directory::new();
    let store = Arc::new(open(directory.path()));
    store.write(write((0..2_000).map(|number| created(&tenant(number))))).await.unwrap();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in 0..150 {
                    let tenant = tenant(10_000 + writer * 1_000 + number);
                    let entries = [
                        created(&tenant),
                        created(&subscription(writer * 1_000 + number, tenant.id(), price(1))),
                    ];
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
        assert_eq!(
            (population.tenants.len() as u64, extra % 2),
            (2_000 + extra / 2, 0),
            "the copy holds a part of a write"
        );
        let totals = own.tenant_totals(TenantFilter { text: Some("tenant-00".into()), ..Default::default() });
        assert_eq!(totals.await.unwrap()["active"], 1_000);
        own.write(write([created(&tenant(99_999))])).await.unwrap();
    }
}

#[test]
fn a_backup_never_overwrites_a_file() {
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
async fn log_verification_finds_tampering() {
    let directory = Directory::new();
    let head = {
        let store = open(directory.path());
        assert_eq!(verify_log(directory.path()).unwrap(), (0, verify_chain(&[]).unwrap()));
        // More changes than one verification step reads.
        store.write(write((0..2_500).map(|number| created(&tenant(number))))).await.unwrap();
        let head = store.head().await.unwrap();
        // Verification also works while the store is open.
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
async fn receipts_expire_after_two_days() {
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

/// A manual VACUUM must keep the search index in step with its rows.
#[tokio::test]
async fn a_vacuum_keeps_the_search_index_correct() {
    let directory = Directory::new();
    let store = open(directory.path());
    store.write(write((0..50).map(|number| created(&tenant(number))))).await.unwrap();
    store.write(write((0..20).map(|number| deleted(&tenant(number))))).await.unwrap();
    drop(store);
    database(&directory).execute_batch("VACUUM").unwrap();
    let store = open(directory.path());
    let filter = TenantFilter { text: Some("tenant 31".into()), ..Default::default() };
    assert_eq!(store.tenant_totals(filter).await.unwrap()["active"], 1);
    let check = "INSERT INTO tenant_search (tenant_search, rank) VALUES ('integrity-check', 1)";
    store.write(write([updated(&tenant(31), &next_version(&tenant(31)))])).await.unwrap();
    database(&directory).execute(check, []).unwrap();
}

/// A locked database fails the writes of that time, but no later write.
#[tokio::test(flavor = "multi_thread")]
async fn writes_fail_while_the_database_is_locked_and_recover() {
    let directory = Directory::new();
    let observer = crate::contract::RecordingObserver::default();
    let store = SqliteStore::open(directory.path(), Box::new(observer.clone())).unwrap();
    store.write(write([created(&tenant(1))])).await.unwrap();
    let other = database(&directory);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let failed = store.write(write([created(&tenant(2))])).await;
    assert!(
        matches!(failed, Err(dezky_server::store::WriteError::Failed(StoreError::Unavailable(_)))),
        "{failed:?}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.tenant(&id("t2")).await.unwrap(), None);
    store.write(write([created(&tenant(2))])).await.unwrap();
    assert_eq!(observer.revisions(), [1, 2]);
    let log = store.changes(ChangeQuery { limit: 10, ..Default::default() }).await.unwrap();
    assert_eq!(log.len(), 2);
}

/// The write-ahead log is checkpointed regularly and does not grow without limit.
#[tokio::test(flavor = "multi_thread")]
async fn the_write_ahead_log_stays_small() {
    let directory = Directory::new();
    let store = Arc::new(open(directory.path()));
    let write_ahead_log = directory.path().join("dezky.sqlite3-wal");
    for round in 0..40 {
        let tenants: Vec<_> = (0..500).map(|number| tenant(round * 500 + number)).collect();
        store.write(write(tenants.iter().map(created))).await.unwrap();
    }
    let size = std::fs::metadata(&write_ahead_log).unwrap().len();
    assert!(size < 40 << 20, "{size}");
    drop(store);
    assert!(!write_ahead_log.exists() || std::fs::metadata(&write_ahead_log).unwrap().len() == 0);
}

/// An older database has only the log. The first start rebuilds the past of flags from the log.
#[tokio::test]
async fn the_past_of_flags_is_rebuilt_from_the_log() {
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
            Some(before) => updated(before, &flag),
            None => created(&flag),
        };
        store.write(write([entry])).await.unwrap();
        last = Some(flag);
    }
    store.write(write([deleted(&last.unwrap())])).await.unwrap();
    let axis = dezky_core::flags::Axis::TenantSlugs;
    let past = async |store: &SqliteStore| {
        let values = ["s-0", "s-30", "s-50", "s-90"].map(|slug| (axis, slug.to_owned())).to_vec();
        let listings = store.flag_listings(values, u64::MAX >> 1).await.unwrap();
        (store.flag_steps(0, u64::MAX >> 1, 100).await.unwrap(), listings)
    };
    let written = past(&store).await;
    let revisions: Vec<u64> = written.0.iter().map(|step| step.revision).collect();
    assert_eq!(revisions, [7, 5, 4, 3, 2, 1], "a new description does not change a rule");
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
