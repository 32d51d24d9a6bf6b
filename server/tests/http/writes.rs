//! Conditional writes, idempotency keys and concurrent writers.

use std::sync::LazyLock;

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

async fn operator() -> Api {
    Api::sign_in(&SERVER, "operator").await
}

#[tokio::test]
async fn a_write_needs_the_current_version() {
    let api = operator().await;
    let made = api.post("/tenants").json(json!({ "slug": "versions", "name": "One", "plan": "free" }));
    let made = made.send().await.is(201);
    assert_eq!(made.header("location"), "/tenants/versions");
    let first = made.etag();
    assert!(first.starts_with('"') && first.ends_with('"'), "the entity tag is weak: {first}");
    let path = "/tenants/versions";
    assert_eq!(api.get(path).send().await.is(200).etag(), first);
    let patch = |name: &str| api.patch(path).json(json!({ "name": name }));
    patch("Two").send().await.refused(428, "if_match_missing").at("If-Match");
    patch("Two").if_match("\"other\"").send().await.refused(412, "stale");
    patch("Two").if_match(&format!("W/{first}")).send().await.refused(412, "stale");
    patch("Two").if_match("").send().await.refused(412, "stale");
    let second = patch("Two").if_match(&first).send().await.is(200);
    assert_ne!(second.etag(), first);
    assert_eq!((&second.body["name"], &second.body["version"]), (&json!("Two"), &json!(2)));
    patch("Three").if_match(&first).send().await.refused(412, "stale");
    patch("Three").if_match(&format!("\"x\", {}", second.etag())).send().await.is(200);
    patch("Four").any_version().send().await.is(200);
    for step in ["suspend", "resume", "activate"] {
        let answer = api.post(format!("{path}/{step}")).send().await;
        answer.refused(428, "if_match_missing");
        let answer = api.post(format!("{path}/{step}")).if_match(&first).send().await;
        answer.refused(412, "stale");
    }
    api.delete(path).send().await.refused(428, "if_match_missing");
    api.delete(path).if_match(&first).send().await.refused(412, "stale");
    assert_eq!(api.get(path).send().await.body["name"], "Four");
}

#[tokio::test]
async fn a_failed_or_malformed_condition_writes_nothing() {
    let api = operator().await;
    let path = "/tenants/conditions";
    let made = api.post("/tenants").json(json!({ "slug": "conditions", "name": "One", "plan": "free" }));
    let tag = made.send().await.is(201).etag();
    let patch = || api.patch(path).json(json!({ "name": "Two" }));
    // The tenant exists, so a write under the condition that it does not exist is refused.
    for none_match in ["*", &tag, &format!("W/{tag}"), &format!("\"x\", {tag}")] {
        patch().any_version().header("if-none-match", none_match).send().await.refused(412, "stale");
    }
    api.post(format!("{path}/suspend"))
        .any_version()
        .header("if-none-match", "*")
        .send()
        .await
        .refused(412, "stale");
    api.delete(path).any_version().header("if-none-match", "*").send().await.refused(412, "stale");
    for malformed in ["\"x\", *", "*, \"x\"", "v1-5f1", &format!("{tag} {tag}"), "\"x"] {
        let answer = patch().if_match(malformed).send().await;
        answer.refused(400, "if_match_malformed").at("If-Match");
        let answer = patch().any_version().header("if-none-match", malformed).send().await;
        answer.refused(400, "if_none_match_malformed").at("If-None-Match");
    }
    let unquoted = patch().if_match(tag.trim_matches('"')).send().await.refused(400, "if_match_malformed");
    assert!(unquoted.body["detail"].as_str().unwrap().contains("quotes are part"), "{}", unquoted.text);
    let read = api.get(path).send().await.is(200);
    assert_eq!(read.body["name"], "One");
    assert_eq!(read.etag(), tag);
    // Two header lines form one list, and a list may have empty elements.
    patch()
        .if_match("\"x\",, ")
        .if_match(&format!(" ,{tag}"))
        .header("if-none-match", "\"x\"")
        .send()
        .await
        .is(200);
}

