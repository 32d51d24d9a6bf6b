//! Verification of a database: every change made behind the store is found.

use std::path::{Path, PathBuf};

use dezky_server::store::sqlite::{SqliteStore, backup, database, verify_file};
use dezky_server::store::{LogHead, Store, StoreError, Verification, VerifyError};
use rusqlite::Connection;

use crate::directory::{Directory, create_private_directory};
use crate::records::*;
use crate::sqlite::open;

/// Columns that the log does not determine: row numbers and the last use of keys.
const FREE_COLUMNS: [(&str, &str); 3] =
    [("tenants", "number"), ("keys", "last_used_at"), ("keys", "last_used_from")];

/// Tables that the log does not determine: settings, the search index, and receipts.
const OTHER_TABLES: [&str; 3] = ["settings", "receipts", "tenant_search"];

/// Writes three records of every kind, updates one and deletes one. Returns the head of the log.
async fn fill(store: &SqliteStore) -> LogHead {
    let member = user_of(serde_json::json!({
        "id": "u1", "email": "u1@example.org", "tenantIds": ["t1", "t2"], "platformAdmin": true,
        "subject": { "issuer": "https://id.example.org/", "sub": "7" },
    }));
    let records = [
        [tenant(1).record(), tenant(2).record(), tenant(3).record()],
        [partner(1).record(), partner(2).record(), partner(3).record()],
        [member.record(), user(2).record(), user(3).record()],
        [1, 2, 3].map(|number| subscription(number, &id("t1"), price(100)).record()),
        ["a", "b", "c"].map(|name| flag(name).record()),
        [key(1).record(), key(2).record(), key(3).record()],
    ];
    for [first, second, third] in &records {
        let later = next_version(first);
        let entries =
            [created(first), updated(first, &later), created(second), created(third), deleted(third)];
        store.write(write(entries)).await.unwrap();
    }
    let (revision, hash) = store.head().await.unwrap();
    LogHead { revision, hash }
}

/// Copies of one database for tampering.
struct Copies {
    directory: Directory,
    original: PathBuf,
    number: u32,
}

impl Copies {
    async fn new() -> (Copies, LogHead) {
        let directory = Directory::new();
        let head = fill(&open(directory.path())).await;
        let original = directory.beside("original");
        assert_eq!(backup(directory.path(), &original).unwrap(), head);
        (Copies { directory, original, number: 0 }, head)
    }

    /// Returns a new copy that was changed by the statement.
    fn tampered(&mut self, sql: &str) -> PathBuf {
        self.number += 1;
        let copy = self.directory.beside(&format!("copy-{}", self.number));
        std::fs::copy(&self.original, &copy).unwrap();
        let count = Connection::open(&copy).unwrap().execute(sql, []);
        assert!(matches!(count, Ok(1..)), "{sql}: {count:?}");
        copy
    }
}

#[track_caller]
fn breach_code(copy: &Path, tampering: &str) -> &'static str {
    match verify_file(copy, None) {
        Err(VerifyError::Breach(breach)) => breach.code,
        other => panic!("{tampering}: {other:?}"),
    }
}

#[tokio::test]
async fn every_column_of_every_table_is_compared_with_the_log() {
    let (mut copies, head) = Copies::new().await;
    assert_eq!(verify_file(&copies.original, None).unwrap(), head);
    let database = Connection::open(&copies.original).unwrap();
    let columns: Vec<(String, String, String)> = database
        .prepare(
            "SELECT tables.name, columns.name, columns.type FROM sqlite_schema AS tables \
             JOIN pragma_table_info(tables.name) AS columns \
             WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite%'",
        )
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    drop(database);
    let mut tested = 0;
    for (table, column, kind) in columns {
        let is_free = FREE_COLUMNS.contains(&(table.as_str(), column.as_str()));
        if is_free || OTHER_TABLES.iter().any(|other| table.starts_with(other)) {
            continue;
        }
        let value = match &*kind {
            "INTEGER" => format!("coalesce({column}, 0) + 1"),
            "BLOB" => "zeroblob(7)".to_owned(),
            _ => format!("coalesce({column}, '') || 'x'"),
        };
        // The last row, because its number plus one is free.
        let key = match &*table {
            "changes" | "change_tenants" | "flag_steps" | "flag_listings" => "revision",
            "memberships" => "tenant_id",
            _ => "id",
        };
        let sql =
            format!("UPDATE {table} SET {column} = {value} WHERE {key} = (SELECT max({key}) FROM {table})");
        let copy = copies.tampered(&sql);
        breach_code(&copy, &sql);
        tested += 1;
    }
    assert!(tested > 50, "{tested}");
}

