//! Evaluations by the server.

use dezky_core::flags::{Ruleset, Snapshot, Subject};
use serde_json::{Value, json};

use super::{create, operator};
use crate::support::Api;

/// Creates flags whose keys begin with `core-`, for each state and several scopes.
async fn create_flags(api: &Api) {
    let scopes = [
        json!({}),
        json!({ "plans": ["business"] }),
        json!({ "partnerSlugs": ["nordlys"] }),
        json!({ "tenantSlugs": ["acme", "hooli"], "environments": ["production"] }),
        json!({ "environments": ["staging"] }),
    ];
    for (number, scope) in scopes.iter().enumerate() {
        for (state, pct) in
            [("on", 0.0), ("targeted", 0.0), ("rollout", 0.0), ("rollout", 37.25), ("rollout", 100.0)]
        {
            let key = format!("core-{number}-{state}-{}", pct as u32);
            create(api, json!({ "key": key, "state": state, "pct": pct, "scope": scope })).await.is(201);
        }
    }
}

/// The server evaluates and explains like core does with the same flags and tenants.
#[tokio::test]
async fn the_server_evaluates_like_core() {
    let api = operator().await;
    create_flags(&api).await;
    let partners = api.get("/partners").send().await.is(200);
    let tenants = api.get("/tenants?status=active&limit=200").send().await.is(200);
    // Other tests change further flags at the same time.
    let listed = api.get("/flags").send().await.is(200);
    let own = |flag: &&Value| flag["key"].as_str().unwrap().starts_with("core-");
    let flags: Vec<Value> = listed.items().iter().filter(own).cloned().collect();
    assert_eq!(flags.len(), 25);
    let document = json!({ "format": 1, "revision": 1, "environment": "production", "flags": flags });
    let rules = Ruleset::new(Snapshot::from_json(document.to_string().as_bytes()).unwrap());
    let mut decisions = [0, 0];
    for tenant in tenants.items() {
        let text = |member: &str| tenant[member].as_str().unwrap();
        let subject = Subject::new(text("id"), text("slug"), text("plan")).unwrap();
        let partner = partners.items().iter().find(|partner| partner["id"] == tenant["partnerId"]);
        let subject = match partner {
            Some(partner) => subject.with_partner(partner["slug"].as_str().unwrap()).unwrap(),
            None => subject,
        };
        let asked = json!({ "tenantSlug": text("slug") });
        let plain = api.post("/flags/evaluate").json(asked.clone()).send().await.is(200).body;
        let explained = api.post("/flags/evaluate?explain=true").json(asked).send().await.is(200).body;
        for key in rules.keys() {
            let why: Value = serde_json::from_str(&rules.explain(key, &subject).to_json()).unwrap();
            assert_eq!(plain[key], why["enabled"], "{key} for {}", text("slug"));
            assert_eq!(explained[key], why, "{key} for {}", text("slug"));
            decisions[usize::from(why["enabled"].as_bool().unwrap())] += 1;
        }
    }
    assert!(tenants.items().len() >= 12 && decisions.iter().all(|&count| count > 50), "{decisions:?}");
}

#[tokio::test]
async fn an_evaluation_needs_an_existing_tenant() {
    let api = operator().await;
    let request = |body: Value| api.post("/flags/evaluate").json(body);
    request(json!({ "tenantSlug": "absent" })).send().await.refused(404, "not_found");
    let whole = request(json!({ "tenantSlug": "acme" })).send().await.is(200).body;
    assert!(
        whole.as_object().unwrap().len() >= 10 && whole.as_object().unwrap().values().all(Value::is_boolean)
    );
    request(json!({ "tenantSlug": "acme", "plan": "x" }))
        .send()
        .await
        .refused(422, "unknown_field")
        .at("/plan");
}
