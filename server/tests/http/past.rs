//! The past of a large flag costs neither memory nor time: only what is current does.
//!
//! `DEZKY_PAST_EDITS=5000 cargo test -p dezky-server --test http -- past --nocapture` prints the figures of the benchmarks' README.

use std::path::Path;
use std::time::{Duration, Instant};

use dezky_core::{Actor, Flag, Timestamp};
use dezky_server::store::sqlite::SqliteStore;
use dezky_server::store::{Observer, Record, RecordChange, Store, Write};
use serde_json::json;

use crate::support::{Api, Server};

const EDITS: usize = 300;

struct Nobody;

impl Observer for Nobody {
    fn committed(&mut self, _: &[(u64, RecordChange)]) {}
}

/// The flag after this many edits: each exchanges one of its 10,000 tenants; the document has some 320 kB.
fn large(edits: usize) -> Flag {
    let slugs: Vec<String> =
        (edits..edits + 10_000).map(|tenant| format!("a-tenant-of-a-platform-{tenant:06}")).collect();
    let document = json!({
        "key": "large", "state": "targeted", "scope": { "tenantSlugs": slugs }, "version": edits + 1,
    });
    Flag::from_json(document.to_string().as_bytes()).unwrap()
}

/// Writes edits into a server's data while it is stopped; the first one makes the flag.
fn edit(data: &Path, edits: std::ops::Range<usize>) {
    let data = data.to_owned();
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let store = SqliteStore::open(&data, Box::new(Nobody)).unwrap();
        let mut last = edits.start.checked_sub(1).map(large);
        for number in edits {
            let next = large(number);
            let record = |flag: Flag| Record::Flag(Box::new(flag));
            let before = last.replace(next.clone()).map(record);
            let entry = RecordChange { action: "flag.update", before, after: Some(record(next)) };
            let write = Write {
                at: Timestamp::EPOCH,
                actor: Actor::default(),
                entries: vec![entry],
                requires: Vec::new(),
                receipt: None,
                key_uses: Vec::new(),
            };
            runtime.block_on(store.write(write)).unwrap();
        }
    };
    std::thread::spawn(work).join().unwrap();
}

/// How long the first slice takes, of a tenant that no edit touched, and how much memory is resident then.
async fn first_slice(server: &Server) -> (Duration, u64) {
    let operator = Api::of(server, "operator").await;
    let started = Instant::now();
    operator.get("/flags/slice?tenant=dezky").send().await.is(200);
    (started.elapsed(), server.resident_kilobytes())
}

#[tokio::test]
async fn the_past_of_a_large_flag_costs_no_memory_and_no_time() {
    let edits = std::env::var("DEZKY_PAST_EDITS").map_or(EDITS, |edits| edits.parse().unwrap());
    let settings = ["--rate-limit", "0", "--failure-limit", "0"];
    let server = Server::start().restart_after(&settings, |data| edit(data, 0..1));
    let before = first_slice(&server).await;
    let server = server.restart_after(&settings, |data| edit(data, 1..edits + 1));
    let after = first_slice(&server).await;
    println!("{edits} edits: first slice {:?}, {} kB resident; before: {before:?}", after.0, after.1);
    assert!(after.1 <= before.1 * 3 / 2, "{after:?} after, {before:?} before");
    // A busy machine is given ten times the 200 ms that a quiet one is held to.
    assert!(after.0 < Duration::from_secs(2), "{after:?}");
}