#[tokio::test]
async fn missing_and_extra_rows_are_found() {
    let (mut copies, _) = Copies::new().await;
    let log = "log_broken";
    let tamperings = [
        ("DELETE FROM changes WHERE revision = 1", log),
        ("DELETE FROM changes WHERE revision = 7", log),
        ("UPDATE changes SET doc = replace(doc, 'Tenant 1', 'Tenant 9') WHERE revision = 1", log),
        (
            "UPDATE changes SET doc = (SELECT doc FROM changes WHERE revision = 9) WHERE revision = 10",
            "log_column",
        ),
        ("DELETE FROM tenants WHERE id = 't2'", "record_missing"),
        ("DELETE FROM keys WHERE id = 'k2'", "record_missing"),
        ("DELETE FROM memberships WHERE tenant_id = 't2'", "record_differs"),
        ("INSERT INTO memberships VALUES ('t2', 'u2')", "record_differs"),
        ("INSERT INTO change_tenants VALUES ('t2', 1)", "log_column"),
        ("INSERT INTO change_tenants VALUES ('t2', 99)", "log_column"),
        ("DELETE FROM change_tenants WHERE revision = 11", "log_column"),
        ("DELETE FROM flag_listings WHERE flag = 'b'", "log_column"),
        ("DELETE FROM flag_steps WHERE flag = 'b'", "log_column"),
        ("INSERT INTO flag_listings VALUES ('plans', 'gold', 1, 'b', 1)", "log_column"),
        ("INSERT INTO memberships VALUES ('t2', 'nobody')", "record_unknown"),
        (
            "INSERT INTO partners SELECT 'p9', 'new-slug', status, version, doc FROM partners WHERE id = 'p1'",
            "record_unknown",
        ),
        // A deleted flag and an earlier state of a user, restored from the log.
        (
            "INSERT INTO flags (id, version, doc) SELECT 'c', 1, json_extract(doc, '$.before') FROM changes WHERE entity_id = 'c' AND action = 'record.delete'",
            "record_unknown",
        ),
        (
            "UPDATE users SET doc = (SELECT json_extract(doc, '$.before') FROM changes WHERE entity_id = 'u1' AND action = 'record.update') WHERE id = 'u1'",
            "record_differs",
        ),
    ];
    for (sql, code) in tamperings {
        let copy = copies.tampered(sql);
        assert_eq!(breach_code(&copy, sql), code, "{sql}");
    }
}

#[tokio::test]
async fn a_saved_head_reveals_a_shortened_or_rewritten_log() {
    let (mut copies, head) = Copies::new().await;
    let last = head.revision;
    // An attacker who can write to the log and the table undoes the deletion of a key.
    let copy = copies.tampered(&format!("DELETE FROM changes WHERE revision = {last}"));
    Connection::open(&copy)
        .unwrap()
        .execute("INSERT INTO keys (id, hash, previous_hash, version, doc) SELECT 'k3', zeroblob(32), zeroblob(32), 1, json_extract(doc, '$.after') FROM changes WHERE entity_id = 'k3'", [])
        .unwrap();
    Connection::open(&copy)
        .unwrap()
        .execute("DELETE FROM change_tenants WHERE revision = ?1", [last])
        .unwrap();
    let shorter = verify_file(&copy, None).unwrap();
    assert_eq!(shorter.revision, last - 1, "without a saved head the shorter log is valid");
    let found = verify_file(&copy, Some(head.clone()));
    assert!(
        matches!(&found, Err(VerifyError::Breach(breach)) if breach.code == "log_shortened"),
        "{found:?}"
    );
    // An older head is part of a longer log. A wrong head is not.
    assert_eq!(verify_file(&copies.original, Some(shorter.clone())).unwrap(), head);
    let other = LogHead { hash: head.hash.clone(), ..shorter };
    let found = verify_file(&copies.original, Some(other));
    assert!(matches!(&found, Err(VerifyError::Breach(breach)) if breach.code == "head_differs"), "{found:?}");
}

/// A damaged page without rows is found by its structure. A backup of the database is refused.
#[tokio::test]
async fn a_damaged_file_is_found() {
    let (copies, _) = Copies::new().await;
    let damaged = copies.directory.beside("damaged");
    create_private_directory(&damaged);
    let database = database(&damaged);
    let mut bytes = std::fs::read(&copies.original).unwrap();
    let root: usize = Connection::open(&copies.original)
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'changes_by_action'", [], |row| {
            row.get(0)
        })
        .unwrap();
    let size = u16::from_be_bytes([bytes[16], bytes[17]]) as usize;
    let end = root * size;
    bytes[end - 40..end].fill(0);
    std::fs::write(&database, bytes).unwrap();
    let found = verify_file(&database, None);
    assert!(matches!(found, Err(VerifyError::Store(StoreError::Broken(_)))), "{found:?}");
    let copy = copies.directory.beside("copy-of-damaged");
    assert!(backup(&damaged, &copy).is_err());
    assert!(!copy.exists(), "an unverified copy must not appear");
}

/// Verifies in steps between writes: the log up to its first head, and the current records.
#[tokio::test]
async fn a_store_is_verified_while_it_is_written_to() {
    let directory = Directory::new();
    let store = open(directory.path());
    let tenants: Vec<_> = (0..2_500).map(tenant).collect();
    store.write(write(tenants.iter().map(created))).await.unwrap();
    let mut verification = Verification::new(None);
    let mut steps = 0;
    while !verification.is_complete {
        verification = store.verify(verification).await.unwrap();
        let (first, last) = (&tenants[steps], &tenants[2_400 + steps]);
        let entries = [updated(first, &next_version(first)), deleted(last), created(&tenant(3_000 + steps))];
        store.write(write(entries)).await.unwrap();
        steps += 1;
    }
    assert_eq!(verification.revision(), 2_500);
    assert!(steps > 1, "one step leaves no time for a write between steps");
    let newest = 2_500 + 3 * steps as u64;
    let mut exported = Vec::new();
    let mut after = 0;
    while after < newest {
        let chunk = store.export(after, newest).await.unwrap();
        assert!(chunk.last > after && chunk.lines.len() < 1 << 20);
        exported.extend(chunk.lines);
        after = chunk.last;
    }
    let lines: Vec<&[u8]> = exported.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
    let changes: Vec<_> =
        lines.iter().map(|line| dezky_core::model::Change::from_json(line).unwrap()).collect();
    assert_eq!(dezky_core::model::verify_chain(&changes).unwrap(), store.head().await.unwrap().1);
}
