//! Changes of other tenants do not show in any answer, and no answer names other tenants.

use std::time::Duration;

use serde_json::{Value, json};

use super::observation::{Observation, assert_names_none, assert_unchanged};
use super::two_tenants::{TwoTenants, text};
use crate::support::{Api, EventStream, unix_seconds};

/// Changes other tenants and their records, but no flag.
async fn change_others(scene: &TwoTenants) {
    let api = &scene.operator;
    let patch =
        async |path: &str, change: Value| api.patch(path).any_version().json(change).send().await.is(200);
    patch(
        "/tenants/globex",
        json!({ "name": "Globex Renamed", "plan": "free", "domains": ["globex.example"] }),
    )
    .await;
    patch("/partners/lumen", json!({ "name": "Lumen Renamed", "marginPct": 3 })).await;
    patch("/partners/nordlys", json!({ "name": "Nordlys Renamed" })).await;
    let lumen = api.get("/partners/lumen").send().await.is(200).body["id"].clone();
    patch("/tenants/globex", json!({ "partnerId": null })).await;
    patch("/tenants/initech", json!({ "partnerId": lumen })).await;
    patch("/tenants/initech", json!({ "plan": "business" })).await;
    let new = json!({ "slug": "upstart", "name": "Upstart", "plan": "business" });
    let made = api.post("/tenants").json(new).send().await.is(201).body;
    api.post("/partners")
        .json(json!({ "slug": "fresh-partner", "name": "Fresh Partner" }))
        .send()
        .await
        .is(201);
    api.post("/tenants/hooli/suspend").any_version().send().await.is(200);
    api.delete("/tenants/stark").any_version().send().await.is(200);
    patch(&format!("/users/{}", scene.users[1]), json!({ "name": "Another Name", "role": "owner" })).await;
    let initech = api.get("/tenants/initech").send().await.is(200).body["id"].clone();
    let memberships = json!({ "tenantIds": [scene.tenant_ids[1], initech] });
    patch(&format!("/users/{}", scene.users[1]), memberships).await;
    patch(&format!("/subscriptions/{}", scene.subscriptions[1]), json!({ "plan": "free" })).await;
    let body = json!({ "tenantId": made["id"], "plan": "business", "status": "active",
        "price": { "amount": 77, "currency": "eur", "interval": "month" } });
    api.post("/subscriptions").json(body).send().await.is(201);
    scene.server.tenant_key("upstart").await;
    scene.server.server_key().await;
    let staging =
        json!({ "name": "Staging", "kind": "tenant", "tenantSlug": "initech", "environment": "staging" });
    let (id, secret) = scene.server.create_key(staging).await;
    Api::with_key(&scene.server, &secret).await.get("/flags/slice?tenant=initech").send().await.is(200);
    api.delete(format!("/keys/{id}")).send().await.is(200);
    Api::sign_in(&scene.server, "other").await.get("/users/me").send().await.is(200);
    Api::sign_in(&scene.server, "stranger").await.get("/users/me").send().await.is(200);
}

/// Changes flags without changing any evaluation for acme or its explanation.
async fn change_flags_of_others(scene: &TwoTenants) {
    let patch = async |key: &str, change: Value| {
        scene.operator.patch(format!("/flags/{key}")).any_version().json(change).send().await.is(200)
    };
    patch("for_others", json!({ "scope": { "tenantSlugs": ["globex", "initech", "upstart"] } })).await;
    patch("for_others", json!({ "state": "rollout", "pct": 55 })).await;
    patch("for_their_plan", json!({ "pct": 80 })).await;
    patch(
        "for_their_plan",
        json!({ "scope": { "plans": ["enterprise", "free"], "tenantSlugs": ["globex"] } }),
    )
    .await;
    patch("for_their_partner", json!({ "scope": { "partnerSlugs": ["lumen", "fresh-partner"] } })).await;
    patch("for_some", json!({ "scope": { "tenantSlugs": ["acme", "initech", "hooli"] } })).await;
    patch("for_some", json!({ "description": "Only people read this." })).await;
}

/// The five-minute period whose links the server gives out.
fn link_period() -> i64 {
    unix_seconds() / 300
}

