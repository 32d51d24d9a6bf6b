//! Many old versions of a large flag cost neither memory nor time.
//!
//! The command `DEZKY_PAST_EDITS=5000 cargo test -p dezky-server --test http -- past --nocapture`
//! prints the figures of the benchmarks' README.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use dezky_core::model::Flag;
use dezky_server::store::{Record, RecordChange};
use serde_json::json;

use crate::support::{Api, NO_LIMITS, Server, commit_offline};

const EDITS: usize = 300;

/// The flag after this many edits, about 320 kB of JSON. Each edit replaces one of 10,000 tenants.
fn large(edits: usize) -> Flag {
    let slugs: Vec<String> =
        (edits..edits + 10_000).map(|tenant| format!("a-tenant-of-a-platform-{tenant:06}")).collect();
    let document = json!({
        "key": "large", "state": "targeted", "scope": { "tenantSlugs": slugs }, "version": edits + 1,
    });
    Flag::from_json(document.to_string().as_bytes()).unwrap()
}

/// Commits edits to the data of a stopped server; the first edit creates the flag.
fn edit(data: &Path, edits: Range<usize>) {
    let record = |flag: Flag| Record::Flag(Box::new(flag));
    let mut last = edits.start.checked_sub(1).map(large);
    let writes = edits.map(move |number| {
        let next = large(number);
        let before = last.replace(next.clone()).map(record);
        vec![RecordChange { action: "flag.update", before, after: Some(record(next)) }]
    });
    commit_offline(data, writes);
}

/// The time of the first slice for a tenant without edits, and the resident memory after it.
async fn first_slice(server: &Server) -> (Duration, u64) {
    let operator = Api::sign_in(server, "operator").await;
    let started = Instant::now();
    operator.get("/flags/slice?tenant=dezky").send().await.is(200);
    (started.elapsed(), server.resident_kilobytes())
}

#[tokio::test]
async fn the_past_of_a_large_flag_costs_no_memory_and_no_time() {
    let edits = std::env::var("DEZKY_PAST_EDITS").map_or(EDITS, |edits| edits.parse().unwrap());
    let server = Server::start().restart_after(&NO_LIMITS, |data| edit(data, 0..1));
    let before = first_slice(&server).await;
    let server = server.restart_after(&NO_LIMITS, |data| edit(data, 1..edits + 1));
    let after = first_slice(&server).await;
    println!("{edits} edits: first slice {:?}, {} kB resident; before: {before:?}", after.0, after.1);
    assert!(after.1 <= before.1 * 3 / 2, "{after:?} after, {before:?} before");
    // Ten times the 200 ms of an idle machine, because tests run on busy ones.
    assert!(after.0 < Duration::from_secs(2), "{after:?}");
}
