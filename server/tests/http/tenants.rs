//! Tenants: their status, their changeable members, and the rights to change them.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

async fn operator() -> Api {
    Api::sign_in(&SERVER, "operator").await
}

async fn make(api: &Api, slug: &str) -> Value {
    let body = json!({ "slug": slug, "name": slug, "plan": "business" });
    api.post("/tenants").json(body).send().await.is(201).body
}

async fn step(api: &Api, slug: &str, step: &str) -> Answer {
    api.post(format!("/tenants/{slug}/{step}")).any_version().send().await
}

async fn patch(api: &Api, slug: &str, change: Value) -> Answer {
    api.patch(format!("/tenants/{slug}")).any_version().json(change).send().await
}

#[tokio::test]
async fn a_new_tenant_has_all_its_members_and_is_active() {
    let api = operator().await;
    let partner = api.get("/partners/nordlys").send().await.is(200).body["id"].clone();
    let body = json!({
        "slug": "whole", "name": "Whole GmbH", "plan": "enterprise", "domains": ["Whole.example", "whole.test"],
        "partnerId": partner,
        "billingInfo": { "companyName": "Whole", "vatId": "DE1", "email": "Pay@Whole.example", "currency": "eur" },
    });
    let made = api.post("/tenants").json(body).send().await.is(201);
    assert_eq!(made.body["status"], "active");
    assert_eq!(made.body["domains"], json!(["whole.example", "whole.test"]));
    assert_eq!(made.body["partnerId"], partner);
    assert_eq!(made.body["billingInfo"]["email"], "pay@whole.example");
    assert_eq!(made.body["billingInfo"]["currency"], "EUR");
    assert_eq!(made.body["version"], 1);
    assert_eq!(made.body["createdAt"], made.body["updatedAt"]);
    let read = api.get(made.header("location")).send().await.is(200);
    assert_eq!((read.body.clone(), read.etag()), (made.body.clone(), made.etag()));
    let again = json!({ "slug": "whole", "name": "Other", "plan": "free" });
    api.post("/tenants").json(again).send().await.refused(409, "taken").at("/slug");
    let lost = json!({ "slug": "lost", "name": "Lost", "plan": "free", "partnerId": "absent" });
    api.post("/tenants").json(lost).send().await.refused(422, "unknown_partner").at("/partnerId");
    api.get("/tenants/lost").send().await.is(404);
}

#[tokio::test]
async fn a_tenant_allows_only_the_steps_of_its_status() {
    let api = operator().await;
    make(&api, "life").await;
    let refused = async |name: &str| {
        step(&api, "life", name).await.refused(409, "invalid_transition").at("/status");
    };
    refused("activate").await;
    refused("resume").await;
    assert_eq!(step(&api, "life", "suspend").await.is(200).body["status"], "suspended");
    refused("suspend").await;
    refused("activate").await;
    assert_eq!(step(&api, "life", "resume").await.is(200).body["status"], "active");
    step(&api, "life", "suspend").await.is(200);
    let gone = api.delete("/tenants/life").any_version().send().await.is(200);
    assert_eq!(gone.body["status"], "terminated");
    assert_eq!(gone.body["version"], 5);
    for name in ["suspend", "resume", "activate"] {
        refused(name).await;
    }
    api.delete("/tenants/life").any_version().send().await.refused(409, "invalid_transition");
    patch(&api, "life", json!({ "name": "New" })).await.refused(409, "invalid_transition");
    // Operators still see a terminated tenant, and its slug stays taken.
    assert_eq!(api.get("/tenants/life").send().await.is(200).body["status"], "terminated");
    let again = json!({ "slug": "life", "name": "Again", "plan": "free" });
    api.post("/tenants").json(again).send().await.refused(409, "taken");
}

#[tokio::test]
async fn null_removes_a_member_and_an_object_is_merged() {
    let api = operator().await;
    let partner = api.get("/partners/lumen").send().await.is(200).body["id"].clone();
    make(&api, "merged").await;
    let body = json!({ "partnerId": partner, "domains": ["a.example"],
        "billingInfo": { "companyName": "C", "vatId": "V" } });
    patch(&api, "merged", body).await.is(200);
    let changed = patch(&api, "merged", json!({ "billingInfo": { "vatId": null, "address": "A\nB" } })).await;
    assert_eq!(changed.is(200).body["billingInfo"], json!({ "companyName": "C", "address": "A\nB" }));
    let before = api.get("/partners/lumen").send().await.is(200).body["customers"].as_u64().unwrap();
    let detached = patch(&api, "merged", json!({ "partnerId": null, "domains": null })).await.is(200).body;
    assert!(detached.get("partnerId").is_none());
    assert_eq!(detached["domains"], json!([]));
    let after = api.get("/partners/lumen").send().await.is(200).body["customers"].as_u64().unwrap();
    assert!(after < before, "{before} → {after}");
    patch(&api, "merged", json!({ "name": null })).await.refused(422, "missing").at("/name");
    patch(&api, "merged", json!({ "plan": null })).await.refused(422, "missing").at("/plan");
    patch(&api, "merged", json!({ "partnerId": "absent" })).await.refused(422, "unknown_partner");
    patch(&api, "merged", json!({ "domains": ["a.example", "A.example"] }))
        .await
        .refused(422, "duplicate_value")
        .at("/domains/1");
}

