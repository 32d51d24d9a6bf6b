//! Malformed requests, and requests for unknown routes and methods.

use std::sync::LazyLock;

use serde_json::json;

use crate::support::{Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

const JSON: &str = "application/json";

async fn operator() -> Api {
    Api::sign_in(&SERVER, "operator").await
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems() {
    for api in [Api::anonymous(&SERVER).await, operator().await] {
        for path in ["/nothing", "/tenants/acme/nothing", "/", "/tenants/", "//tenants", "/Tenants"] {
            api.get(path).send().await.refused(404, "not_found");
        }
        let answer = api.request("PUT", "/tenants/acme").send().await.refused(405, "method_not_allowed");
        let mut allowed: Vec<String> = answer.header("allow").split(", ").map(str::to_owned).collect();
        allowed.sort();
        assert_eq!(allowed, ["DELETE", "GET", "HEAD", "PATCH"]);
        let answer = api.delete("/tenants").send().await.refused(405, "method_not_allowed");
        assert!(answer.header("allow").contains("POST"));
        let answer = api.post("/healthz").send().await.refused(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "GET, HEAD");
        let answer = api.get("/flags/plan/").send().await;
        assert_eq!(answer.status, 404);
    }
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let api = operator().await;
    let (get, head) =
        (api.get("/tenants/acme").send().await, api.request("HEAD", "/tenants/acme").send().await);
    assert_eq!((get.status, get.etag()), (head.status, head.etag()));
    assert!(head.text.is_empty() && !head.etag().is_empty());
}

#[tokio::test]
async fn bodies_that_are_not_json_are_refused() {
    let api = operator().await;
    let post = |body: &[u8]| api.post("/partners").raw(JSON, body.to_vec());
    post(b"{").send().await.refused(400, "invalid_json");
    post(b"").send().await.refused(400, "invalid_json");
    post(b"\xff\xfe").send().await.refused(400, "invalid_utf8");
    post(br#"{"slug":"a","name":"A","slug":"b"}"#).send().await.refused(400, "duplicate_member").at("/slug");
    post(br#"{"slug":"a","name":"A","contactInfo":{"name":"x","name":"y"}}"#)
        .send()
        .await
        .refused(400, "duplicate_member")
        .at("/contactInfo/name");
    post(br#"{"slug":"a","name":"A"} {}"#).send().await.refused(400, "invalid_json");
    let deep = format!(r#"{{"slug":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    post(deep.as_bytes()).send().await.refused(400, "too_deep");
    for other in [&b"[]"[..], b"null", b"1", b"\"text\""] {
        post(other).send().await.refused(422, "wrong_type");
    }
    post(br#"{"slug":7,"name":"A"}"#).send().await.refused(422, "wrong_type").at("/slug");
}

#[tokio::test]
async fn other_content_types_are_refused() {
    let api = operator().await;
    let body = r#"{"slug":"typed","name":"Typed"}"#;
    for other in ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""] {
        let answer = api.post("/partners").raw(other, body).send().await;
        answer.refused(415, "unsupported_media_type");
    }
    // A creation takes a whole document, not a merge patch.
    let answer = api.post("/partners").raw("application/merge-patch+json", body).send().await;
    answer.refused(415, "unsupported_media_type");
    api.post("/partners").raw("Application/JSON; charset=utf-8", body).send().await.is(201);
    let patch = r#"{"name":"Typed anew"}"#;
    for right in ["application/merge-patch+json", JSON] {
        api.patch("/partners/typed").any_version().raw(right, patch).send().await.is(200);
    }
}

#[tokio::test]
async fn a_body_that_the_route_does_not_take_is_refused() {
    let api = operator().await;
    api.post("/flags/search_across_apps/kill")
        .any_version()
        .json(json!({ "force": true }))
        .send()
        .await
        .refused(400, "body_not_expected");
    api.post("/flags/search_across_apps/kill").any_version().json(json!({})).send().await.is(200);
}

#[tokio::test]
async fn too_large_bodies_headers_and_targets_are_refused() {
    let api = operator().await;
    let large = json!({ "slug": "large", "name": "x".repeat(1 << 20) }).to_string();
    api.post("/partners").raw(JSON, large).send().await.refused(413, "body_too_large");
    let almost = json!({ "slug": "large", "name": "x".repeat((1 << 20) - 100) }).to_string();
    api.post("/partners").raw(JSON, almost).send().await.refused(422, "invalid_text").at("/name");
    let long = "x".repeat(33 << 10);
    api.get("/tenants").header("x-long", long).send().await.refused(431, "headers_too_large");
    let long = format!("/tenants?q={}", "x".repeat(9 << 10));
    api.get(long).send().await.refused(414, "target_too_long");
    api.get(format!("/tenants?q={}", "x".repeat(101))).send().await.refused(400, "invalid_parameter");
    api.get(format!("/tenants?q={}", "x".repeat(100))).send().await.is(200);
}

#[tokio::test]
async fn unknown_members_are_refused_with_their_path() {
    let api = operator().await;
    let post = |path: &str, body| api.post(path).json(body);
    let partner = json!({ "slug": "strict", "name": "Strict", "colour": "blue" });
    post("/partners", partner).send().await.refused(422, "unknown_field").at("/colour");
    let partner = json!({ "slug": "strict", "name": "Strict", "colour": null });
    post("/partners", partner).send().await.refused(422, "unknown_field").at("/colour");
    let partner = json!({ "slug": "strict", "name": "Strict", "contactInfo": { "fax": "1" } });
    post("/partners", partner).send().await.refused(422, "unknown_field").at("/contactInfo/fax");
    let tenant = json!({ "slug": "strict", "name": "S", "plan": "free", "status": "suspended" });
    post("/tenants", tenant).send().await.refused(422, "unknown_field").at("/status");
    let flag = json!({ "key": "strict", "state": "on", "scope": { "users": ["u"] } });
    post("/flags", flag).send().await.refused(422, "unknown_field").at("/scope/users");
    let edit = json!({ "kind": "putFlag", "flag": { "key": "a", "state": "on", "owner": "x" } });
    post("/flags/plan", json!({ "edits": [edit] }))
        .send()
        .await
        .refused(422, "unknown_field")
        .at("/edits/0/flag/owner");
    let name = json!({ "a/b~c": 1 });
    let answer = api.patch("/partners/nordlys").any_version().json(name).send().await;
    answer.refused(422, "unknown_field").at("/a~1b~0c");
    let answer = api.patch("/partners/nordlys").any_version().json(json!({ "slug": "other" })).send().await;
    answer.refused(422, "unknown_field").at("/slug");
    for gone in ["partners", "tenants"] {
        let listed = api.get(format!("/{gone}/strict")).send().await;
        assert_eq!(listed.status, 404, "a refused request created a record");
    }
}

#[tokio::test]
async fn the_answer_names_every_invalid_member() {
    let api = operator().await;
    let body = json!({ "name": "", "plan": "No Plan", "domains": ["-"] });
    let answer = api.post("/tenants").json(body).send().await.refused(422, "missing").at("/slug");
    let body = json!({ "slug": "Wrong", "name": "", "plan": "No Plan", "domains": ["good.example", "-"] });
    let wrong = api.post("/tenants").json(body).send().await.is(422);
    let found: Vec<(&str, &str)> = wrong.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["path"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    for expected in [
        ("/slug", "invalid_slug"),
        ("/name", "invalid_text"),
        ("/plan", "invalid_plan"),
        ("/domains/1", "invalid_domain"),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not among {found:?}");
    }
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn unknown_repeated_and_invalid_parameters_are_refused() {
    let api = operator().await;
    let refused = async |path: &str, code: &str, at: &str| {
        api.get(path).send().await.refused(400, code).at(at);
    };
    refused("/tenants?colour=blue", "unknown_parameter", "?colour").await;
    refused("/flags?sort=key", "unknown_parameter", "?sort").await;
    refused("/tenants?limit=3&limit=3", "repeated_parameter", "?limit").await;
    for limit in ["0", "201", "-1", "ten", "", "1.5", "99999999999999999999"] {
        refused(&format!("/tenants?limit={limit}"), "invalid_parameter", "?limit").await;
    }
    refused("/tenants?status=gone", "invalid_parameter", "?status").await;
    refused("/tenants?sort=plan", "invalid_parameter", "?sort").await;
    refused("/tenants?sort=--slug", "invalid_parameter", "?sort").await;
    refused("/tenants?counts=yes", "invalid_parameter", "?counts").await;
    refused("/tenants?q=", "invalid_parameter", "?q").await;
    refused("/audit?entity=world", "invalid_parameter", "?entity").await;
    refused("/audit?from=yesterday", "invalid_parameter", "?from").await;
    refused("/audit?actor=!", "invalid_parameter", "?actor").await;
    let answer = api.post("/flags/evaluate?explain=maybe").json(json!({ "tenantSlug": "acme" })).send().await;
    answer.refused(400, "invalid_parameter").at("?explain");
    assert_eq!(api.get("/tenants?limit=1").send().await.is(200).items().len(), 1);
}

/// The detail names the values that the parameter takes, and never repeats the value that was sent.
#[tokio::test]
async fn an_invalid_parameter_is_refused_with_the_values_it_takes() {
    let api = Api::sign_in(&SERVER, "operator").await;
    let cases = [
        ("/tenants?limit=0", "a whole number from 1 to 200"),
        ("/tenants?status=gone", "one of pending, active, suspended, terminated"),
        ("/tenants?counts=yes", "one of true, false"),
        ("/tenants?q=", "must have 1 to 100 characters"),
        ("/audit?from=yesterday", "such as 2026-03-01T12:00:00Z"),
        ("/audit/export?from=0", "a whole number from 1 to 9007199254740991"),
        ("/tenants?colour=blue", "accepted are q, status, plan, partner, sort, counts, limit, cursor"),
        ("/flags/reach?limit=1", "takes no parameters"),
        ("/tenants/", "use /tenants"),
        ("/tenants/acme/users/", "use /tenants/{slug}/users"),
        ("/healthz/", "use /healthz"),
    ];
    for (path, expected) in cases {
        let answer = api.get(path).send().await;
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{path}: {detail}");
        assert!(!detail.contains("yesterday") && !detail.contains("acme"), "{path}: {detail}");
        let first = &answer.body["errors"][0]["detail"];
        assert!(first.is_null() || first == detail, "{path}: {first}");
    }
    let answer = api.post("/flags/meetings_e2ee/kill?wait=2").any_version().send().await;
    let answer = answer.refused(400, "invalid_parameter").at("?wait");
    assert!(answer.body["detail"].as_str().unwrap().contains("such as 500ms or 2s"), "{}", answer.text);
    for path in ["/tenants//", "/", "//", "/nothing/"] {
        let answer = api.get(path).send().await.refused(404, "not_found");
        assert!(!answer.text.contains("slash"), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn only_a_single_bearer_token_is_accepted() {
    let anonymous = Api::anonymous(&SERVER).await;
    let token = SERVER.token("operator").await;
    let with = |line: String| anonymous.get("/flags").header("authorization", line);
    with(format!("bearer {token}")).send().await.is(200);
    with(format!("Basic {token}")).send().await.refused(401, "token_missing");
    with(token.clone()).send().await.refused(401, "token_missing");
    with(format!("Bearer {token}"))
        .header("authorization", format!("Bearer {token}"))
        .send()
        .await
        .refused(401, "token_missing");
    for junk in ["Bearer x", "Bearer a.b.c", "Bearer ..", "Bearer {}"] {
        let answer = with(junk.to_owned()).send().await.is(401);
        assert!(answer.code().starts_with("token_"));
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.starts_with("The access token is not accepted. "), "{detail}");
        assert!(answer.header("www-authenticate").contains("invalid_token"));
    }
}
