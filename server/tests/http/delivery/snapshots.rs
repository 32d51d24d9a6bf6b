//! Snapshots and slices as documents: their bytes, entity tags, compression and history.

use futures_util::future::join_all;
use serde_json::json;

use super::{SERVER, SLICE, change, document, header, move_to_plan};
use crate::support::{Answer, Api, NO_LIMITS, Server};

/// The snapshot, and the slice of acme.
async fn both(server: &Server, secret: &str) -> [Answer; 2] {
    let key = Api::with_key(server, secret).await;
    [key.get("/flags/snapshot").send().await.is(200), key.get(SLICE).send().await.is(200)]
}

/// The bytes, the entity tag and the history of both documents.
fn identity(answers: &[Answer; 2]) -> [(String, String, String); 2] {
    answers.each_ref().map(|answer| (answer.text.clone(), answer.etag(), answer.header("dezky-history")))
}

#[tokio::test]
async fn a_snapshot_is_canonical_and_named_by_its_hash() {
    let key = Api::with_key(&SERVER, &SERVER.server_key().await).await;
    for path in ["/flags/snapshot", SLICE] {
        let whole = key.get(path).send().await.is(200);
        let snapshot = document(&whole);
        assert!(snapshot.flags().len() >= 10 && snapshot.environment().as_str() == "production");
        for known in
            [whole.etag(), format!("W/{}", whole.etag()), format!("\"x\", {}", whole.etag()), "*".into()]
        {
            let same = key.get(path).header("if-none-match", &known).send().await.is(304);
            assert!(same.bytes.is_empty());
            for name in ["etag", "dezky-history", "cache-control"] {
                assert_eq!(header(&same, name), header(&whole, name), "{name}");
            }
        }
        for other in ["\"x\"", "x", "", whole.etag().trim_matches('"')] {
            key.get(path).header("if-none-match", other).send().await.is(200);
        }
        let head = key.request("HEAD", path).send().await.is(200);
        assert!(head.bytes.is_empty());
        assert_eq!(
            (head.etag(), header(&head, "content-length")),
            (whole.etag(), header(&whole, "content-length"))
        );
        assert!(whole.header("cache-control").contains("private"));
        let vary: Vec<&str> =
            whole.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(vary.join(",").contains("authorization"), "{vary:?}");
    }
}

#[tokio::test]
async fn compressed_answers_have_the_same_content() {
    let server = Server::start();
    let key = Api::with_key(&server, &server.server_key().await).await;
    let plain = key.get("/flags/snapshot").send().await.is(200);
    // All requests run at once, so some wait for a compression that another started.
    let accepted = ["gzip", "br", "gzip, deflate, br", "gzip;q=1, br;q=0", "identity", "zstd", "*;q=0"];
    let answers = join_all(accepted.iter().cycle().take(21).map(|accepted| async {
        let answer = key.get("/flags/snapshot").header("accept-encoding", *accepted).send().await;
        (*accepted, answer.is(200))
    }));
    for (accepted, answer) in answers.await {
        let expected = match accepted {
            "gzip" | "gzip;q=1, br;q=0" => Some("gzip"),
            "br" | "gzip, deflate, br" => Some("br"),
            _ => None,
        };
        assert_eq!(header(&answer, "content-encoding").as_deref(), expected, "{accepted}");
        assert_eq!((&answer.text, answer.etag()), (&plain.text, plain.etag()), "{accepted}");
        assert_eq!(expected.is_some(), answer.bytes.len() < plain.bytes.len() / 2, "{accepted}");
        assert!(answer.header("vary").contains("accept-encoding"));
    }
    let same =
        key.get("/flags/snapshot").header("accept-encoding", "br").header("if-none-match", plain.etag());
    assert_eq!(header(&same.send().await.is(304), "content-encoding"), None);
}

#[tokio::test]
async fn a_snapshot_stays_the_same_until_a_flag_changes() {
    let server = Server::start();
    let secret = server.server_key().await;
    let first = both(&server, &secret).await;
    let operator = Api::sign_in(&server, "operator").await;
    move_to_plan(&operator, "globex", "free").await;
    operator
        .post("/tenants")
        .json(json!({ "slug": "newcomer", "name": "N", "plan": "free" }))
        .send()
        .await
        .is(201);
    operator.patch("/partners/lumen").any_version().json(json!({ "name": "L" })).send().await.is(200);
    assert_eq!(
        identity(&both(&server, &secret).await),
        identity(&first),
        "a change of a tenant changed the snapshot"
    );
    let server = server.restart(&NO_LIMITS);
    assert_eq!(identity(&both(&server, &secret).await), identity(&first), "a restart changed the snapshot");
    let operator = Api::sign_in(&server, "operator").await;
    let slice_before = document(&first[1]).revision();
    move_to_plan(&operator, "acme", "free").await;
    let moved = both(&server, &secret).await;
    assert_eq!(moved[0].text, first[0].text);
    assert!(document(&moved[1]).revision() > slice_before, "the revision of the slice ignores its tenant");
    change(&operator, "search_across_apps", json!({ "state": "on" })).await;
    let changed = both(&server, &secret).await;
    assert!(document(&changed[0]).revision() > document(&first[0]).revision());
    assert_eq!(document(&changed[0]).revision(), document(&changed[1]).revision());
}

#[tokio::test]
async fn a_new_history_keeps_the_documents_and_changes_the_header() {
    let server = Server::start();
    let secret = server.server_key().await;
    let operator = Api::sign_in(&server, "operator").await;
    move_to_plan(&operator, "acme", "free").await;
    change(&operator, "search_across_apps", json!({ "state": "on" })).await;
    let before = both(&server, &secret).await;
    let server = server.restart_after(&NO_LIMITS, |data| {
        let binary = env!("CARGO_BIN_EXE_dezky-server");
        let begun = std::process::Command::new(binary)
            .args(["new-history", "--keep-keys"])
            .arg("--data")
            .arg(data)
            .output()
            .unwrap();
        assert!(begun.status.success(), "{begun:?}");
    });
    let after = both(&server, &secret).await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before.text, before.etag()), (&after.text, after.etag()));
        assert_ne!(
            before.header("dezky-history"),
            after.header("dezky-history"),
            "the history is still the old one"
        );
    }
    assert_eq!(after[0].header("dezky-history"), after[1].header("dezky-history"));
}
