//! Revoked keys, and keys of terminated tenants: requests and streams end at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::watch;

use crate::support::{Api, NO_LIMITS, Server};

/// The number of answers that a test waits for before and after a revocation.
const ANSWERS: usize = 10;

#[tokio::test]
async fn a_revoked_key_is_unknown_to_the_next_request() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    for round in 0..3 {
        let (id, secret) = server.create_key(json!({ "name": "Under load", "kind": "server" })).await;
        let key = Api::with_key(&server, &secret).await;
        // The answers to requests sent before and after the revocation.
        let (counts, mut watched) = watch::channel([0; 2]);
        let (is_revoked, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
        let reading = async {
            while !is_over.load(Ordering::SeqCst) {
                let was_revoked = is_revoked.load(Ordering::SeqCst);
                let answer = key.get("/flags/snapshot").send().await;
                match was_revoked {
                    true => drop(answer.refused(401, "key_unknown")),
                    false => assert!([200, 401].contains(&answer.status)),
                }
                counts.send_modify(|counts| counts[usize::from(was_revoked)] += 1);
            }
        };
        let revoking = async {
            watched.wait_for(|counts| counts[0] >= ANSWERS).await.unwrap();
            let gone = api.delete(format!("/keys/{id}")).send().await.is(200);
            is_revoked.store(true, Ordering::SeqCst);
            assert_eq!(gone.body["id"], id.as_str());
            watched.wait_for(|counts| counts[1] >= ANSWERS).await.unwrap();
            is_over.store(true, Ordering::SeqCst);
        };
        let others = join_all((0..4).map(|_| async {
            while !is_over.load(Ordering::SeqCst) {
                key.get("/flags/snapshot").send().await;
            }
        }));
        tokio::join!(reading, revoking, others);
        for request in [api.get(format!("/keys/{id}")), api.delete(format!("/keys/{id}"))] {
            let answer = request.send().await;
            assert_eq!((answer.status, answer.code()), (404, "not_found"), "round {round}");
        }
    }
    let server = server.restart(&NO_LIMITS);
    let api = Api::sign_in(&server, "operator").await;
    assert!(api.get("/keys").send().await.is(200).items().is_empty());
    let log = api.get("/audit?entity=key").send().await.is(200);
    assert_eq!(log.each("action")[..2], ["key.revoke", "key.create"]);
}

#[tokio::test]
async fn a_revoked_keys_streams_end_with_the_next_event() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let (id, secret) = server.create_key(json!({ "name": "Streams", "kind": "server" })).await;
    let key = Api::with_key(&server, &secret).await;
    let mut streams = Vec::new();
    for path in ["/flags/stream", "/flags/slice/stream?tenant=acme"] {
        streams.push(key.get(path).open().await);
    }
    let kept = Api::with_key(&server, &server.server_key().await).await;
    let mut other = kept.get("/flags/stream").open().await;
    for stream in streams.iter_mut().chain([&mut other]) {
        stream.next().await;
    }
    api.delete(format!("/keys/{id}")).send().await.is(200);
    api.post("/flags/meetings_e2ee/kill").any_version().send().await.is(200);
    for stream in &mut streams {
        stream.ends_within(Duration::from_secs(2)).await;
    }
    other.next().await;
}

#[tokio::test]
async fn the_key_of_a_terminated_tenant_reads_nothing() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let key = Api::with_key(&server, &server.tenant_key("hooli").await).await;
    let context = || json!({ "context": { "targetingKey": "hooli" } });
    let mut stream = key.get("/flags/slice/stream?tenant=hooli").open().await;
    stream.next().await;
    api.post("/tenants/hooli/suspend").any_version().send().await.is(200);
    key.get("/flags/slice?tenant=hooli").send().await.is(200);
    key.post("/ofrep/v1/evaluate/flags").json(context()).send().await.is(200);
    stream.next().await;
    api.delete("/tenants/hooli").any_version().send().await.is(200);
    stream.ends_within(Duration::from_secs(2)).await;
    key.get("/flags/slice?tenant=hooli").send().await.refused(404, "not_found");
    key.get("/flags/slice/stream?tenant=hooli").send().await.refused(404, "not_found");
    key.post("/flags/evaluate").json(json!({ "tenantSlug": "hooli" })).send().await.refused(404, "not_found");
    let bulk = async |key: &Api, context| key.post("/ofrep/v1/evaluate/flags").json(context).send().await;
    bulk(&key, context()).await.refused(403, "denied_tenant_terminated");
    // A key learns neither that another tenant existed nor that it is terminated.
    let elsewhere = Api::with_key(&server, &server.tenant_key("globex").await).await;
    bulk(&elsewhere, context()).await.refused(403, "denied_key_scope");
    // The operator may read the tenant, so the answer gives the reason.
    api.get("/flags/slice?tenant=hooli").send().await.refused(403, "denied_tenant_terminated");
    let shown = api.get("/keys").send().await.is(200);
    assert_eq!(shown.items()[0]["tenantSlug"], "hooli");
}
