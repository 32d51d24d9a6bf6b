//! How long machine keys and their secrets are good: expiry, rotation with overlap, and from where they were last used.

use std::time::Duration;

use dezky_core::Timestamp;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Server, seconds};

/// A time so many seconds from now.
fn within(from_now: i64) -> Value {
    json!(Timestamp::from_seconds(seconds() + from_now).unwrap())
}

async fn until(time: &Value) {
    let time = Timestamp::parse(time.as_str().unwrap()).unwrap().as_seconds();
    while seconds() < time {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn tried(server: &Server, secret: &str) -> Answer {
    Api::with_key(server, secret).await.get("/flags/snapshot").send().await
}

fn path(id: &str) -> String {
    format!("/keys/{id}/rotate")
}

#[tokio::test]
async fn an_expired_key_is_as_unknown_as_one_that_never_was() {
    let server = Server::start();
    let api = Api::of(&server, "operator").await;
    let expiry = within(3);
    let (id, secret) = server.key(json!({ "name": "Short", "kind": "server", "expiresAt": expiry })).await;
    let (_, other) =
        server.key(json!({ "name": "Long", "kind": "server", "expiresAt": within(3_600) })).await;
    let shown = api.get(format!("/keys/{id}")).send().await.is(200).body;
    assert_eq!(shown["expiresAt"], expiry);
    tried(&server, &secret).await.is(200);
    let mut stream = Api::with_key(&server, &secret).await.get("/flags/stream").open().await;
    stream.next().await;
    until(&expiry).await;
    let refused = tried(&server, &secret).await.refused(401, "key_unknown");
    assert_eq!(refused.body["detail"], tried(&server, "dzk_never").await.body["detail"]);
    tried(&server, &other).await.is(200);
    // Its streams end before they say anything more.
    api.post("/flags/meetings_e2ee/kill").on_any().send().await.is(200);
    stream.ends_within(Duration::from_secs(2)).await;
    api.post(path(&id)).json(json!({})).send().await.refused(409, "key_expired");
    // It is still listed, and stays expired after a restart.
    let server = server.restart(&["--rate-limit", "0"]);
    let api = Api::of(&server, "operator").await;
    assert_eq!(api.get(format!("/keys/{id}")).send().await.is(200).body["expiresAt"], expiry);
    tried(&server, &secret).await.refused(401, "key_unknown");
    tried(&server, &other).await.is(200);
}

#[tokio::test]
async fn a_rotated_key_has_two_secrets_until_the_time_that_was_given() {
    let server = Server::start();
    let api = Api::of(&server, "operator").await;
    let (id, first) = server.key(json!({ "name": "Rotated", "kind": "server" })).await;
    let made = api.get(format!("/keys/{id}")).send().await.is(200).body;
    let mut old_stream = Api::with_key(&server, &first).await.get("/flags/stream").open().await;
    old_stream.next().await;
    let end = within(4);
    let answer = api.post(path(&id)).json(json!({ "previousUntil": end })).send().await.is(200).body;
    let second = answer["secret"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!((&answer["id"], &answer["name"], &answer["version"]), (&made["id"], &made["name"], &json!(2)));
    assert_eq!(answer["previous"], json!({ "hint": made["hint"], "until": end }));
    assert!(second.ends_with(answer["hint"].as_str().unwrap()));
    assert_eq!((&answer["createdBy"], &answer["createdAt"]), (&made["createdBy"], &made["createdAt"]));
    let mut new_stream = Api::with_key(&server, &second).await.get("/flags/stream").open().await;
    new_stream.next().await;
    // Both are good, after a restart as well.
    for secret in [&first, &second] {
        tried(&server, secret).await.is(200);
    }
    until(&end).await;
    tried(&server, &first).await.refused(401, "key_unknown");
    tried(&server, &second).await.is(200);
    api.post("/flags/meetings_e2ee/kill").on_any().send().await.is(200);
    old_stream.ends_within(Duration::from_secs(2)).await;
    new_stream.next().await;
    // Without an overlap the secret before it is refused at once.
    let answer = api.post(path(&id)).json(json!({})).send().await.is(200).body;
    assert_eq!(answer.get("previous"), None);
    let third = answer["secret"].as_str().unwrap();
    tried(&server, &second).await.refused(401, "key_unknown");
    tried(&server, third).await.is(200);
    // A key has at most two secrets.
    let again = api.post(path(&id)).json(json!({ "previousUntil": within(60) })).send().await.is(200).body;
    let last = api.post(path(&id)).json(json!({ "previousUntil": within(60) })).send().await.is(200).body;
    tried(&server, third).await.refused(401, "key_unknown");
    let server = server.restart(&["--rate-limit", "0"]);
    for rotated in [&again, &last] {
        tried(&server, rotated["secret"].as_str().unwrap()).await.is(200);
    }
    let api = Api::of(&server, "operator").await;
    api.delete(format!("/keys/{id}")).send().await.is(200);
    for rotated in [&again, &last] {
        tried(&server, rotated["secret"].as_str().unwrap()).await.refused(401, "key_unknown");
    }
    api.post(path(&id)).json(json!({})).send().await.refused(404, "not_found");
    // The log has every rotation, and no secret.
    let log = api.get(format!("/audit?entity=key&id={id}")).send().await.is(200);
    assert_eq!(
        log.each("action"),
        ["key.revoke", "key.rotate", "key.rotate", "key.rotate", "key.rotate", "key.create"]
    );
    let secrets =
        [&first, &second, third, again["secret"].as_str().unwrap(), last["secret"].as_str().unwrap()];
    for secret in secrets {
        assert!(!log.text.contains(secret.trim_start_matches("dzk_")) && !server.log().contains(secret));
    }
}

#[tokio::test]
async fn a_repeated_rotation_shows_no_secret_and_rotates_once() {
    let server = Server::start();
    let api = Api::of(&server, "operator").await;
    let (id, _) = server.key(json!({ "name": "Once", "kind": "server" })).await;
    let ask = || api.post(path(&id)).key("rotation").json(json!({}));
    let first = ask().send().await.is(200).body;
    let again = ask().send().await.is(200).body;
    assert_eq!((again.get("secret"), &again["hint"]), (None, &first["hint"]));
    tried(&server, first["secret"].as_str().unwrap()).await.is(200);
    assert_eq!(api.get(format!("/keys/{id}")).send().await.is(200).body["version"], 2);
}

#[tokio::test]
async fn times_that_cannot_be_are_refused() {
    let server = Server::start();
    let api = Api::of(&server, "operator").await;
    let (id, _) = server.key(json!({ "name": "Kept", "kind": "server" })).await;
    for (time, code) in [
        (json!(7), "wrong_type"),
        (json!("tomorrow"), "invalid_time"),
        (within(-1), "time_is_past"),
        (json!("1970-01-01T00:00:00Z"), "time_is_past"),
    ] {
        let body = json!({ "name": "N", "kind": "server", "expiresAt": time });
        api.post("/keys").json(body).send().await.refused(422, code).at("/expiresAt");
        let rotated = api.post(path(&id)).json(json!({ "previousUntil": time })).send().await;
        rotated.refused(422, code).at("/previousUntil");
    }
    let far = json!({ "previousUntil": within(31 * 86_400) });
    api.post(path(&id)).json(far).send().await.refused(422, "overlap_too_long").at("/previousUntil");
    assert_eq!(api.get(format!("/keys/{id}")).send().await.is(200).body["version"], 1);
}

#[tokio::test]
async fn a_key_shows_who_made_it_and_from_where_it_was_used() {
    let server = Server::start_with(&["--rate-limit", "0", "--trusted-proxy", "127.0.0.1"]);
    let api = Api::of(&server, "operator").await;
    let me = api.get("/users/me").send().await.is(200).body["profile"].clone();
    let (id, secret) = server.key(json!({ "name": "Seen", "kind": "server" })).await;
    let shown = async |api: &Api| api.get(format!("/keys/{id}")).send().await.is(200).body;
    let fresh = shown(&api).await;
    assert_eq!(fresh["createdBy"], json!({ "id": me["id"], "email": me["email"] }));
    assert_eq!((&fresh["lastUsedAt"], &fresh["lastUsedFrom"]), (&Value::Null, &Value::Null));
    let key = Api::with_key(&server, &secret).await;
    key.get("/flags/snapshot").header("x-forwarded-for", "2001:db8::7").send().await.is(200);
    let head = api.get("/audit?limit=1").send().await.is(200).body["proof"].clone();
    assert_eq!(shown(&api).await["lastUsedFrom"], "2001:db8::7");
    // A rotation leaves the last use as it was.
    let rotated = api.post(path(&id)).json(json!({ "previousUntil": within(60) })).send().await.is(200).body;
    assert_eq!(rotated["lastUsedFrom"], "2001:db8::7");
    assert_eq!(shown(&api).await["lastUsedFrom"], "2001:db8::7");
    let server = server.restart(&["--rate-limit", "0"]);
    let api = Api::of(&server, "operator").await;
    assert_eq!(shown(&api).await["lastUsedFrom"], "2001:db8::7");
    let now = api.get("/audit?limit=1").send().await.is(200).body["proof"].clone();
    assert_eq!(now["headRevision"].as_u64(), head["headRevision"].as_u64().map(|head| head + 1));
}
