//! Which version a write is for, and what it means to send it twice.

use std::sync::LazyLock;

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

async fn operator() -> Api {
    Api::of(&SERVER, "operator").await
}

#[tokio::test]
async fn a_write_names_its_version() {
    let api = operator().await;
    let made = api.post("/tenants").json(json!({ "slug": "versions", "name": "One", "plan": "free" }));
    let made = made.send().await.is(201);
    assert_eq!(made.header("location"), "/tenants/versions");
    let first = made.etag();
    assert!(first.starts_with('"') && first.ends_with('"'), "strong: {first}");
    let path = "/tenants/versions";
    assert_eq!(api.get(path).send().await.is(200).etag(), first);
    let patch = |name: &str| api.patch(path).json(json!({ "name": name }));
    patch("Two").send().await.refused(428, "if_match_missing").at("If-Match");
    patch("Two").on("\"other\"").send().await.refused(412, "stale");
    patch("Two").on(&format!("W/{first}")).send().await.refused(412, "stale");
    patch("Two").on("").send().await.refused(412, "stale");
    let second = patch("Two").on(&first).send().await.is(200);
    assert_ne!(second.etag(), first);
    assert_eq!((&second.body["name"], &second.body["version"]), (&json!("Two"), &json!(2)));
    patch("Three").on(&first).send().await.refused(412, "stale");
    patch("Three").on(&format!("\"x\", {}", second.etag())).send().await.is(200);
    patch("Four").on_any().send().await.is(200);
    for step in ["suspend", "resume", "activate"] {
        let answer = api.post(format!("{path}/{step}")).send().await;
        answer.refused(428, "if_match_missing");
        let answer = api.post(format!("{path}/{step}")).on(&first).send().await;
        answer.refused(412, "stale");
    }
    api.delete(path).send().await.refused(428, "if_match_missing");
    api.delete(path).on(&first).send().await.refused(412, "stale");
    assert_eq!(api.get(path).send().await.body["name"], "Four");
}

#[tokio::test]
async fn a_condition_that_fails_or_is_malformed_writes_nothing() {
    let api = operator().await;
    let path = "/tenants/conditions";
    let made = api.post("/tenants").json(json!({ "slug": "conditions", "name": "One", "plan": "free" }));
    let tag = made.send().await.is(201).etag();
    let patch = || api.patch(path).json(json!({ "name": "Two" }));
    // Something is there, so a write that is only for what is not there does not happen.
    for none_match in ["*", &tag, &format!("W/{tag}"), &format!("\"x\", {tag}")] {
        patch().on_any().header("if-none-match", none_match).send().await.refused(412, "stale");
    }
    api.post(format!("{path}/suspend"))
        .on_any()
        .header("if-none-match", "*")
        .send()
        .await
        .refused(412, "stale");
    api.delete(path).on_any().header("if-none-match", "*").send().await.refused(412, "stale");
    for malformed in ["\"x\", *", "*, \"x\"", "v1-5f1", &format!("{tag} {tag}"), "\"x"] {
        let answer = patch().on(malformed).send().await;
        answer.refused(400, "if_match_malformed").at("If-Match");
        let answer = patch().on_any().header("if-none-match", malformed).send().await;
        answer.refused(400, "if_none_match_malformed").at("If-None-Match");
    }
    let unquoted = patch().on(tag.trim_matches('"')).send().await.refused(400, "if_match_malformed");
    assert!(unquoted.body["detail"].as_str().unwrap().contains("quotes are part"), "{}", unquoted.text);
    let read = api.get(path).send().await.is(200);
    assert_eq!(read.body["name"], "One");
    assert_eq!(read.etag(), tag);
    // Two lines are one list, and a list may have empty elements.
    patch().on("\"x\",, ").on(&format!(" ,{tag}")).header("if-none-match", "\"x\"").send().await.is(200);
}

/// A change that changes nothing is no change: no version, no entry in the log.
#[tokio::test]
async fn saying_what_is_so_already_changes_nothing() {
    let api = operator().await;
    let body = json!({ "slug": "same", "name": "Same", "domain": "same.example" });
    let made = api.post("/partners").json(body).send().await.is(201);
    let same = api.patch("/partners/same").on_any().json(json!({ "name": "Same" })).send().await.is(200);
    assert_eq!((same.etag(), &same.body), (made.etag(), &made.body));
    let id = made.body["id"].as_str().unwrap();
    let log = api.get(format!("/audit?entity=partner&id={id}")).send().await.is(200);
    assert_eq!(log.each("action"), ["partner.create"]);
}

