//! Snapshots and slices, the documents that clients evaluate with, and event streams about them.

mod slices;
mod snapshots;
mod stream_limits;
mod streams;

use std::sync::LazyLock;

use dezky_core::flags::Snapshot;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Answer, Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

const SLICE: &str = "/flags/slice?tenant=acme";

const SLICE_STREAM: &str = "/flags/slice/stream?tenant=acme";

/// A header of the answer, if it has one.
fn header(answer: &Answer, name: &str) -> Option<String> {
    answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

async fn change(operator: &Api, key: &str, change: Value) {
    operator.patch(format!("/flags/{key}")).any_version().json(change).send().await.is(200);
}

async fn move_to_plan(operator: &Api, tenant: &str, plan: &str) {
    let change = json!({ "plan": plan });
    operator.patch(format!("/tenants/{tenant}")).any_version().json(change).send().await.is(200);
}

/// Parses a document, and asserts that it is canonical and that its entity tag is its hash.
fn document(answer: &Answer) -> Snapshot {
    let snapshot = Snapshot::from_json(answer.text.as_bytes()).unwrap();
    assert_eq!(snapshot.to_canonical_json(), answer.text, "the document is not canonical");
    let hash: String =
        Sha256::digest(answer.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(answer.etag(), format!("\"{hash}\""));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("dezky-history").len(), 16);
    snapshot
}
