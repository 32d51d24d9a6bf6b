//! Secrets of machine keys never show again after creation.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::read_snapshot;
use crate::support::{Answer, Api, Server};

/// Asserts that a string has neither the random part of the secret nor its hash in any notation.
fn assert_hidden(text: &str, random: &str, hash: &[u8]) {
    let hexadecimal = hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let decimal = hash.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    for hidden in [random, &hexadecimal, &hexadecimal.to_uppercase(), &decimal] {
        assert!(!text.contains(hidden), "{text}");
    }
    assert!(!text.to_lowercase().contains("\"hash\":[") && !text.contains("\"secret\""), "{text}");
}

/// Creates one key by two requests with the same idempotency key.
async fn create_twice(api: &Api) -> [Answer; 2] {
    let body = json!({ "name": "Watched", "kind": "tenant", "tenantSlug": "acme" });
    let create = || api.post("/keys").idempotency_key("once").json(body.clone()).send();
    [create().await.is(201), create().await.is(201)]
}

#[tokio::test]
async fn a_repeated_creation_shows_no_secret_and_makes_no_second_key() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let [made, again] = create_twice(&api).await;
    assert!(again.body.get("secret").is_none(), "{}", again.text);
    assert_eq!((&again.body["id"], again.header("location")), (&made.body["id"], made.header("location")));
    assert_eq!(api.get("/keys").send().await.is(200).items().len(), 1, "a second key exists");
}

#[tokio::test]
async fn no_answer_log_line_or_file_has_a_secret_or_its_hash() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let [made, again] = create_twice(&api).await;
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    let key = Api::with_key(&server, &secret).await;
    key.get("/flags/slice?tenant=acme").send().await.is(200);
    key.get("/flags/slice?tenant=globex").send().await.is(404);
    let id = made.body["id"].as_str().unwrap();
    let mut texts = vec![again.text];
    for path in ["/keys", "/audit?limit=200", "/audit?entity=key", "/metrics", "/flags/reach"] {
        texts.push(api.get(path).send().await.is(200).text);
    }
    texts.push(api.get(format!("/keys/{id}")).send().await.is(200).text);
    texts.push(Api::sign_in(&server, "owner").await.get("/audit?tenant=acme").send().await.is(200).text);
    texts.push(api.delete(format!("/keys/{id}")).send().await.is(200).text);
    texts.push(api.get("/audit?entity=key").send().await.is(200).text);
    texts.push(read_snapshot(&server, &secret).await.is(401).text);
    texts.push(server.log());
    let random = secret.strip_prefix("dzk_").unwrap();
    let hash = Sha256::digest(secret.as_bytes());
    texts.iter().for_each(|text| assert_hidden(text, random, &hash));
    let mut files = 0;
    for file in std::fs::read_dir(server.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(random.len()).any(|window| window == random.as_bytes()));
        files += 1;
    }
    assert!(files >= 2, "{files}");
}

#[tokio::test]
async fn an_owner_sees_the_keys_of_their_tenant_only_in_the_log() {
    let server = Server::start();
    let (api, owner) = (Api::sign_in(&server, "operator").await, Api::sign_in(&server, "owner").await);
    let made = server.create_key(json!({ "name": "Acme's", "kind": "tenant", "tenantSlug": "acme" })).await;
    server.tenant_key("globex").await;
    server.server_key().await;
    api.delete(format!("/keys/{}", made.0)).send().await.is(200);
    let seen = owner.get("/audit?tenant=acme&entity=key").send().await.is(200);
    assert_eq!(seen.each("action"), ["key.revoke", "key.create"]);
    for change in seen.items() {
        assert_eq!(change["entity"]["id"], made.0.as_str());
        let document =
            [&change["before"], &change["after"]].into_iter().find(|side| side.is_object()).unwrap();
        let mut members: Vec<&String> = document.as_object().unwrap().keys().collect();
        members.sort();
        let expected = [
            "createdAt",
            "createdBy",
            "environment",
            "hint",
            "id",
            "kind",
            "name",
            "tenantId",
            "updatedAt",
            "version",
        ];
        assert_eq!(members, expected);
    }
    assert_eq!(api.get("/audit?entity=key").send().await.is(200).items().len(), 4);
    owner.get("/keys").send().await.refused(403, "denied_operator_audience");
}
