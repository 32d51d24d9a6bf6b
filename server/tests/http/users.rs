//! Users: their rights, and how those come and go.

use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

async fn id_of(operator: &Api, subject: &str) -> String {
    let users = operator.get("/users?limit=200").send().await.is(200);
    let user = users.items().iter().find(|user| user["subject"]["sub"] == subject);
    user.unwrap_or_else(|| panic!("no {subject}"))["id"].as_str().unwrap().to_owned()
}

async fn change(operator: &Api, subject: &str, change: Value) -> Answer {
    let id = id_of(operator, subject).await;
    operator.patch(format!("/users/{id}")).on_any().json(change).send().await
}

#[tokio::test]
async fn a_change_of_rights_counts_from_the_next_request_on() {
    let server = Server::start();
    let (operator, member) = (Api::of(&server, "operator").await, Api::of(&server, "member").await);
    let rename = |name: &str| {
        let body = json!({ "name": name });
        let member = member.clone();
        async move { member.patch("/tenants/acme").on_any().json(body).send().await }
    };
    rename("A").await.refused(403, "denied_role");
    let promoted = change(&operator, "dev-member", json!({ "role": "admin" })).await.is(200).body;
    assert_eq!(promoted["role"], "admin");
    assert!(promoted["rightsChangedAt"].is_string());
    rename("B").await.is(200);
    let globex = operator.get("/tenants/globex").send().await.is(200).body["id"].clone();
    change(&operator, "dev-member", json!({ "tenantIds": [globex] })).await.is(200);
    rename("C").await.refused(404, "not_found");
    member.get("/tenants/globex").send().await.is(200);
    change(&operator, "dev-member", json!({ "active": false })).await.is(200);
    member.get("/tenants/globex").send().await.refused(403, "denied_inactive_user");
    member.get("/users/me").send().await.refused(403, "denied_inactive_user");
    change(&operator, "dev-member", json!({ "active": true })).await.is(200);
    member.get("/tenants/globex").send().await.is(200);
}

/// What was taken away by an operator does not come back with a token that was issued before.
#[tokio::test]
async fn an_older_token_brings_nothing_back() {
    let server = Server::start();
    let (operator, member) = (Api::of(&server, "operator").await, Api::of(&server, "member").await);
    let me = member.get("/users/me").send().await.is(200).body;
    assert_eq!(me["tenants"][0]["slug"], "acme");
    assert!(!me["subscriptions"].as_array().unwrap().is_empty());
    // Tokens are issued in whole seconds: this one is surely older than what follows.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    change(&operator, "dev-member", json!({ "tenantIds": [] })).await.is(200);
    let me = member.get("/users/me").send().await.is(200).body;
    assert_eq!((&me["tenants"], &me["profile"]["tenantIds"]), (&json!([]), &json!([])));
    member.get("/tenants/acme").send().await.refused(404, "not_found");
}

#[tokio::test]
async fn the_last_admin_cannot_be_removed() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let id = id_of(&operator, "dev-operator").await;
    let path = format!("/users/{id}");
    let before = operator.get(&path).send().await.is(200);
    for change in [json!({ "active": false }), json!({ "platformAdmin": false })] {
        let answer = operator.patch(&path).on_any().json(change).send().await;
        answer.refused(403, "denied_last_admin");
    }
    operator.delete(&path).on_any().send().await.refused(403, "denied_last_admin");
    assert_eq!(operator.get(&path).send().await.is(200).text, before.text);
    // With a second one it can be; and then that one is the last.
    change(&operator, "dev-support", json!({ "platformAdmin": true })).await.is(200);
    let support = Api::of(&server, "support").await;
    let both = [
        operator.patch(&path).on_any().json(json!({ "active": false })),
        support
            .patch(format!("/users/{}", id_of(&operator, "dev-support").await))
            .on_any()
            .json(json!({ "platformAdmin": false })),
    ];
    let answers = futures_util::future::join_all(both.map(crate::support::Ask::send)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.status == 403));
}