#[tokio::test]
async fn owners_change_three_members_and_members_of_the_tenant_none() {
    // This test has its own server, because other tests would see the suspension of acme.
    let server = Server::start();
    let (operator, owner) = (Api::sign_in(&server, "operator").await, Api::sign_in(&server, "owner").await);
    let member = Api::sign_in(&server, "member").await;
    for change in [
        json!({ "name": "Acme Neu" }),
        json!({ "domains": ["acme.example"] }),
        json!({ "billingInfo": { "vatId": "DE2" } }),
        json!({ "name": "Acme", "domains": [], "billingInfo": null }),
    ] {
        patch(&member, "acme", change.clone()).await.refused(403, "denied_role");
        patch(&owner, "acme", change).await.is(200);
    }
    for change in [
        json!({ "plan": "enterprise" }),
        json!({ "partnerId": null }),
        json!({ "name": "Right", "plan": "enterprise" }),
    ] {
        patch(&owner, "acme", change).await.refused(403, "denied_field");
    }
    // Members that no PATCH can change are unknown to every caller.
    for change in [
        json!({ "status": "terminated" }),
        json!({ "handles": { "authentikGroup": "dezky-platform-admins" } }),
        json!({ "colour": "blue" }),
    ] {
        patch(&owner, "acme", change.clone()).await.refused(422, "unknown_field");
        patch(&operator, "acme", change).await.refused(422, "unknown_field");
    }
    assert_eq!(operator.get("/tenants/acme").send().await.body["name"], "Acme");
    step(&operator, "acme", "suspend").await.is(200);
    patch(&owner, "acme", json!({ "name": "Not now" })).await.refused(403, "denied_tenant_suspended");
    for reader in [&owner, &member] {
        assert_eq!(reader.get("/tenants/acme").send().await.is(200).body["status"], "suspended");
        reader.get("/tenants/acme/users").send().await.is(200);
        reader.post("/flags/evaluate").json(json!({ "tenantSlug": "acme" })).send().await.is(200);
    }
    patch(&operator, "acme", json!({ "name": "By the operator" })).await.is(200);
    step(&operator, "acme", "resume").await.is(200);
    patch(&owner, "acme", json!({ "name": "Now" })).await.is(200);
}

#[tokio::test]
async fn a_terminated_tenant_looks_absent_to_its_members() {
    let server = Server::start();
    let (operator, owner) = (Api::sign_in(&server, "operator").await, Api::sign_in(&server, "owner").await);
    let member = Api::sign_in(&server, "member").await;
    let subscription = member.get("/subscriptions").send().await.is(200).each("id")[0].to_owned();
    operator.delete("/tenants/acme").any_version().send().await.is(200);
    for api in [&owner, &member] {
        for path in ["/tenants/acme", "/tenants/acme/users", &format!("/subscriptions/{subscription}")] {
            api.get(path).send().await.refused(404, "not_found");
        }
        patch(api, "acme", json!({ "name": "x" })).await.refused(404, "not_found");
        for path in ["/tenants", "/subscriptions"] {
            assert!(api.get(path).send().await.is(200).items().is_empty());
        }
        let me = api.get("/users/me").send().await.is(200).body;
        assert_eq!((&me["tenants"], &me["subscriptions"]), (&json!([]), &json!([])));
    }
    let evaluate = |api: &Api| {
        let api = api.clone();
        async move { api.post("/flags/evaluate").json(json!({ "tenantSlug": "acme" })).send().await }
    };
    evaluate(&member).await.refused(404, "not_found");
    for api in [&owner, &member] {
        api.get("/audit?tenant=acme").send().await.refused(404, "not_found");
    }
    assert_eq!(operator.get("/audit?tenant=acme").send().await.is(200).each("action")[0], "tenant.terminate");
    // Operators may still read the tenant, but its flags are not evaluated.
    for persona in ["operator", "admin"] {
        let api = Api::sign_in(&server, persona).await;
        assert_eq!(api.get("/tenants/acme").send().await.is(200).body["status"], "terminated");
        evaluate(&api).await.refused(403, "denied_tenant_terminated");
        api.get(format!("/subscriptions/{subscription}")).send().await.is(200);
    }
    let id = operator.get("/tenants/acme").send().await.body["id"].clone();
    let body = json!({ "tenantId": id, "plan": "free", "status": "active",
        "price": { "amount": 1, "currency": "eur", "interval": "month" } });
    operator.post("/subscriptions").json(body).send().await.refused(422, "unknown_tenant").at("/tenantId");
}

#[tokio::test]
async fn the_users_of_a_tenant_are_its_members() {
    let api = operator().await;
    let page = api.get("/tenants/acme/users").send().await.is(200);
    let mut names = page.each("name");
    names.sort_unstable();
    assert_eq!(names, ["Ina Inactive", "Mia Member", "Otto Owner"]);
    make(&api, "empty").await;
    assert!(api.get("/tenants/empty/users").send().await.is(200).items().is_empty());
}
