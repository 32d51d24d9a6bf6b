//! Kills, restored states, and the history of a flag.

use serde_json::json;

use super::{create, operator, patch, read};

#[tokio::test]
async fn a_killed_flag_is_off_for_everyone_at_once() {
    let api = operator().await;
    let scope = json!({ "plans": ["business"] });
    create(&api, json!({ "key": "killed", "state": "rollout", "pct": 100, "scope": scope })).await.is(201);
    let is_on = || async {
        let body = json!({ "tenantSlug": "acme" });
        api.post("/flags/evaluate").json(body).send().await.is(200).body["killed"].clone()
    };
    assert_eq!(is_on().await, true);
    let killed = api.post("/flags/killed/kill").any_version().send().await.is(200);
    assert_eq!((&killed.body["state"], &killed.body["pct"]), (&json!("off"), &json!(0)));
    assert_eq!(killed.body["scope"]["plans"], json!(["business"]));
    assert_eq!(is_on().await, false);
    let again = api.post("/flags/killed/kill").if_match(&killed.etag()).send().await.is(200);
    assert_eq!((again.etag(), &again.body["version"]), (killed.etag(), &killed.body["version"]));
    let log = api.get("/audit?entity=flag&id=killed").send().await.is(200);
    assert_eq!(log.each("action"), ["flag.kill", "flag.create"]);
    api.post("/flags/absent/kill").any_version().send().await.refused(404, "not_found");
}

#[tokio::test]
async fn a_flag_can_be_restored_to_each_of_its_states() {
    let api = operator().await;
    create(&api, json!({ "key": "back", "state": "on", "description": "First." })).await.is(201);
    let change =
        json!({ "state": "rollout", "pct": 33.33, "scope": { "plans": ["free"] }, "description": "Second." });
    patch(&api, "back", change).await.is(200);
    api.post("/flags/back/kill").any_version().send().await.is(200);
    let history = read(&api, "back").await["history"].clone();
    let revisions: Vec<u64> =
        history.as_array().unwrap().iter().map(|entry| entry["revision"].as_u64().unwrap()).collect();
    assert!(revisions.is_sorted_by(|newer, older| newer > older), "{revisions:?}");
    let restore = async |revision: u64| {
        let body = json!({ "revision": revision });
        api.post("/flags/back/restore").any_version().json(body).send().await
    };
    for entry in history.as_array().unwrap().iter().rev() {
        let restored = restore(entry["revision"].as_u64().unwrap()).await.is(200).body;
        for member in ["state", "pct", "scope", "description"] {
            assert_eq!(restored[member], entry["after"][member], "{member}");
        }
    }
    let version = read(&api, "back").await["version"].clone();
    let same = restore(revisions[0]).await.is(200).body;
    assert_eq!(same["version"], version, "an identical state is a new version");
    restore(0).await.refused(422, "unknown_revision").at("/revision");
    let answer = api.post("/flags/back/restore").any_version().json(json!({ "revision": -1 })).send().await;
    answer.refused(422, "invalid_revision").at("/revision");
    let answer = api.post("/flags/back/restore").any_version().json(json!({})).send().await;
    answer.refused(422, "missing").at("/revision");
}

#[tokio::test]
async fn the_history_agrees_with_the_log() {
    let api = operator().await;
    create(&api, json!({ "key": "history", "state": "off" })).await.is(201);
    for pct in 1..=24 {
        patch(&api, "history", json!({ "state": "rollout", "pct": pct })).await.is(200);
    }
    let history = read(&api, "history").await["history"].clone();
    let history = history.as_array().unwrap();
    assert_eq!(history.len(), 20);
    let log = api.get("/audit?entity=flag&id=history&limit=200").send().await.is(200);
    assert_eq!(log.items().len(), 25);
    for (entry, change) in history.iter().zip(log.items()) {
        assert_eq!((&entry["revision"], &entry["at"]), (&change["revision"], &change["at"]));
        assert_eq!(entry["by"], change["actor"]["email"]);
        assert_eq!(entry["by"], "operator@dezky.example");
        for (content, document) in [("before", "before"), ("after", "after")] {
            for member in ["state", "pct", "scope", "description"] {
                assert_eq!(entry[content][member], change[document][member], "{member}");
            }
        }
    }
    for pair in history.windows(2) {
        assert_eq!(pair[0]["before"], pair[1]["after"]);
    }
    // Lists leave out the history, because it is long.
    let listed = api.get("/flags").send().await.is(200);
    assert!(listed.items().iter().all(|flag| flag.get("history").is_none() && flag.get("scope").is_some()));
    let keys = listed.each("key");
    assert!(keys.is_sorted() && keys.contains(&"jmap_native_v2"));
}

#[tokio::test]
async fn a_flag_created_again_has_a_new_history() {
    let api = operator().await;
    create(&api, json!({ "key": "anew", "state": "on", "description": "Old." })).await.is(201);
    let old = read(&api, "anew").await["history"][0]["revision"].clone();
    let gone = api.delete("/flags/anew").any_version().send().await.is(200);
    assert_eq!(gone.body["description"], "Old.");
    api.get("/flags/anew").send().await.refused(404, "not_found");
    api.delete("/flags/anew").any_version().send().await.refused(404, "not_found");
    create(&api, json!({ "key": "anew", "state": "off", "description": "New." })).await.is(201);
    let history = read(&api, "anew").await["history"].clone();
    assert_eq!(history.as_array().unwrap().len(), 1);
    assert_eq!(history[0]["after"]["description"], "New.");
    assert!(history[0].get("before").is_none());
    let answer = api.post("/flags/anew/restore").any_version().json(json!({ "revision": old })).send().await;
    answer.refused(422, "unknown_revision");
    let log = api.get("/audit?entity=flag&id=anew").send().await.is(200);
    assert_eq!(log.each("action"), ["flag.create", "flag.delete", "flag.create"]);
}
