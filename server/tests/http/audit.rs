//! Reading the change log: its chain, its filters, and the part that owners see.

use dezky_core::model::{Change, verify_chain};
use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

async fn log(api: &Api, query: &str) -> Answer {
    api.get(format!("/audit?{query}")).send().await.is(200)
}

#[tokio::test]
async fn the_log_is_one_chain_from_its_first_change() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    api.post("/partners").json(json!({ "slug": "chained", "name": "Chained" })).send().await.is(201);
    let mut changes = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = log(&api, &format!("limit=7{cursor}")).await;
        assert_eq!(page.body["proof"]["intact"], true);
        changes.extend(page.items().to_vec());
        match page.body["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let newest = log(&api, "limit=1").await.body;
    assert_eq!(newest["proof"]["headRevision"], changes[0]["revision"]);
    assert_eq!(newest["proof"]["headHash"], changes[0]["hash"]);
    changes.reverse();
    let chain: Vec<Change> = serde_json::from_value(Value::Array(changes.clone())).unwrap();
    let revisions: Vec<u64> = chain.iter().map(|change| change.revision).collect();
    assert_eq!(revisions, (1..=chain.len() as u64).collect::<Vec<_>>());
    verify_chain(&chain).unwrap();
    // A chain with an altered change is refused.
    let mut forged = changes;
    forged[3]["actor"] = json!({ "email": "somebody@example.org" });
    let forged: Vec<Change> = serde_json::from_value(Value::Array(forged)).unwrap();
    assert!(verify_chain(&forged).is_err());
}

#[tokio::test]
async fn the_log_is_filtered_by_actor_tenant_record_action_and_time() {
    let server = Server::start();
    let (api, owner) = (Api::sign_in(&server, "operator").await, Api::sign_in(&server, "owner").await);
    let me = api.get("/users/me").send().await.is(200).body["profile"].clone();
    let (id, email) = (me["id"].as_str().unwrap(), me["email"].clone());
    let made = api.post("/tenants").json(json!({ "slug": "logged", "name": "L", "plan": "free" }));
    let made = made.send().await.is(201).body;
    let tenant = made["id"].as_str().unwrap();
    let body = json!({ "tenantId": tenant, "plan": "free", "status": "active",
        "price": { "amount": 1, "currency": "eur", "interval": "month" } });
    let subscription = api.post("/subscriptions").json(body).send().await.is(201).body;
    api.post("/tenants/logged/suspend").any_version().send().await.is(200);
    api.post("/flags/meetings_e2ee/kill").any_version().send().await.is(200);
    owner.patch("/tenants/acme").any_version().json(json!({ "name": "By its owner" })).send().await.is(200);

    let own = log(&api, &format!("actor={id}&from={}", made["createdAt"].as_str().unwrap())).await;
    assert_eq!(own.each("action"), ["flag.kill", "tenant.suspend", "subscription.create", "tenant.create"]);
    assert!(own.items().iter().all(|change| change["actor"] == json!({ "id": id, "email": email })));
    let of_tenant = log(&api, "tenant=logged").await;
    assert_eq!(of_tenant.each("action"), ["tenant.suspend", "subscription.create", "tenant.create"]);
    assert_eq!(log(&api, "tenant=logged&entity=subscription").await.items()[0]["after"], subscription);
    assert_eq!(log(&api, &format!("entity=tenant&id={tenant}")).await.items().len(), 2);
    assert!(log(&api, &format!("entity=user&id={tenant}")).await.items().is_empty());
    assert_eq!(log(&api, "action=flag.kill").await.items().len(), 1);
    assert!(log(&api, "action=flag").await.items().is_empty());
    let suspended = of_tenant.items()[0].clone();
    assert_eq!(
        (&suspended["before"]["status"], &suspended["after"]["status"]),
        (&json!("active"), &json!("suspended"))
    );
    assert_eq!(of_tenant.items()[2]["before"], Value::Null);
    let at = suspended["at"].as_str().unwrap();
    assert_eq!(log(&api, &format!("tenant=logged&until={at}")).await.items().len(), 2);
    assert_eq!(log(&api, &format!("tenant=logged&from={at}")).await.items().len(), 1);
    let page = log(&api, "tenant=logged&limit=1").await;
    let next = page.body["nextCursor"].as_str().unwrap();
    assert_eq!(
        log(&api, &format!("tenant=logged&limit=1&cursor={next}")).await.items()[0]["action"],
        "subscription.create"
    );
    api.get("/audit?tenant=absent").send().await.refused(404, "not_found");
}

