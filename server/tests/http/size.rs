//! No write makes a snapshot that clients would refuse to read.

use dezky_core::limits::MAX_DOCUMENT_BYTES;
use dezky_core::{Actor, Flag, Snapshot, Timestamp};
use dezky_server::store::sqlite::SqliteStore;
use dezky_server::store::{Observer, Record, RecordChange, Store, Write};
use serde_json::{Value, json};

use crate::support::{Api, Server};

struct Nobody;

impl Observer for Nobody {
    fn committed(&mut self, _: &[(u64, RecordChange)]) {}
}

/// A flag for 10,000 tenants with the longest slugs: 660 kB.
fn large(number: usize) -> Value {
    let slugs: Vec<String> =
        (0..10_000).map(|tenant| format!("tenant-of-flag-{number:010}-{tenant:037}")).collect();
    json!({ "key": format!("large-{number}"), "state": "targeted", "scope": { "tenantSlugs": slugs } })
}

/// Puts flags into a server's data while it is stopped: through HTTP each of them would be compiled with all others.
fn put(data: &std::path::Path, flags: &[Value]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = SqliteStore::open(data, Box::new(Nobody)).unwrap();
    let entry = |flag: &Value| {
        let flag = Flag::from_json(flag.to_string().as_bytes()).unwrap();
        RecordChange { action: "flag.create", before: None, after: Some(Record::Flag(Box::new(flag))) }
    };
    runtime.block_on(async {
        for flag in flags {
            let write = Write {
                at: Timestamp::EPOCH,
                actor: Actor::default(),
                entries: vec![entry(flag)],
                requires: Vec::new(),
                receipt: None,
                key_uses: Vec::new(),
            };
            store.write(write).await.unwrap();
        }
    });
}

/// A server whose data hold these flags.
fn server_with(flags: Vec<Value>) -> Server {
    let settings = ["--rate-limit", "0", "--failure-limit", "0"];
    Server::start().restart_after(&settings, |data| {
        let data = data.to_owned();
        std::thread::spawn(move || put(&data, &flags)).join().unwrap();
    })
}

#[tokio::test]
async fn a_write_that_makes_the_snapshot_too_large_is_refused() {
    const FLAGS: usize = 50;
    let server = server_with((0..FLAGS).map(large).collect());
    let operator = Api::of(&server, "operator").await;
    let snapshot = async || operator.get("/flags/snapshot").send().await.is(200);
    let before = snapshot().await;
    assert!((MAX_DOCUMENT_BYTES - before.bytes.len()) < 660_000, "{}", before.bytes.len());
    operator.post("/flags").json(large(FLAGS)).send().await.refused(409, "snapshot_too_large");
    operator.post("/flags").json(json!({ "key": "small", "state": "on" })).send().await.is(201);
    let grow = json!({ "scope": large(FLAGS)["scope"], "state": "targeted" });
    let patch = |change: Value| operator.patch("/flags/small").on_any().json(change);
    patch(grow.clone()).send().await.refused(409, "snapshot_too_large");
    patch(json!({ "state": "rollout", "pct": 12.5 })).send().await.is(200);
    let after = snapshot().await;
    assert!(after.bytes.len() <= MAX_DOCUMENT_BYTES);
    Snapshot::from_json(after.text.as_bytes()).unwrap();
    // A kill is never refused, and what makes room lets the next one in.
    operator.post("/flags/large-0/kill").on_any().send().await.is(200);
    operator.delete("/flags/large-0").on_any().send().await.is(200);
    patch(grow).send().await.is(200);
}

/// An older server may have let the snapshot grow past the limit.
#[tokio::test]
async fn a_snapshot_above_the_limit_can_still_be_killed_and_shrunk() {
    let mut flags: Vec<Value> = (0..51).map(large).collect();
    flags.push(json!({ "key": "small", "state": "on" }));
    let server = server_with(flags);
    let operator = Api::of(&server, "operator").await;
    let small = |change: Value| operator.patch("/flags/small").on_any().json(change);
    small(json!({ "state": "rollout", "pct": 50 })).send().await.refused(409, "snapshot_too_large");
    // `off` is longer than `on`, and a kill is saved all the same.
    operator.post("/flags/small/kill").on_any().send().await.is(200);
    operator
        .patch("/flags/large-0")
        .on_any()
        .json(json!({ "state": "off", "scope": null }))
        .send()
        .await
        .is(200);
    operator.delete("/flags/large-1").on_any().send().await.is(200);
    small(json!({ "state": "on" })).send().await.is(200);
}
