//! Evaluations while flags change.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use serde_json::json;

use super::{BULK, context, create_flag};
use crate::support::{Api, Server};

/// All values of an answer belong to the version that the answer names, also during writes.
#[tokio::test]
async fn no_answer_mixes_two_versions() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    for key in ["torn_a", "torn_b"] {
        create_flag(&operator, key, "off", 0.0, json!({})).await;
    }
    let callers = [
        Api::with_key(&server, &server.server_key().await).await,
        Api::with_key(&server, &server.tenant_key("acme").await).await,
    ];
    let is_over = AtomicBool::new(false);
    let writing = async {
        for number in 0..150 {
            let key = ["torn_a", "torn_b"][number % 2];
            let state = ["on", "off"][number / 2 % 2];
            let body = json!({ "state": state });
            operator.patch(format!("/flags/{key}")).any_version().json(body).send().await.is(200);
        }
        is_over.store(true, Ordering::SeqCst);
    };
    let reading = join_all(callers.iter().cycle().take(8).map(|api| async {
        let mut seen = HashMap::new();
        while !is_over.load(Ordering::SeqCst) {
            let answer = api.post(BULK).json(context("acme")).send().await.is(200);
            let mut body = answer.body.clone();
            body.as_object_mut().unwrap().remove("eventStreams");
            let version = body["metadata"]["version"].as_str().unwrap().to_owned();
            let known = seen.entry(version).or_insert_with(|| body.clone());
            assert_eq!(*known, body);
        }
        seen
    }));
    let ((), seen) = tokio::join!(writing, reading);
    for index in 0..callers.len() {
        let mut all = HashMap::new();
        for (version, body) in seen.iter().skip(index).step_by(callers.len()).flatten() {
            assert_eq!(*all.entry(version).or_insert(body), body, "{version}");
        }
        assert!(all.len() > 20, "{}", all.len());
    }
}
