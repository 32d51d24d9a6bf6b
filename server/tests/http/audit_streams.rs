//! Export and verification of the whole change log.

use dezky_core::model::{Change, verify_chain};
use futures_util::future::join_all;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Answer, Api, NO_LIMITS, Server};

async fn head(api: &Api) -> (u64, String) {
    let proof = api.get("/audit?limit=1").send().await.is(200).body["proof"].clone();
    (proof["headRevision"].as_u64().unwrap(), proof["headHash"].as_str().unwrap().to_owned())
}

/// The last line of a verification, after lines about its progress.
fn last(answer: &Answer) -> Value {
    let lines = answer.body.as_array().unwrap();
    let (last, before) = lines.split_last().unwrap();
    assert!(before.iter().all(|line| line["state"] == "running"), "{}", answer.text);
    last.clone()
}

#[tokio::test]
async fn the_log_is_exported_from_any_revision() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    // So many changes that the export has several chunks.
    let text = "x".repeat(900);
    for number in 0..5 {
        let made = json!({ "key": format!("exported-{number}"), "state": "off", "description": text });
        api.post("/flags").json(made).send().await.is(201);
        for round in 0..40 {
            let edit = json!({ "description": format!("{text}{round}") });
            api.patch(format!("/flags/exported-{number}")).any_version().json(edit).send().await.is(200);
        }
    }
    let (revision, hash) = head(&api).await;
    let answer = api.get("/audit/export").send().await.is(200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    assert!(answer.text.len() > 400_000, "{}", answer.text.len());
    let changes: Vec<Change> =
        answer.text.lines().map(|line| Change::from_json(line.as_bytes()).unwrap()).collect();
    assert_eq!(changes.len() as u64, revision);
    assert_eq!(verify_chain(&changes).unwrap(), hash.as_str());
    let from = |from: u64| api.get(format!("/audit/export?from={from}")).send();
    let rest = from(revision - 2).await.is(200);
    let revisions: Vec<u64> =
        rest.body.as_array().unwrap().iter().map(|line| line["revision"].as_u64().unwrap()).collect();
    assert_eq!(revisions, [revision - 2, revision - 1, revision]);
    assert_eq!(from(revision + 1).await.is(200).text, "", "the export goes beyond the head");
    from(0).await.refused(400, "invalid_parameter").at("?from");
}

#[tokio::test]
async fn the_log_is_verified_against_an_earlier_head() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let (revision, hash) = head(&api).await;
    let answer = api.post("/audit/verify").send().await.is(200);
    let expected = json!({ "state": "ok", "revision": revision, "until": revision, "hash": hash });
    assert_eq!(last(&answer), expected);
    api.post("/flags/meetings_e2ee/kill").any_version().send().await.is(200);
    let with = |head: String| api.post(format!("/audit/verify?expect={head}")).send();
    let grown = last(&with(format!("{revision}:{hash}")).await.is(200));
    assert_eq!((&grown["state"], &grown["revision"]), (&json!("ok"), &json!(revision + 1)));
    let other = last(&with(format!("{}:{hash}", revision - 1)).await.is(200));
    assert_eq!((&other["state"], &other["code"]), (&json!("failed"), &json!("head_differs")));
    let beyond = last(&with(format!("{}:{hash}", revision + 2)).await.is(200));
    assert_eq!((&beyond["state"], &beyond["code"]), (&json!("failed"), &json!("log_shortened")));
    with("1".to_owned()).await.refused(400, "invalid_parameter").at("?expect");
}

#[tokio::test]
async fn verification_finds_a_record_that_was_changed_in_the_database() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let (revision, _) = head(&api).await;
    let server = server.restart_after(&NO_LIMITS, |data| {
        let database = Connection::open(data.join("dezky.sqlite3")).unwrap();
        let count = database.execute("UPDATE tenants SET plan = 'tampered' WHERE slug = 'globex'", []);
        assert_eq!(count.unwrap(), 1);
    });
    let api = Api::sign_in(&server, "operator").await;
    let found = last(&api.post("/audit/verify").send().await.is(200));
    assert_eq!((&found["state"], &found["code"]), (&json!("failed"), &json!("record_differs")));
    assert!(found["detail"].as_str().unwrap().contains("plan"), "{found}");
    assert_eq!(found["until"], revision);
}

#[tokio::test]
async fn one_verification_runs_at_a_time_beside_other_requests() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let many = join_all((0..20).map(|_| api.post("/audit/verify").send()));
    let reads = join_all((0..20).map(|_| api.get("/tenants/acme").send()));
    let (many, reads) = tokio::join!(many, reads);
    reads.into_iter().for_each(|answer| drop(answer.is(200)));
    let (done, refused): (Vec<_>, Vec<_>) = many.into_iter().partition(|answer| answer.status == 200);
    assert!(!done.is_empty());
    done.iter().for_each(|answer| assert_eq!(last(answer)["state"], "ok", "{}", answer.text));
    refused.into_iter().for_each(|answer| drop(answer.refused(409, "verification_running")));
    // The next verification can run.
    api.post("/audit/verify").send().await.is(200);
}