#[tokio::test]
async fn a_deleted_user_stays_known_and_powerless() {
    let server = Server::start();
    let (operator, owner) = (Api::of(&server, "operator").await, Api::of(&server, "owner").await);
    let id = id_of(&operator, "dev-owner").await;
    let gone = operator.delete(format!("/users/{id}")).on_any().send().await.is(200).body;
    assert_eq!((&gone["active"], &gone["tenantIds"]), (&json!(false), &json!([])));
    owner.get("/users/me").send().await.refused(403, "denied_inactive_user");
    owner.get("/tenants/acme").send().await.refused(403, "denied_inactive_user");
    let kept = operator.get(format!("/users/{id}")).send().await.is(200).body;
    assert_eq!(kept, gone);
    // Again is nothing new.
    let again = operator.delete(format!("/users/{id}")).on_any().send().await.is(200).body;
    assert_eq!(again["version"], gone["version"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_change_is_named() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let globex = operator.get("/tenants/globex").send().await.is(200).body["id"].clone();
    operator.delete("/tenants/globex").on_any().send().await.is(200);
    for (wrong, code, at) in [
        (json!({ "role": "god" }), "unknown_role", "/role"),
        (json!({ "active": "yes" }), "wrong_type", "/active"),
        (json!({ "tenantIds": ["absent"] }), "unknown_tenant", "/tenantIds"),
        (json!({ "tenantIds": [globex] }), "unknown_tenant", "/tenantIds"),
        (json!({ "email": "new@example.org" }), "unknown_field", "/email"),
        (json!({ "subject": null }), "unknown_field", "/subject"),
        (json!({ "rightsChangedAt": null }), "unknown_field", "/rightsChangedAt"),
    ] {
        change(&operator, "dev-member", wrong).await.refused(422, code).at(at);
    }
    operator.get("/users/absent").send().await.refused(404, "not_found");
    // A name is no right.
    let named = change(&operator, "dev-member", json!({ "name": "Mia" })).await.is(200).body;
    assert!(named.get("rightsChangedAt").is_none());
}

#[tokio::test]
async fn a_first_sign_in_makes_a_record_and_no_rights() {
    let server = Server::start();
    let (operator, stranger) = (Api::of(&server, "operator").await, Api::of(&server, "stranger").await);
    stranger.get("/tenants").send().await.refused(403, "denied_no_user");
    let asks = (0..8).map(|_| stranger.get("/users/me").send());
    let answers = futures_util::future::join_all(asks).await;
    let profile = answers[0].clone().is(200).body["profile"].clone();
    assert_eq!(
        (&profile["email"], &profile["name"]),
        (&json!("stranger@dezky.example"), &json!("Stella Stranger"))
    );
    assert_eq!(
        (&profile["role"], &profile["platformAdmin"], &profile["active"]),
        (&json!("member"), &json!(false), &json!(true))
    );
    assert!(profile["lastLoginAt"].is_string());
    for answer in answers {
        assert_eq!(answer.is(200).body["profile"]["id"], profile["id"]);
    }
    assert!(stranger.get("/tenants").send().await.is(200).items().is_empty());
    let users = operator.get("/users?limit=200").send().await.is(200);
    let same = users.items().iter().filter(|user| user["email"] == "stranger@dezky.example");
    assert_eq!(same.count(), 1);
    // Newest sign-in first.
    assert_eq!(users.items()[0]["id"], profile["id"]);
}

/// Of a colleague an owner sees what both belong to.
#[tokio::test]
async fn an_owner_sees_no_foreign_memberships() {
    let server = Server::start();
    let (operator, owner) = (Api::of(&server, "operator").await, Api::of(&server, "owner").await);
    let id = |slug: &'static str| {
        let operator = operator.clone();
        async move { operator.get(format!("/tenants/{slug}")).send().await.is(200).body["id"].clone() }
    };
    let (acme, globex) = (id("acme").await, id("globex").await);
    change(&operator, "dev-member", json!({ "tenantIds": [acme, globex] })).await.is(200);
    let member = id_of(&operator, "dev-member").await;
    let seen = owner.get(format!("/users/{member}")).send().await.is(200).body;
    assert_eq!(seen["tenantIds"], json!([acme]));
    let listed = owner.get("/tenants/acme/users").send().await.is(200);
    assert!(listed.items().iter().all(|user| user["tenantIds"] == json!([acme])));
    let own = Api::of(&server, "member").await.get(format!("/users/{member}")).send().await.is(200).body;
    assert_eq!(own["tenantIds"].as_array().unwrap().len(), 2);
}
