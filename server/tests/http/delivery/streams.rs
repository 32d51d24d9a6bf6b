//! Event streams: they announce each new version of a snapshot or slice, and nothing else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{SLICE, SLICE_STREAM, change, move_to_plan};
use crate::support::{Answer, Api, Event, EventStream, Server};

/// The event that announces this snapshot.
fn announcement(snapshot: &Answer) -> Event {
    let revision = snapshot.body["revision"].as_u64().unwrap();
    let population: u64 = snapshot.header("dezky-population").parse().unwrap();
    let digest = snapshot.etag().trim_matches('"').to_owned();
    let data = json!({ "revision": revision, "digest": digest, "population": population });
    Event::Message { id: revision.to_string(), name: "revision".to_owned(), data }
}

#[tokio::test]
async fn a_stream_announces_the_current_version_and_every_change() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let started = Instant::now();
    let mut stream = key.get("/flags/stream").open().await;
    assert_eq!(stream.answer.header("content-type"), "text/event-stream");
    assert_eq!(stream.answer.header("x-accel-buffering"), "no");
    let first = stream.event().await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    let whole = key.get("/flags/snapshot").send().await.is(200);
    assert_eq!(stream.answer.header("dezky-history"), whole.header("dezky-history"));
    assert_eq!(first, announcement(&whole));
    for pct in [1, 2, 3] {
        change(&operator, "meetings_e2ee", json!({ "state": "rollout", "pct": pct })).await;
        let event = stream.event().await;
        assert_eq!(event, announcement(&key.get("/flags/snapshot").send().await.is(200)));
    }
    // A change of a tenant changes the population alone.
    move_to_plan(&operator, "acme", "free").await;
    let moved = key.get("/flags/snapshot").send().await.is(200);
    assert_eq!(stream.event().await, announcement(&moved));
    stream.stays_silent(Duration::from_millis(300)).await;
}

#[tokio::test]
async fn a_reconnecting_reader_receives_the_newest_version_once() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let mut stream = key.get("/flags/stream").open().await;
    stream.next().await;
    drop(stream);
    for pct in [1, 2, 3] {
        change(&operator, "meetings_e2ee", json!({ "state": "rollout", "pct": pct })).await;
    }
    let mut stream = key.get("/flags/stream").header("last-event-id", "1").open().await;
    let event = stream.event().await;
    assert_eq!(event, announcement(&key.get("/flags/snapshot").send().await.is(200)));
    stream.stays_silent(Duration::from_millis(300)).await;
    let metrics = Api::anonymous(&server).await.get("/metrics").send().await.is(200).text;
    assert!(metrics.lines().any(|line| line == "dezky_streams 1"), "{metrics}");
}

#[tokio::test]
async fn a_burst_of_changes_ends_with_the_newest_version() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(key.get("/flags/stream").open().await);
    }
    let changes = 60;
    for number in 0..changes {
        change(&operator, "meetings_e2ee", json!({ "state": "rollout", "pct": number + 1 })).await;
    }
    let newest = key.get("/flags/snapshot").send().await.is(200);
    for stream in &mut streams {
        let (mut last, mut events) = (0, 0);
        loop {
            let (revision, data) = stream.next().await;
            assert!(revision > last, "{revision} after {last}");
            (last, events) = (revision, events + 1);
            if data["digest"] == newest.etag().trim_matches('"') {
                break;
            }
        }
        assert!(events <= changes + 1, "{events}");
        stream.stays_silent(Duration::from_millis(20)).await;
    }
}

async fn create(operator: &Api, key: &str, scope: Value) {
    let body = json!({ "key": key, "state": "targeted", "scope": scope });
    operator.post("/flags").json(body).send().await.is(201);
}

/// Three flags, acme's key, and the slice streams of that key and of a member.
struct Scene {
    operator: Api,
    key: Api,
    streams: [EventStream; 2],
    _server: Server,
}

impl Scene {
    /// Returns after both streams have announced the first slice.
    async fn new() -> Scene {
        let server = Server::start();
        let operator = Api::sign_in(&server, "operator").await;
        create(&operator, "by_plan", json!({ "plans": ["enterprise"] })).await;
        create(&operator, "by_tenant", json!({ "tenantSlugs": ["globex"] })).await;
        create(&operator, "by_partner", json!({ "partnerSlugs": ["lumen"] })).await;
        let key = Api::with_key(&server, &server.tenant_key("acme").await).await;
        let member = Api::sign_in(&server, "member").await;
        let mut streams = [key.get(SLICE_STREAM).open().await, member.get(SLICE_STREAM).open().await];
        assert_announced(&key, &mut streams).await;
        Scene { operator, key, streams, _server: server }
    }
}

/// Asserts that both streams announce the current slice.
async fn assert_announced(key: &Api, streams: &mut [EventStream; 2]) {
    let slice = key.get(SLICE).send().await.is(200);
    for stream in streams {
        let (revision, data) = stream.next().await;
        assert_eq!(slice.body["revision"], revision);
        assert_eq!(data, json!({ "revision": revision, "digest": slice.etag().trim_matches('"') }));
    }
}

#[tokio::test]
async fn a_slice_stream_is_silent_when_other_tenants_change() {
    let Scene { operator, key, mut streams, _server } = Scene::new().await;
    let slice = key.get(SLICE).send().await.is(200);
    move_to_plan(&operator, "globex", "free").await;
    move_to_plan(&operator, "globex", "enterprise").await;
    operator
        .post("/tenants")
        .json(json!({ "slug": "umpteenth", "name": "U", "plan": "business" }))
        .send()
        .await
        .is(201);
    change(&operator, "by_tenant", json!({ "scope": { "tenantSlugs": ["globex", "initech", "umpteenth"] } }))
        .await;
    change(&operator, "by_plan", json!({ "scope": { "plans": ["enterprise", "free"] } })).await;
    change(&operator, "by_tenant", json!({ "description": "Read by people." })).await;
    operator.patch("/partners/nordlys").any_version().json(json!({ "name": "Nord" })).send().await.is(200);
    for stream in &mut streams {
        stream.stays_silent(Duration::from_millis(300)).await;
    }
    assert_eq!(key.get(SLICE).send().await.is(200).text, slice.text);
}

#[tokio::test]
async fn a_slice_stream_announces_changes_of_its_flags_and_its_tenant() {
    let Scene { operator, key, mut streams, _server } = Scene::new().await;
    change(&operator, "by_tenant", json!({ "scope": { "tenantSlugs": ["acme", "globex"] } })).await;
    assert_announced(&key, &mut streams).await;
    move_to_plan(&operator, "acme", "enterprise").await;
    assert_announced(&key, &mut streams).await;
    let lumen = operator.get("/partners/lumen").send().await.is(200).body["id"].clone();
    operator.patch("/tenants/acme").any_version().json(json!({ "partnerId": lumen })).send().await.is(200);
    assert_announced(&key, &mut streams).await;
    create(&operator, "brand_new", json!({ "tenantSlugs": ["globex"] })).await;
    assert_announced(&key, &mut streams).await;
    operator.delete("/flags/brand_new").any_version().send().await.is(200);
    assert_announced(&key, &mut streams).await;
}
