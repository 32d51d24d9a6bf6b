//! The size limit of snapshots: no write makes one that clients refuse to read.

use dezky_core::flags::Snapshot;
use dezky_core::limits::MAX_DOCUMENT_BYTES;
use dezky_core::model::Flag;
use dezky_server::store::{Record, RecordChange};
use serde_json::{Value, json};

use crate::support::{Api, NO_LIMITS, Server, commit_offline};

/// A flag for 10,000 tenants with slugs of the maximum length: 660 kB.
fn large(number: usize) -> Value {
    let slugs: Vec<String> =
        (0..10_000).map(|tenant| format!("tenant-of-flag-{number:010}-{tenant:037}")).collect();
    json!({ "key": format!("large-{number}"), "state": "targeted", "scope": { "tenantSlugs": slugs } })
}

/// A server whose data holds these flags. The flags are written while the server is stopped: over
/// HTTP, each of them would be compiled together with all others.
fn server_with(flags: &[Value]) -> Server {
    let entry = |flag: &Value| {
        let flag = Flag::from_json(flag.to_string().as_bytes()).unwrap();
        RecordChange { action: "flag.create", before: None, after: Some(Record::Flag(Box::new(flag))) }
    };
    Server::start().restart_after(&NO_LIMITS, |data| {
        commit_offline(data, flags.iter().map(|flag| vec![entry(flag)]));
    })
}

#[tokio::test]
async fn a_write_that_makes_the_snapshot_too_large_is_refused() {
    const FLAGS: usize = 50;
    let server = server_with(&(0..FLAGS).map(large).collect::<Vec<_>>());
    let operator = Api::sign_in(&server, "operator").await;
    let snapshot = async || operator.get("/flags/snapshot").send().await.is(200);
    let before = snapshot().await;
    assert!((MAX_DOCUMENT_BYTES - before.bytes.len()) < 660_000, "{}", before.bytes.len());
    operator.post("/flags").json(large(FLAGS)).send().await.refused(409, "snapshot_too_large");
    operator.post("/flags").json(json!({ "key": "small", "state": "on" })).send().await.is(201);
    let grow = json!({ "scope": large(FLAGS)["scope"], "state": "targeted" });
    let patch = |change: Value| operator.patch("/flags/small").any_version().json(change);
    patch(grow.clone()).send().await.refused(409, "snapshot_too_large");
    patch(json!({ "state": "rollout", "pct": 12.5 })).send().await.is(200);
    let after = snapshot().await;
    assert!(after.bytes.len() <= MAX_DOCUMENT_BYTES);
    Snapshot::from_json(after.text.as_bytes()).unwrap();
    // A kill is never refused, and a deletion makes room for the next flag.
    operator.post("/flags/large-0/kill").any_version().send().await.is(200);
    operator.delete("/flags/large-0").any_version().send().await.is(200);
    patch(grow).send().await.is(200);
}

/// An older server may have let the snapshot grow past the limit.
#[tokio::test]
async fn a_snapshot_above_the_limit_can_still_be_killed_and_shrunk() {
    let mut flags: Vec<Value> = (0..51).map(large).collect();
    flags.push(json!({ "key": "small", "state": "on" }));
    let server = server_with(&flags);
    let operator = Api::sign_in(&server, "operator").await;
    let small = |change: Value| operator.patch("/flags/small").any_version().json(change);
    small(json!({ "state": "rollout", "pct": 50 })).send().await.refused(409, "snapshot_too_large");
    // A kill is saved although it makes the document longer: `off` is longer than `on`.
    operator.post("/flags/small/kill").any_version().send().await.is(200);
    operator
        .patch("/flags/large-0")
        .any_version()
        .json(json!({ "state": "off", "scope": null }))
        .send()
        .await
        .is(200);
    operator.delete("/flags/large-1").any_version().send().await.is(200);
    small(json!({ "state": "on" })).send().await.is(200);
}
