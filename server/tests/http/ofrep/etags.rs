//! Entity tags of bulk evaluations.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{BULK, bulk, context, create_flag, link};
use crate::support::{Api, Server};

/// Repeats a comparison once if it returns `None` because the links changed, as they do every five
/// minutes.
async fn retry_once<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    match attempt().await {
        Some(done) => done,
        None => attempt().await.expect("the links changed twice"),
    }
}

#[tokio::test]
async fn an_unchanged_answer_keeps_its_etag() {
    let server = Server::start();
    let server_key = Api::with_key(&server, &server.server_key().await).await;
    let tenant_key = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let member = Api::sign_in(&server, "member").await;
    for api in [&server_key, &tenant_key, &member] {
        retry_once(async || {
            let (one, other) = (bulk(api, "acme").await, bulk(api, "acme").await);
            (one.etag() == other.etag()).then(|| assert_eq!(one.text, other.text))
        })
        .await;
        let whole = bulk(api, "acme").await;
        let again =
            |etag: &str| api.post(BULK).json(context("acme")).header("if-none-match", etag.to_owned());
        retry_once(async || {
            let same = again(&bulk(api, "acme").await.etag()).send().await;
            (same.status == 304).then(|| assert!(same.bytes.is_empty() && !same.etag().is_empty()))
        })
        .await;
        again("\"else\"").send().await.is(200);
        // Parameters that repeat an event change nothing: the answer is always the newest.
        let path = format!("{BULK}?flagConfigEtag=%22x%22&flagConfigLastModified=1771622898");
        let asked = api.post(path).json(context("acme")).header("if-none-match", whole.etag()).send().await;
        assert!([200, 304].contains(&asked.status));
        api.post(format!("{BULK}?flagConfigLastModified=2026-02-20T21:28:18Z"))
            .json(context("acme"))
            .send()
            .await
            .is(200);
    }
}

#[tokio::test]
async fn each_caller_and_each_tenant_has_an_etag_of_its_own() {
    let server = Server::start();
    let server_key = Api::with_key(&server, &server.server_key().await).await;
    let tenant_key = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let member = Api::sign_in(&server, "member").await;
    let etags = [
        bulk(&server_key, "acme").await.etag(),
        bulk(&server_key, "globex").await.etag(),
        bulk(&tenant_key, "acme").await.etag(),
        bulk(&member, "acme").await.etag(),
    ];
    for (index, etag) in etags.iter().enumerate() {
        assert!(etags.iter().skip(index + 1).all(|other| other != etag));
    }
}

#[tokio::test]
async fn changes_of_other_tenants_change_only_the_etag_of_a_server_key() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let server_key = Api::with_key(&server, &server.server_key().await).await;
    let tenant_key = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let member = Api::sign_in(&server, "member").await;
    create_flag(&operator, "others", "targeted", 0.0, json!({ "tenantSlugs": ["globex"] })).await;
    retry_once(async || {
        let before =
            [bulk(&tenant_key, "acme").await, bulk(&member, "acme").await, bulk(&server_key, "acme").await];
        let body = json!({ "scope": { "tenantSlugs": ["globex", "hooli", unused_slug()] } });
        operator.patch("/flags/others").any_version().json(body).send().await.is(200);
        let after =
            [bulk(&tenant_key, "acme").await, bulk(&member, "acme").await, bulk(&server_key, "acme").await];
        assert_ne!(before[2].etag(), after[2].etag());
        (link(&before[0]) == link(&after[0]) && link(&before[1]) == link(&after[1])).then(|| {
            for index in 0..2 {
                assert_eq!(
                    (&before[index].text, before[index].etag()),
                    (&after[index].text, after[index].etag())
                );
            }
        })
    })
    .await;
}

fn unused_slug() -> String {
    format!("t{}", uuid::Uuid::now_v7().simple())
}

/// Two bodies never share an entity tag, even if they differ in metadata alone.
#[tokio::test]
async fn different_answers_have_different_etags() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let callers = [
        Api::with_key(&server, &server.server_key().await).await,
        Api::with_key(&server, &server.tenant_key("acme").await).await,
        Api::sign_in(&server, "member").await,
    ];
    create_flag(&operator, "shifting", "off", 20.0, json!({ "plans": ["business", "enterprise", "free"] }))
        .await;
    let mut seen: Vec<HashMap<String, String>> = vec![Default::default(); callers.len()];
    let mut bodies = HashSet::new();
    let patch = |change: Value| operator.patch("/flags/shifting").any_version().json(change);
    for step in 0..8 {
        match step {
            0 => drop(operator.post("/flags/shifting/kill").any_version().send().await.is(200)),
            1 => drop(patch(json!({ "description": "It is off." })).send().await.is(200)),
            2 => drop(patch(json!({ "state": "targeted" })).send().await.is(200)),
            3 => drop(patch(json!({ "scope": { "tenantSlugs": ["acme"] } })).send().await.is(200)),
            4 => drop(patch(json!({ "scope": { "environments": ["production"] } })).send().await.is(200)),
            5 => drop(operator.post("/flags/shifting/kill").any_version().send().await.is(200)),
            6 => drop(patch(json!({ "pct": 7 })).send().await.is(200)),
            _ => drop(patch(json!({ "state": "on" })).send().await.is(200)),
        }
        for (api, seen) in callers.iter().zip(&mut seen) {
            let answer = bulk(api, "acme").await;
            bodies.insert(answer.body["flags"].to_string());
            let known = seen.entry(answer.etag()).or_insert_with(|| answer.text.clone());
            assert_eq!(*known, answer.text, "step {step}");
        }
    }
    assert!(bodies.len() > 9, "{}", bodies.len());
}