#[tokio::test]
async fn owners_read_only_the_log_of_their_tenant() {
    let server = Server::start();
    let (operator, owner) = (Api::sign_in(&server, "operator").await, Api::sign_in(&server, "owner").await);
    operator.post("/flags/meetings_e2ee/kill").any_version().send().await.is(200);
    operator.patch("/tenants/globex").any_version().json(json!({ "name": "G" })).send().await.is(200);
    operator.patch("/tenants/acme").any_version().json(json!({ "plan": "enterprise" })).send().await.is(200);
    let acme = operator.get("/tenants/acme").send().await.is(200).body["id"].clone();
    let seen = log(&owner, "tenant=acme").await;
    assert_eq!(seen.items()[0]["action"], "tenant.update");
    assert!(seen.items().len() >= 3);
    for change in seen.items() {
        let is_member =
            |side: &str| change[side]["tenantIds"].as_array().is_some_and(|ids| ids.contains(&acme));
        let is_membership = change["entity"]["kind"] == "user" && is_member("before") != is_member("after");
        let is_own = change["entity"]["id"] == acme || change["after"]["tenantId"] == acme;
        assert!(is_own || is_membership, "{change}");
    }
    assert!(log(&owner, "tenant=acme&entity=flag").await.items().is_empty());
    owner.get("/audit?tenant=globex").send().await.refused(404, "not_found");
    owner.get("/audit").send().await.refused(403, "denied_not_member");
}

/// Owners see users join and leave their tenant, but nothing of the users' other rights.
#[tokio::test]
async fn owners_see_users_join_and_leave_their_tenant() {
    let server = Server::start();
    let (operator, owner) = (Api::sign_in(&server, "operator").await, Api::sign_in(&server, "owner").await);
    let id =
        async |slug: &str| operator.get(format!("/tenants/{slug}")).send().await.is(200).body["id"].clone();
    let (acme, globex) = (id("acme").await, id("globex").await);
    let other = operator.user_id("dev-other").await;
    let path = format!("/users/{other}");
    for change in [
        json!({ "tenantIds": [globex, acme], "role": "admin", "platformAdmin": true }),
        json!({ "name": "Neither joins nor leaves" }),
        json!({ "tenantIds": [globex] }),
    ] {
        operator.patch(&path).any_version().json(change).send().await.is(200);
    }
    let query = format!("tenant=acme&entity=user&id={}", other);
    let whole = log(&operator, &query).await;
    assert_eq!(whole.items().len(), 2);
    assert!(whole.items().iter().all(|change| change.get("redacted").is_none()));
    let seen = log(&owner, &query).await;
    assert_eq!(seen.body["proof"]["intact"], true);
    let [left, joined] = seen.items() else { panic!("{}", seen.text) };
    let member = |name: &str| {
        json!({ "id": other, "email": "other@dezky.example", "emailVerified": true, "name": name,
            "role": "admin", "tenantIds": [acme] })
    };
    let stranger = json!({ "id": other, "tenantIds": [] });
    assert_eq!((&joined["before"], &joined["after"]), (&stranger, &member("Omar Other")));
    assert_eq!((&left["before"], &left["after"]), (&member("Neither joins nor leaves"), &stranger));
    for (seen, whole) in [left, joined].into_iter().zip(whole.items()) {
        assert_eq!(seen["redacted"], true);
        for same in ["revision", "at", "actor", "action", "entity", "hash", "previousHash"] {
            assert_eq!(seen[same], whole[same]);
        }
    }
    for secret in [globex.as_str().unwrap(), "platformAdmin", "groups", "rightsChangedAt", "dev-other"] {
        assert!(!seen.text.contains(secret), "{secret}: {}", seen.text);
    }
    // An operator reads the log of every tenant.
    let own = log(&operator, "tenant=globex&entity=user").await;
    assert!(own.items().iter().any(|change| change["action"] == "user.create"));
}