/// Opens the slice streams and the linked OFREP streams of the tenant key and the member.
async fn open_streams(scene: &TwoTenants) -> Vec<EventStream> {
    let mut streams = Vec::new();
    for (_, api) in &scene.callers[..2] {
        streams.push(api.get("/flags/slice/stream?tenant=acme").open().await);
        let context = json!({ "context": { "targetingKey": "acme" } });
        let all = api.post("/ofrep/v1/evaluate/flags").json(context).send().await.is(200);
        let link = text(&all.body["eventStreams"][0]["endpoint"]["requestUri"]);
        streams.push(scene.callers[2].1.get(link).open().await);
    }
    for stream in &mut streams {
        stream.next().await;
    }
    streams
}

/// The observations of every caller, in the order of `TwoTenants::callers`.
async fn observe_callers(scene: &TwoTenants) -> Vec<Vec<Observation>> {
    let mut all = Vec::new();
    for (_, api) in &scene.callers {
        all.push(scene.observe_all(api).await);
    }
    all
}

/// Every active user may read the state and version of every flag, though not its scope.
fn is_flag(observation: &Observation) -> bool {
    let what = &*observation.what;
    observation.status == 200 && (what == "GET /flags" || what.starts_with("GET /flags/for_"))
}

/// Runs the test; `None` if the links changed during it, so that answers cannot be compared.
async fn compare_within_one_link_period() -> Option<()> {
    let period = link_period();
    let scene = TwoTenants::new().await;
    // The first request of a user writes their sign-in.
    observe_callers(&scene).await;
    let first = observe_callers(&scene).await;
    let mut streams = open_streams(&scene).await;
    let old_names = scene.names_of_others().await;
    change_others(&scene).await;
    let new_names = scene.names_of_others().await;
    let second = observe_callers(&scene).await;
    change_flags_of_others(&scene).await;
    let third = observe_callers(&scene).await;
    if link_period() != period {
        return None;
    }
    for (index, (caller, _)) in scene.callers.iter().enumerate() {
        let (first, second, third) = (&first[index], &second[index], &third[index]);
        let compared = assert_unchanged(caller, first, second, |_| false);
        assert!(compared > 3 * 35, "{compared}");
        assert_names_none(caller, first, &old_names);
        assert_names_none(caller, second, &new_names);
        // A change of a flag shows in the flag itself and nowhere else.
        assert_unchanged(caller, first, third, is_flag);
        let flags = first.iter().filter(|observation| is_flag(observation)).count();
        assert_eq!(flags, if ["a member", "an owner"].contains(caller) { 5 } else { 0 });
        assert_names_none(caller, third, &new_names);
    }
    for stream in &mut streams {
        stream.stays_silent(Duration::from_millis(200)).await;
    }
    // The comparison notices changes: the tenant's own change shows, and its streams send an event.
    scene
        .operator
        .patch("/tenants/acme")
        .any_version()
        .json(json!({ "name": "Renamed" }))
        .send()
        .await
        .is(200);
    for ((caller, api), before) in scene.callers[..2].iter().zip(&first) {
        assert_ne!(scene.observe_all(api).await, *before, "{caller}");
    }
    for stream in &mut streams {
        stream.next().await;
    }
    Some(())
}

#[tokio::test]
async fn changes_of_other_tenants_change_no_byte() {
    while compare_within_one_link_period().await.is_none() {}
}

/// Everyone may see that a flag was killed, but not for whom it was on.
#[tokio::test]
async fn a_kill_of_a_flag_of_others_names_none_of_them() {
    let scene = TwoTenants::new().await;
    scene.operator.post("/flags/for_others/kill").any_version().send().await.is(200);
    scene.operator.delete("/flags/for_their_partner").any_version().send().await.is(200);
    let body = json!({ "key": "brand_new", "state": "targeted", "scope": { "tenantSlugs": ["initech"] } });
    scene.operator.post("/flags").json(body).send().await.is(201);
    let others = scene.names_of_others().await;
    for (caller, api) in &scene.callers {
        assert_names_none(caller, &scene.observe_all(api).await, &others);
    }
}
