//! The number of streams, their heartbeats and their end.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use super::{SLICE, SLICE_STREAM, change};
use crate::support::{Api, Event, Server, eventually};

#[tokio::test]
async fn a_stream_ends_when_its_reader_loses_the_right_to_it() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let member = Api::sign_in(&server, "member").await;
    let mut stream = member.get(SLICE_STREAM).open().await;
    stream.next().await;
    let path = format!("/users/{}", operator.user_id("dev-member").await);
    operator.patch(path).any_version().json(json!({ "tenantIds": [] })).send().await.is(200);
    change(&operator, "meetings_e2ee", json!({ "state": "on" })).await;
    stream.ends_within(Duration::from_secs(2)).await;
    member.get(SLICE_STREAM).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let server = Server::start();
    let key = Api::with_key(&server, &server.server_key().await).await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(key.get("/flags/stream").open().await);
        streams.push(key.get(SLICE_STREAM).open().await);
    }
    for stream in &mut streams {
        stream.next().await;
    }
    let asked = Instant::now();
    server.stop();
    for stream in &mut streams {
        stream.ends_within(Duration::from_secs(5)).await;
    }
    drop(server);
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "the server waited for its streams: {:?}",
        asked.elapsed()
    );
}

/// At the time of a heartbeat, a stream whose key was revoked ends, without any other event.
#[tokio::test]
async fn an_idle_stream_sends_heartbeats_and_ends_with_its_key() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let (id, secret) =
        server.create_key(json!({ "name": "For a while", "kind": "tenant", "tenantSlug": "acme" })).await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let short = Api::with_key(&server, &secret).await;
    let mut revoked = short.get(SLICE_STREAM).open().await;
    let mut streams = [key.get("/flags/stream").open().await, key.get(SLICE_STREAM).open().await];
    revoked.next().await;
    for stream in &mut streams {
        stream.next().await;
    }
    operator.delete(format!("/keys/{id}")).send().await.is(200);
    let from = Instant::now();
    let [one, other] = &mut streams;
    let wait = Duration::from_secs(20);
    let (one, other, ()) =
        tokio::join!(one.next_within(wait), other.next_within(wait), revoked.ends_within(wait));
    assert_eq!((one, other), (Some(Some(Event::Heartbeat)), Some(Some(Event::Heartbeat))));
    assert!((14..18).contains(&from.elapsed().as_secs()), "{:?}", from.elapsed());
    // The streams still announce changes.
    change(&operator, "meetings_e2ee", json!({ "state": "on" })).await;
    for stream in &mut streams {
        stream.next().await;
    }
}

#[tokio::test]
async fn a_tenant_key_has_at_most_a_thousand_streams() {
    let server = Server::start();
    let (id, secret) =
        server.create_key(json!({ "name": "Many", "kind": "tenant", "tenantSlug": "acme" })).await;
    let key = Api::with_key(&server, &secret).await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.extend(join_all((0..100).map(|_| key.get(SLICE_STREAM).open())).await);
    }
    let refused = key.get(SLICE_STREAM).send().await.refused(429, "too_many_streams");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait));
    // The limit counts streams alone, and those of this key alone.
    key.get(SLICE).send().await.is(200);
    let second = Api::with_key(&server, &server.tenant_key("acme").await).await;
    streams.push(second.get(SLICE_STREAM).open().await);
    let server_key = Api::with_key(&server, &server.server_key().await).await;
    streams.push(server_key.get(SLICE_STREAM).open().await);
    // A closed stream makes room once the server has noticed.
    streams.drain(0..5);
    eventually("a closed stream makes room", async || {
        (key.get(SLICE_STREAM).send().await.status != 429).then_some(())
    })
    .await;
    // All streams of the key end with it.
    let operator = Api::sign_in(&server, "operator").await;
    operator.delete(format!("/keys/{id}")).send().await.is(200);
    change(&operator, "meetings_e2ee", json!({ "state": "on" })).await;
    for stream in &mut streams[..995] {
        stream.next().await;
        stream.ends_within(Duration::from_secs(5)).await;
    }
}
