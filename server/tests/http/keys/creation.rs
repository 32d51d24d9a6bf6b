//! The creation of machine keys, and how keys are shown and listed.

use serde_json::json;

use super::{create, operator};
use crate::support::{Api, Server};

#[tokio::test]
async fn the_secret_of_a_new_key_is_shown_once() {
    let api = operator().await;
    let made = create(&api, json!({ "name": "Mail gateway", "kind": "server" })).await.is(201);
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/keys/{id}"));
    let secret = made.body["secret"].as_str().unwrap();
    assert!(secret.starts_with("dzk_") && secret.len() == 4 + 43, "{secret}");
    assert!(secret.ends_with(made.body["hint"].as_str().unwrap()));
    let shown =
        json!({ "name": "Mail gateway", "kind": "server", "environment": "production", "lastUsedAt": null });
    for (member, value) in shown.as_object().unwrap() {
        assert_eq!(made.body[member], *value, "{member}");
    }
    assert!(made.body.get("tenantId").is_none() && made.body.get("tenantSlug").is_none());
    let mut without_secret = made.body.clone();
    without_secret.as_object_mut().unwrap().remove("secret");
    assert_eq!(api.get(format!("/keys/{id}")).send().await.is(200).body, without_secret);
    let listed = api.get("/keys?limit=200").send().await.is(200);
    assert!(listed.items().contains(&without_secret));
    let other = create(&api, json!({ "name": "Mail gateway", "kind": "server" })).await.is(201);
    assert_ne!(other.body["secret"], made.body["secret"], "two keys have the same secret");
}

#[tokio::test]
async fn a_tenant_key_names_its_tenant_and_environment() {
    let api = operator().await;
    let body =
        json!({ "name": "Acme's portal", "kind": "tenant", "tenantSlug": "acme", "environment": "staging" });
    let of_tenant = create(&api, body).await.is(201).body;
    let acme = api.get("/tenants/acme").send().await.is(200).body;
    assert_eq!((&of_tenant["tenantId"], &of_tenant["tenantSlug"]), (&acme["id"], &json!("acme")));
    assert_eq!(of_tenant["environment"], "staging");
}

#[tokio::test]
async fn invalid_keys_are_refused_with_the_path_of_the_error() {
    let api = operator().await;
    api.post("/tenants").json(json!({ "slug": "keyless", "name": "K", "plan": "free" })).send().await.is(201);
    api.delete("/tenants/keyless").any_version().send().await.is(200);
    for (wrong, code, at) in [
        (json!({ "kind": "server" }), "missing", "/name"),
        (json!({ "name": "K" }), "missing", "/kind"),
        (json!({ "name": "", "kind": "server" }), "invalid_text", "/name"),
        (json!({ "name": 7, "kind": "server" }), "wrong_type", "/name"),
        (json!({ "name": "K", "kind": "root" }), "unknown_kind", "/kind"),
        (json!({ "name": "K", "kind": 7 }), "unknown_kind", "/kind"),
        (json!({ "name": "K", "kind": "tenant" }), "missing", "/tenantSlug"),
        (json!({ "name": "K", "kind": "server", "tenantSlug": "acme" }), "unknown_field", "/tenantSlug"),
        (json!({ "name": "K", "kind": "tenant", "tenantSlug": "absent" }), "unknown_tenant", "/tenantSlug"),
        (json!({ "name": "K", "kind": "tenant", "tenantSlug": "keyless" }), "unknown_tenant", "/tenantSlug"),
        (json!({ "name": "K", "kind": "tenant", "tenantSlug": ["acme"] }), "wrong_type", "/tenantSlug"),
        (
            json!({ "name": "K", "kind": "server", "environment": "Not One" }),
            "invalid_environment",
            "/environment",
        ),
        (json!({ "name": "K", "kind": "server", "secret": "dzk_mine" }), "unknown_field", "/secret"),
        (json!({ "name": "K", "kind": "server", "hash": "00" }), "unknown_field", "/hash"),
        (json!({ "name": "K", "kind": "server", "id": "mine" }), "unknown_field", "/id"),
    ] {
        let answer = create(&api, wrong.clone()).await;
        assert_eq!((answer.status, answer.code()), (422, code), "{wrong}: {}", answer.text);
        answer.at(at);
    }
}

#[tokio::test]
async fn unknown_keys_are_not_found_and_keys_cannot_be_changed() {
    let api = operator().await;
    for id in ["absent", "dzk_x", "a%20b"] {
        api.get(format!("/keys/{id}")).send().await.refused(404, "not_found");
        api.delete(format!("/keys/{id}")).send().await.refused(404, "not_found");
    }
    api.patch("/keys/absent").json(json!({ "name": "K" })).send().await.refused(405, "method_not_allowed");
}

#[tokio::test]
async fn keys_are_listed_in_pages() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(server.create_key(json!({ "name": format!("Key {number}"), "kind": "server" })).await.0);
    }
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = api.get(format!("/keys?limit=3{cursor}")).send().await.is(200);
        seen.extend(page.each("id").into_iter().map(str::to_owned));
        pages += 1;
        match page.body["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((seen, pages), (made, 3), "the keys are not in the order of their creation");
    api.get("/keys?limit=0").send().await.refused(400, "invalid_parameter").at("?limit");
    api.get("/keys?cursor=AAAA").send().await.refused(400, "invalid_cursor");
}