#[tokio::test]
async fn readers_are_spared_what_they_have() {
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
async fn an_entity_made_anew_under_its_name_has_other_tags() {
    let api = operator().await;
    let make = || api.post("/flags").json(json!({ "key": "reborn", "state": "on" }));
    let first = make().send().await.is(201).etag();
    api.delete("/flags/reborn").on(&first).send().await.is(200);
    let second = make().send().await.is(201).etag();
    assert_ne!(first, second);
    api.patch("/flags/reborn").on(&first).json(json!({ "state": "off" })).send().await.refused(412, "stale");
}

#[tokio::test]
async fn a_key_makes_one_effect_of_many_requests() {
    let api = operator().await;
    let body = json!({ "slug": "once", "name": "Once", "plan": "free" });
    let ask = || api.post("/tenants").key("once-1").json(body.clone());
    let first = ask().send().await.is(201);
    let again = ask().send().await.is(201);
    assert_eq!((again.etag(), again.header("location")), (first.etag(), first.header("location")));
    assert_eq!(again.text, first.text);
    // Without the key it is another request, and finds the slug taken.
    api.post("/tenants").json(body.clone()).send().await.refused(409, "taken").at("/slug");
    let other = json!({ "slug": "once-other", "name": "Once", "plan": "free" });
    let answer = api.post("/tenants").key("once-1").json(other).send().await;
    answer.refused(422, "idempotency_key_reused").at("Idempotency-Key");
    api.get("/tenants/once-other").send().await.is(404);
    let answer =
        api.post("/partners").key("once-1").json(json!({ "slug": "once", "name": "x" })).send().await;
    answer.refused(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_key_is_its_callers_own() {
    let (operator, owner) = (operator().await, Api::of(&SERVER, "owner").await);
    let make = |api: &Api, slug: &str| {
        let api = api.clone();
        let body = json!({ "slug": slug, "name": "Own", "plan": "free" });
        async move { api.post("/tenants").key("own-key").json(body).send().await }
    };
    make(&operator, "own-one").await.is(201);
    make(&owner, "own-one").await.refused(403, "denied_operator_audience");
    // The same person with another token is the same holder, and may do less.
    make(&Api::of(&SERVER, "admin").await, "own-one").await.refused(403, "denied_operator_audience");
}

#[tokio::test]
async fn a_refusal_uses_up_no_key() {
    let api = operator().await;
    let ask = |name: &str| api.post("/partners").key("retry").json(json!({ "slug": "retry", "name": name }));
    ask("").send().await.refused(422, "invalid_text");
    ask("Right").send().await.is(201);
    for bad in ["x".repeat(256), String::new()] {
        let answer =
            api.post("/partners").key(&bad).json(json!({ "slug": "keyed", "name": "K" })).send().await;
        answer.refused(400, "invalid_idempotency_key").at("Idempotency-Key");
    }
    let answer = api.post("/partners").key("a").key("b").json(json!({ "slug": "keyed", "name": "K" }));
    answer.send().await.refused(400, "invalid_idempotency_key");
    api.post("/partners")
        .key(&"x".repeat(255))
        .json(json!({ "slug": "keyed", "name": "K" }))
        .send()
        .await
        .is(201);
}

#[tokio::test]
async fn a_key_in_concurrent_use_has_one_effect() {
    let api = operator().await;
    for round in 0..5 {
        let slug = format!("race-{round}");
        let body = json!({ "slug": slug, "name": "Race", "plan": "free" });
        let asks = (0..8).map(|_| api.post("/tenants").key(&slug).json(body.clone()).send());
        let answers = join_all(asks).await;
        let first = answers[0].clone().is(201);
        for answer in answers {
            assert_eq!((answer.status, answer.text), (201, first.text.clone()));
        }
        let id = first.body["id"].as_str().unwrap();
        let log = api.get(format!("/audit?entity=tenant&id={id}")).send().await.is(200);
        assert_eq!(log.items().len(), 1);
    }
}

/// A step under a key is done once, though its condition would hold again.
#[tokio::test]
async fn steps_and_kills_are_replayed_too() {
    let api = operator().await;
    let made = api.post("/tenants").json(json!({ "slug": "step-key", "name": "S", "plan": "free" }));
    made.send().await.is(201);
    let suspend = || api.post("/tenants/step-key/suspend").on_any().key("step-suspend");
    let first = suspend().send().await.is(200);
    api.post("/tenants/step-key/resume").on_any().send().await.is(200);
    assert_eq!(suspend().send().await.is(200).text, first.text);
    assert_eq!(api.get("/tenants/step-key").send().await.body["status"], "active");
}

#[tokio::test]
async fn of_writers_at_once_one_is_right() {
    let api = operator().await;
    let made = api.post("/partners").json(json!({ "slug": "contended", "name": "0" })).send().await.is(201);
    let etag = made.etag();
    let asks = (1..=16).map(|number| {
        let body = json!({ "name": number.to_string() });
        api.patch("/partners/contended").on(&etag).json(body).send()
    });
    let answers = join_all(asks).await;
    let done: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(done.len(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.code() == "stale"));
    assert_eq!(api.get("/partners/contended").send().await.body["name"], done[0].body["name"]);
    // Each for whatever is there: every one of them is one change on top of another, or is told that it was not.
    let asks = (1..=16).map(|number| {
        let body = json!({ "domain": format!("n{number}.example") });
        api.patch("/partners/contended").on_any().json(body).send()
    });
    let done = join_all(asks).await.into_iter().filter(|answer| answer.status == 200).count();
    let version = &api.get("/partners/contended").send().await.body["version"];
    assert_eq!(*version, json!(2 + done));
}

#[tokio::test]
async fn a_name_has_one_bearer_whoever_comes_first() {
    let api = operator().await;
    let asks = (0..12).map(|number| {
        let body = json!({ "slug": "wanted", "name": number.to_string(), "plan": "free" });
        api.post("/tenants").json(body).send()
    });
    let answers = join_all(asks).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let taken = |answer: &&crate::support::Answer| answer.status == 409 && answer.code() == "taken";
    assert_eq!(answers.iter().filter(taken).count(), 11);
}
