//! The lifetime of machine keys and secrets: expiry, and rotation with overlap.

use std::time::Duration;

use dezky_core::Timestamp;
use serde_json::{Value, json};

use super::read_snapshot;
use crate::support::{Api, Server, unix_seconds, until_second};

/// The time this many seconds from now, as JSON.
pub(super) fn seconds_from_now(seconds: i64) -> Value {
    json!(Timestamp::from_seconds(unix_seconds() + seconds).unwrap())
}

async fn wait_until(time: &Value) {
    until_second(Timestamp::parse(time.as_str().unwrap()).unwrap().as_seconds()).await;
}

fn rotation(id: &str) -> String {
    format!("/keys/{id}/rotate")
}

#[tokio::test]
async fn an_expired_key_is_refused_like_an_unknown_one() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let expiry = seconds_from_now(3);
    let (id, secret) =
        server.create_key(json!({ "name": "Short", "kind": "server", "expiresAt": expiry })).await;
    let (_, other) = server
        .create_key(json!({ "name": "Long", "kind": "server", "expiresAt": seconds_from_now(3_600) }))
        .await;
    let shown = api.get(format!("/keys/{id}")).send().await.is(200).body;
    assert_eq!(shown["expiresAt"], expiry);
    read_snapshot(&server, &secret).await.is(200);
    let mut stream = Api::with_key(&server, &secret).await.get("/flags/stream").open().await;
    stream.next().await;
    wait_until(&expiry).await;
    let refused = read_snapshot(&server, &secret).await.refused(401, "key_unknown");
    assert_eq!(refused.body["detail"], read_snapshot(&server, "dzk_never").await.body["detail"]);
    read_snapshot(&server, &other).await.is(200);
    // The streams of the key end without another event.
    api.post("/flags/meetings_e2ee/kill").any_version().send().await.is(200);
    stream.ends_within(Duration::from_secs(2)).await;
    api.post(rotation(&id)).json(json!({})).send().await.refused(409, "key_expired");
    // The key is still listed, and stays expired after a restart.
    let server = server.restart(&["--rate-limit", "0"]);
    let api = Api::sign_in(&server, "operator").await;
    assert_eq!(api.get(format!("/keys/{id}")).send().await.is(200).body["expiresAt"], expiry);
    read_snapshot(&server, &secret).await.refused(401, "key_unknown");
    read_snapshot(&server, &other).await.is(200);
}

#[tokio::test]
async fn a_rotated_key_accepts_both_secrets_until_the_overlap_ends() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let (id, first) = server.create_key(json!({ "name": "Rotated", "kind": "server" })).await;
    let made = api.get(format!("/keys/{id}")).send().await.is(200).body;
    let mut old_stream = Api::with_key(&server, &first).await.get("/flags/stream").open().await;
    old_stream.next().await;
    let end = seconds_from_now(4);
    let answer = api.post(rotation(&id)).json(json!({ "previousUntil": end })).send().await.is(200).body;
    let second = answer["secret"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!((&answer["id"], &answer["name"], &answer["version"]), (&made["id"], &made["name"], &json!(2)));
    assert_eq!(answer["previous"], json!({ "hint": made["hint"], "until": end }));
    assert!(second.ends_with(answer["hint"].as_str().unwrap()));
    assert_eq!((&answer["createdBy"], &answer["createdAt"]), (&made["createdBy"], &made["createdAt"]));
    let mut new_stream = Api::with_key(&server, &second).await.get("/flags/stream").open().await;
    new_stream.next().await;
    for secret in [&first, &second] {
        read_snapshot(&server, secret).await.is(200);
    }
    wait_until(&end).await;
    read_snapshot(&server, &first).await.refused(401, "key_unknown");
    read_snapshot(&server, &second).await.is(200);
    api.post("/flags/meetings_e2ee/kill").any_version().send().await.is(200);
    old_stream.ends_within(Duration::from_secs(2)).await;
    new_stream.next().await;
}

#[tokio::test]
async fn a_rotation_without_overlap_refuses_the_old_secret_at_once() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let (id, first) = server.create_key(json!({ "name": "Rotated", "kind": "server" })).await;
    let answer = api.post(rotation(&id)).json(json!({})).send().await.is(200).body;
    assert_eq!(answer.get("previous"), None);
    read_snapshot(&server, &first).await.refused(401, "key_unknown");
    read_snapshot(&server, answer["secret"].as_str().unwrap()).await.is(200);
}

#[tokio::test]
async fn a_key_has_at_most_two_secrets_and_no_secret_is_logged() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let (id, first) = server.create_key(json!({ "name": "Rotated", "kind": "server" })).await;
    let mut secrets = vec![first];
    for _ in 0..3 {
        let body = json!({ "previousUntil": seconds_from_now(60) });
        let rotated = api.post(rotation(&id)).json(body).send().await.is(200).body;
        secrets.push(rotated["secret"].as_str().unwrap().to_owned());
    }
    let (older, newest) = secrets.split_at(2);
    for secret in older {
        read_snapshot(&server, secret).await.refused(401, "key_unknown");
    }
    let logged = server.log();
    let server = server.restart(&["--rate-limit", "0"]);
    for secret in newest {
        read_snapshot(&server, secret).await.is(200);
    }
    let api = Api::sign_in(&server, "operator").await;
    api.delete(format!("/keys/{id}")).send().await.is(200);
    for secret in newest {
        read_snapshot(&server, secret).await.refused(401, "key_unknown");
    }
    api.post(rotation(&id)).json(json!({})).send().await.refused(404, "not_found");
    let log = api.get(format!("/audit?entity=key&id={id}")).send().await.is(200);
    assert_eq!(log.each("action"), ["key.revoke", "key.rotate", "key.rotate", "key.rotate", "key.create"]);
    for secret in &secrets {
        assert!(!log.text.contains(secret.trim_start_matches("dzk_")));
        assert!(!logged.contains(secret) && !server.log().contains(secret));
    }
}

#[tokio::test]
async fn a_repeated_rotation_shows_no_secret_and_rotates_once() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let (id, _) = server.create_key(json!({ "name": "Once", "kind": "server" })).await;
    let request = || api.post(rotation(&id)).idempotency_key("rotation").json(json!({}));
    let first = request().send().await.is(200).body;
    let again = request().send().await.is(200).body;
    assert_eq!((again.get("secret"), &again["hint"]), (None, &first["hint"]));
    read_snapshot(&server, first["secret"].as_str().unwrap()).await.is(200);
    assert_eq!(api.get(format!("/keys/{id}")).send().await.is(200).body["version"], 2);
}

#[tokio::test]
async fn impossible_times_are_refused() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let (id, _) = server.create_key(json!({ "name": "Kept", "kind": "server" })).await;
    for (time, code) in [
        (json!(7), "wrong_type"),
        (json!("tomorrow"), "invalid_time"),
        (seconds_from_now(-1), "time_is_past"),
        (json!("1970-01-01T00:00:00Z"), "time_is_past"),
    ] {
        let body = json!({ "name": "N", "kind": "server", "expiresAt": time });
        api.post("/keys").json(body).send().await.refused(422, code).at("/expiresAt");
        let rotated = api.post(rotation(&id)).json(json!({ "previousUntil": time })).send().await;
        rotated.refused(422, code).at("/previousUntil");
    }
    let far = json!({ "previousUntil": seconds_from_now(31 * 86_400) });
    api.post(rotation(&id)).json(far).send().await.refused(422, "overlap_too_long").at("/previousUntil");
    assert_eq!(api.get(format!("/keys/{id}")).send().await.is(200).body["version"], 1);
}