/// A write of the current values makes no version and no log entry.
#[tokio::test]
async fn a_write_without_a_difference_changes_nothing() {
    let api = operator().await;
    let body = json!({ "slug": "same", "name": "Same", "domain": "same.example" });
    let made = api.post("/partners").json(body).send().await.is(201);
    let same = api.patch("/partners/same").any_version().json(json!({ "name": "Same" })).send().await.is(200);
    assert_eq!((same.etag(), &same.body), (made.etag(), &made.body));
    let id = made.body["id"].as_str().unwrap();
    let log = api.get(format!("/audit?entity=partner&id={id}")).send().await.is(200);
    assert_eq!(log.each("action"), ["partner.create"]);
}

#[tokio::test]
async fn a_reader_with_the_current_version_gets_304() {
    let api = operator().await;
    for path in ["/tenants/acme", "/flags/meetings_e2ee", "/partners/lumen"] {
        let etag = api.get(path).send().await.is(200).etag();
        for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            let answer = api.get(path).header("if-none-match", known).send().await.is(304);
            assert_eq!((answer.etag(), answer.text), (etag.clone(), String::new()));
        }
        api.get(path).header("if-none-match", "\"other\"").send().await.is(200);
    }
}

#[tokio::test]
async fn a_record_created_again_has_a_new_etag() {
    let api = operator().await;
    let make = || api.post("/flags").json(json!({ "key": "reborn", "state": "on" }));
    let first = make().send().await.is(201).etag();
    api.delete("/flags/reborn").if_match(&first).send().await.is(200);
    let second = make().send().await.is(201).etag();
    assert_ne!(first, second);
    api.patch("/flags/reborn")
        .if_match(&first)
        .json(json!({ "state": "off" }))
        .send()
        .await
        .refused(412, "stale");
}

