//! Requests with a machine key, and the last use that the key then shows.

use serde_json::{Value, json};

use super::lifetime::seconds_from_now;
use super::{SERVER, read_snapshot};
use crate::support::{Api, NO_LIMITS, Server};

#[tokio::test]
async fn a_key_is_accepted_in_either_header() {
    let secret = SERVER.server_key().await;
    let anonymous = Api::anonymous(&SERVER).await;
    let request = || anonymous.get("/flags/snapshot");
    request().header("x-api-key", &secret).send().await.is(200);
    request().header("X-API-KEY", &secret).send().await.is(200);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        request().header("authorization", format!("{scheme} {secret}")).send().await.is(200);
    }
}

#[tokio::test]
async fn malformed_keys_and_other_credentials_are_refused() {
    let secret = SERVER.server_key().await;
    let anonymous = Api::anonymous(&SERVER).await;
    let request = || anonymous.get("/flags/snapshot");
    for wrong in [
        secret.strip_suffix(|_| true).unwrap(),
        &format!("{secret}A"),
        &secret.to_uppercase(),
        "dzk_",
        "dzk_x",
        "x",
    ] {
        request().header("x-api-key", wrong).send().await.refused(401, "key_unknown");
    }
    request().header("authorization", format!("Basic {secret}")).send().await.refused(401, "token_missing");
    request().header("authorization", secret.clone()).send().await.refused(401, "token_missing");
    // An access token is not a key, and a key is not an access token.
    let token = SERVER.token("operator").await;
    request().header("x-api-key", token).send().await.refused(401, "key_unknown");
    let swapped = secret.replacen("dzk_", "dzx_", 1);
    assert_eq!(request().header("authorization", format!("Bearer {swapped}")).send().await.status, 401);
}

#[tokio::test]
async fn a_bearer_credential_takes_precedence_over_the_key_header() {
    let secret = SERVER.server_key().await;
    let member = Api::sign_in(&SERVER, "member").await;
    member
        .get("/flags/snapshot")
        .header("x-api-key", &secret)
        .send()
        .await
        .refused(403, "denied_operator_audience");
    let with_key = Api::with_key(&SERVER, &secret).await;
    with_key.get("/flags/snapshot").header("x-api-key", "dzk_x").send().await.is(200);
}

#[tokio::test]
async fn the_last_use_shows_at_once_and_survives_a_restart() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let (used, secret) = server.create_key(json!({ "name": "Used", "kind": "server" })).await;
    let (unused, _) = server.create_key(json!({ "name": "Unused", "kind": "server" })).await;
    let last = async |api: &Api, id: &str| {
        api.get(format!("/keys/{id}")).send().await.is(200).body["lastUsedAt"].clone()
    };
    assert_eq!(last(&api, &used).await, Value::Null);
    read_snapshot(&server, &secret).await.is(200);
    let first = last(&api, &used).await;
    assert!(first.is_string());
    // A refused request counts as a use.
    Api::with_key(&server, &secret).await.get("/tenants").send().await.is(403);
    let second = last(&api, &used).await;
    assert!(second.as_str() > first.as_str(), "{second} after {first}");
    let head = async |api: &Api| api.get("/audit?limit=1").send().await.is(200).body["proof"].clone();
    let before = head(&api).await;
    let server = server.restart(&NO_LIMITS);
    let api = Api::sign_in(&server, "operator").await;
    assert_eq!((last(&api, &used).await, last(&api, &unused).await), (second, Value::Null));
    assert_eq!(head(&api).await, before, "a use is not a change of the log");
    read_snapshot(&server, &secret).await.is(200);
}

#[tokio::test]
async fn a_key_shows_its_creator_and_the_address_of_its_last_use() {
    let server = Server::start_with(&["--rate-limit", "0", "--trusted-proxy", "127.0.0.1"]);
    let api = Api::sign_in(&server, "operator").await;
    let me = api.get("/users/me").send().await.is(200).body["profile"].clone();
    let (id, secret) = server.create_key(json!({ "name": "Seen", "kind": "server" })).await;
    let shown = async |api: &Api| api.get(format!("/keys/{id}")).send().await.is(200).body;
    let fresh = shown(&api).await;
    assert_eq!(fresh["createdBy"], json!({ "id": me["id"], "email": me["email"] }));
    assert_eq!((&fresh["lastUsedAt"], &fresh["lastUsedFrom"]), (&Value::Null, &Value::Null));
    let key = Api::with_key(&server, &secret).await;
    key.get("/flags/snapshot").header("x-forwarded-for", "2001:db8::7").send().await.is(200);
    let head = api.get("/audit?limit=1").send().await.is(200).body["proof"].clone();
    assert_eq!(shown(&api).await["lastUsedFrom"], "2001:db8::7");
    // A rotation leaves the last use as it was.
    let rotated = api
        .post(format!("/keys/{id}/rotate"))
        .json(json!({ "previousUntil": seconds_from_now(60) }))
        .send()
        .await
        .is(200)
        .body;
    assert_eq!(rotated["lastUsedFrom"], "2001:db8::7");
    assert_eq!(shown(&api).await["lastUsedFrom"], "2001:db8::7");
    let server = server.restart(&["--rate-limit", "0"]);
    let api = Api::sign_in(&server, "operator").await;
    assert_eq!(shown(&api).await["lastUsedFrom"], "2001:db8::7");
    let now = api.get("/audit?limit=1").send().await.is(200).body["proof"].clone();
    assert_eq!(now["headRevision"].as_u64(), head["headRevision"].as_u64().map(|head| head + 1));
}
