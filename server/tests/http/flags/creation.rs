//! The creation of flags, and errors of their documents.

use serde_json::{Value, json};

use super::{SERVER, create, no_scope, operator, read};
use crate::support::Api;

#[tokio::test]
async fn a_new_flag_has_all_its_members() {
    let api = operator().await;
    let scope = json!({ "plans": ["business", "alpha"], "environments": ["production"] });
    let body =
        json!({ "key": "made", "state": "rollout", "pct": 12.5, "scope": scope, "description": "Made." });
    let made = create(&api, body).await.is(201);
    assert_eq!(made.header("location"), "/flags/made");
    assert_eq!((&made.body["state"], &made.body["pct"]), (&json!("rollout"), &json!(12.5)));
    assert_eq!(made.body["scope"]["plans"], json!(["alpha", "business"]));
    assert!(made.body.get("warning").is_none());
    let read = api.get("/flags/made").send().await.is(200);
    assert_eq!(read.etag(), made.etag());
    assert_eq!(read.body["history"].as_array().unwrap().len(), 1);
    let least = create(&api, json!({ "key": "least", "state": "off" })).await.is(201).body;
    assert_eq!((&least["pct"], &least["scope"], &least["description"]), (&json!(0), &no_scope(), &json!("")));
    create(&api, json!({ "key": "made", "state": "off" })).await.refused(409, "taken").at("/key");
}

#[tokio::test]
async fn invalid_flags_are_refused_with_the_path_of_the_error() {
    let api = operator().await;
    for (wrong, code, at) in [
        (json!({ "key": "No", "state": "on" }), "invalid_flag_key", "/key"),
        (json!({ "key": "a:b", "state": "on" }), "invalid_flag_key", "/key"),
        (json!({ "key": "a", "state": "maybe" }), "unknown_state", "/state"),
        (json!({ "key": "a", "state": "rollout", "pct": 101 }), "invalid_pct", "/pct"),
        (json!({ "key": "a", "state": "rollout", "pct": 1.234 }), "pct_precision", "/pct"),
        (json!({ "key": "a", "state": "on", "scope": { "plans": "p" } }), "wrong_type", "/scope/plans"),
        (json!({ "state": "on" }), "missing", "/key"),
        (json!({ "key": "a", "state": "rollout", "pct": "25" }), "wrong_type", "/pct"),
        (json!({ "key": "a", "state": "on", "scop": {} }), "unknown_field", "/scop"),
        (json!({ "key": "a", "state": "on", "scope": { "plan": [] } }), "unknown_field", "/scope/plan"),
        (json!({ "key": "a", "state": "on", "history": [] }), "unknown_field", "/history"),
    ] {
        create(&api, wrong).await.refused(422, code).at(at);
    }
}

#[tokio::test]
async fn a_flag_without_a_state_is_off() {
    let api = operator().await;
    let made = create(&api, json!({ "key": "bare", "description": "What it will do." })).await.is(201).body;
    assert_eq!((&made["state"], &made["pct"], &made["scope"]), (&json!("off"), &json!(0), &no_scope()));
    assert_eq!(made["description"], "What it will do.");
    create(&api, json!({ "key": "barer", "state": null })).await.is(201);
    assert_eq!(read(&api, "barer").await["state"], "off");
}

/// The detail names the expected type, the range, and the nearest known member.
#[tokio::test]
async fn an_error_names_the_expected_value() {
    let api = operator().await;
    let detail = async |body: Value| {
        let refused = create(&api, body).await;
        assert_eq!(refused.status, 422);
        refused.body["detail"].as_str().unwrap().to_owned()
    };
    let pct = detail(json!({ "key": "said", "state": "rollout", "pct": "25" })).await;
    assert!(pct.contains("a number") && pct.contains("a string") && pct.contains("0 to 100"), "{pct}");
    let state = detail(json!({ "key": "said", "state": 1 })).await;
    assert!(state.contains("off, on, targeted or rollout"), "{state}");
    let member = detail(json!({ "key": "said", "scop": {} })).await;
    assert!(member.contains("`scope`"), "{member}");
    let axis = detail(json!({ "key": "said", "scope": { "plan": ["free"] } })).await;
    assert!(axis.contains("`plans`"), "{axis}");
}

#[tokio::test]
async fn names_of_paths_are_reserved_keys() {
    let api = operator().await;
    for key in ["evaluate", "plan", "snapshot", "slice", "stream", "reach"] {
        create(&api, json!({ "key": key, "state": "on" })).await.refused(422, "reserved_key").at("/key");
    }
}

#[tokio::test]
async fn members_see_neither_scope_nor_history() {
    let member = Api::sign_in(&SERVER, "member").await;
    let flag = read(&member, "jmap_native_v2").await;
    let mut members: Vec<&String> = flag.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["createdAt", "description", "key", "pct", "state", "updatedAt", "version"]);
    let listed = member.get("/flags").send().await.is(200);
    for flag in listed.items() {
        assert!(flag.get("scope").is_none() && flag.get("history").is_none() && flag.get("key").is_some());
    }
    let admin = Api::sign_in(&SERVER, "admin").await;
    assert!(read(&admin, "jmap_native_v2").await["history"].is_array());
}