#[tokio::test]
async fn requests_with_one_idempotency_key_have_one_effect() {
    let api = operator().await;
    let body = json!({ "slug": "once", "name": "Once", "plan": "free" });
    let request = || api.post("/tenants").idempotency_key("once-1").json(body.clone());
    let first = request().send().await.is(201);
    let again = request().send().await.is(201);
    assert_eq!((again.etag(), again.header("location")), (first.etag(), first.header("location")));
    assert_eq!(again.text, first.text);
    // Without the key, the request is a new one, and the slug is taken.
    api.post("/tenants").json(body.clone()).send().await.refused(409, "taken").at("/slug");
    let other = json!({ "slug": "once-other", "name": "Once", "plan": "free" });
    let answer = api.post("/tenants").idempotency_key("once-1").json(other).send().await;
    answer.refused(422, "idempotency_key_reused").at("Idempotency-Key");
    api.get("/tenants/once-other").send().await.is(404);
    let answer = api
        .post("/partners")
        .idempotency_key("once-1")
        .json(json!({ "slug": "once", "name": "x" }))
        .send()
        .await;
    answer.refused(422, "idempotency_key_reused");
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_its_caller() {
    let (operator, owner) = (operator().await, Api::sign_in(&SERVER, "owner").await);
    let make = |api: &Api, slug: &str| {
        let api = api.clone();
        let body = json!({ "slug": slug, "name": "Own", "plan": "free" });
        async move { api.post("/tenants").idempotency_key("own-key").json(body).send().await }
    };
    make(&operator, "own-one").await.is(201);
    make(&owner, "own-one").await.refused(403, "denied_operator_audience");
    // The operator's portal token has the same holder and fewer rights.
    make(&Api::sign_in(&SERVER, "admin").await, "own-one").await.refused(403, "denied_operator_audience");
}

#[tokio::test]
async fn a_refused_request_does_not_use_up_its_key() {
    let api = operator().await;
    let request = |name: &str| {
        api.post("/partners").idempotency_key("retry").json(json!({ "slug": "retry", "name": name }))
    };
    request("").send().await.refused(422, "invalid_text");
    request("Right").send().await.is(201);
    for bad in ["x".repeat(256), String::new()] {
        let answer = api
            .post("/partners")
            .idempotency_key(&bad)
            .json(json!({ "slug": "keyed", "name": "K" }))
            .send()
            .await;
        answer.refused(400, "invalid_idempotency_key").at("Idempotency-Key");
    }
    let answer = api
        .post("/partners")
        .idempotency_key("a")
        .idempotency_key("b")
        .json(json!({ "slug": "keyed", "name": "K" }));
    answer.send().await.refused(400, "invalid_idempotency_key");
    api.post("/partners")
        .idempotency_key(&"x".repeat(255))
        .json(json!({ "slug": "keyed", "name": "K" }))
        .send()
        .await
        .is(201);
}

#[tokio::test]
async fn concurrent_requests_with_one_key_have_one_effect() {
    let api = operator().await;
    for round in 0..5 {
        let slug = format!("race-{round}");
        let body = json!({ "slug": slug, "name": "Race", "plan": "free" });
        let requests = (0..8).map(|_| api.post("/tenants").idempotency_key(&slug).json(body.clone()).send());
        let answers = join_all(requests).await;
        let first = answers[0].clone().is(201);
        for answer in answers {
            assert_eq!((answer.status, answer.text), (201, first.text.clone()));
        }
        let id = first.body["id"].as_str().unwrap();
        let log = api.get(format!("/audit?entity=tenant&id={id}")).send().await.is(200);
        assert_eq!(log.items().len(), 1);
    }
}

/// A step with a key runs once, even if it would be possible again.
#[tokio::test]
async fn the_answer_of_a_step_is_replayed() {
    let api = operator().await;
    let made = api.post("/tenants").json(json!({ "slug": "step-key", "name": "S", "plan": "free" }));
    made.send().await.is(201);
    let suspend = || api.post("/tenants/step-key/suspend").any_version().idempotency_key("step-suspend");
    let first = suspend().send().await.is(200);
    api.post("/tenants/step-key/resume").any_version().send().await.is(200);
    assert_eq!(suspend().send().await.is(200).text, first.text);
    assert_eq!(api.get("/tenants/step-key").send().await.body["status"], "active");
}

#[tokio::test]
async fn one_of_several_concurrent_writers_succeeds() {
    let api = operator().await;
    let made = api.post("/partners").json(json!({ "slug": "contended", "name": "0" })).send().await.is(201);
    let etag = made.etag();
    let requests = (1..=16).map(|number| {
        let body = json!({ "name": number.to_string() });
        api.patch("/partners/contended").if_match(&etag).json(body).send()
    });
    let answers = join_all(requests).await;
    let done: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(done.len(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.code() == "stale"));
    assert_eq!(api.get("/partners/contended").send().await.body["name"], done[0].body["name"]);
    // Without a version, each write applies on top of another or is refused.
    let requests = (1..=16).map(|number| {
        let body = json!({ "domain": format!("n{number}.example") });
        api.patch("/partners/contended").any_version().json(body).send()
    });
    let done = join_all(requests).await.into_iter().filter(|answer| answer.status == 200).count();
    let version = &api.get("/partners/contended").send().await.body["version"];
    assert_eq!(*version, json!(2 + done));
}

#[tokio::test]
async fn a_slug_goes_to_one_of_several_concurrent_creations() {
    let api = operator().await;
    let requests = (0..12).map(|number| {
        let body = json!({ "slug": "wanted", "name": number.to_string(), "plan": "free" });
        api.post("/tenants").json(body).send()
    });
    let answers = join_all(requests).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let taken = |answer: &&crate::support::Answer| answer.status == 409 && answer.code() == "taken";
    assert_eq!(answers.iter().filter(taken).count(), 11);
}
