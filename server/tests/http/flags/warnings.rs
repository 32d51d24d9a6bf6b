//! Warnings about flags that probably do not do what their author wants.

use serde_json::{Value, json};

use super::{create, no_scope, operator, patch, read};
use crate::support::{Api, Server};

/// The code and the path of each warning.
fn codes(warnings: &Value) -> Vec<String> {
    let text =
        |each: &Value| format!("{} {}", each["code"].as_str().unwrap(), each["path"].as_str().unwrap());
    warnings.as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn a_targeted_flag_with_an_empty_scope_is_warned_of() {
    let api = operator().await;
    let warned = create(&api, json!({ "key": "nobody", "state": "targeted" })).await.is(201).body;
    assert_eq!(warned["warning"], "targets_nobody");
    let scope = json!({ "tenantSlugs": ["acme"] });
    let fine = patch(&api, "nobody", json!({ "scope": scope })).await.is(200).body;
    assert!(fine.get("warning").is_none());
    let warned = patch(&api, "nobody", json!({ "scope": null })).await.is(200).body;
    assert_eq!((&warned["warning"], &warned["scope"]), (&json!("targets_nobody"), &no_scope()));
}

#[tokio::test]
async fn an_ignored_scope_and_unknown_names_are_warned_of_in_plan_and_write() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let scope = json!({ "plans": ["bussiness", "free"], "tenantSlugs": ["acme", "acmee"],
        "partnerSlugs": ["nobodys-partner"], "environments": ["prodution", "production"] });
    let flag = json!({ "key": "warned", "state": "on", "scope": scope });
    let expected = |prefix: &str| {
        [
            "scope_ignored ",
            "unknown_name /plans/0",
            "unknown_name /tenantSlugs/1",
            "unknown_name /partnerSlugs/0",
            "unknown_name /environments/1",
        ]
        .map(|each| each.replacen(' ', &format!(" {prefix}/scope"), 1))
    };
    let edits = json!({ "edits": [{ "kind": "putFlag", "flag": flag }] });
    let plan = api.post("/flags/plan").json(edits).send().await.is(200).body;
    assert_eq!(codes(&plan["warnings"]), expected("/edits/0/flag"));
    let made = create(&api, flag).await.is(201).body;
    assert_eq!(made["warning"], "scope_ignored");
    let warnings = &made["warnings"];
    assert_eq!(codes(warnings), expected(""));
    let nearest = |at: usize| (warnings[at]["name"].clone(), warnings[at]["nearest"].clone());
    assert_eq!(nearest(1), (json!("bussiness"), json!("business")));
    assert_eq!(nearest(2), (json!("acmee"), json!("acme")));
    assert_eq!(nearest(4), (json!("prodution"), json!("production")));
}

#[tokio::test]
async fn warnings_are_about_the_change_and_only_for_its_author() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let scope = json!({ "plans": ["bussiness", "free"], "tenantSlugs": ["acme", "acmee"],
        "partnerSlugs": ["nobodys-partner"], "environments": ["prodution", "production"] });
    create(&api, json!({ "key": "warned", "state": "on", "scope": scope })).await.is(201);
    assert!(read(&api, "warned").await.get("warnings").is_none());
    let change = json!({ "state": "targeted", "scope": { "plans": ["free"], "partnerSlugs": null, "environments": null } });
    let edits = json!({ "edits": [{ "kind": "patchFlag", "key": "warned", "patch": change }] });
    let plan = api.post("/flags/plan").json(edits).send().await.is(200).body;
    assert_eq!(codes(&plan["warnings"]), ["unknown_name /edits/0/patch/scope/tenantSlugs/1"]);
    let changed = patch(&api, "warned", change).await.is(200).body;
    assert_eq!(codes(&changed["warnings"]), ["unknown_name /scope/tenantSlugs/1"]);
    assert!(changed.get("warning").is_none());
    let fine = patch(&api, "warned", json!({ "scope": { "tenantSlugs": ["acme"] } })).await.is(200).body;
    assert!(fine.get("warnings").is_none());
}

/// The environment of a machine key exists from its creation on; the first such key is warned of.
#[tokio::test]
async fn the_environment_of_a_key_is_warned_of_only_while_it_is_unknown() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    create(&api, json!({ "key": "warned", "state": "targeted" })).await.is(201);
    let key = json!({ "name": "Stage", "kind": "server", "environment": "prodution" });
    let made = api.post("/keys").json(key.clone()).send().await.is(201).body;
    assert_eq!(codes(&made["warnings"]), ["unknown_name /environment"]);
    assert_eq!(made["warnings"][0]["nearest"], "production");
    assert!(api.post("/keys").json(key).send().await.is(201).body.get("warnings").is_none());
    let fine =
        patch(&api, "warned", json!({ "scope": { "environments": ["prodution"] } })).await.is(200).body;
    assert!(fine.get("warnings").is_none());
}
