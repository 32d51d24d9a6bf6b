//! Users: their rights, how operators change them, and the first sign-in.

use serde_json::{Value, json};

use crate::support::{Answer, Api, Request, Server, next_second};

async fn change(operator: &Api, subject: &str, change: Value) -> Answer {
    let id = operator.user_id(subject).await;
    operator.patch(format!("/users/{id}")).any_version().json(change).send().await
}

#[tokio::test]
async fn a_change_of_rights_applies_to_the_next_request() {
    let server = Server::start();
    let (operator, member) = (Api::sign_in(&server, "operator").await, Api::sign_in(&server, "member").await);
    let rename = |name: &str| {
        let body = json!({ "name": name });
        let member = member.clone();
        async move { member.patch("/tenants/acme").any_version().json(body).send().await }
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

/// Memberships that an operator removed do not return with a token that was issued before.
#[tokio::test]
async fn an_older_token_restores_no_membership() {
    let server = Server::start();
    let (operator, member) = (Api::sign_in(&server, "operator").await, Api::sign_in(&server, "member").await);
    let me = member.get("/users/me").send().await.is(200).body;
    assert_eq!(me["tenants"][0]["slug"], "acme");
    assert!(!me["subscriptions"].as_array().unwrap().is_empty());
    // Issue times are whole seconds: from the next second on, the token is older than the change.
    next_second().await;
    change(&operator, "dev-member", json!({ "tenantIds": [] })).await.is(200);
    let me = member.get("/users/me").send().await.is(200).body;
    assert_eq!((&me["tenants"], &me["profile"]["tenantIds"]), (&json!([]), &json!([])));
    member.get("/tenants/acme").send().await.refused(404, "not_found");
}

#[tokio::test]
async fn the_last_admin_cannot_be_removed() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let id = operator.user_id("dev-operator").await;
    let path = format!("/users/{id}");
    let before = operator.get(&path).send().await.is(200);
    for change in [json!({ "active": false }), json!({ "platformAdmin": false })] {
        let answer = operator.patch(&path).any_version().json(change).send().await;
        answer.refused(403, "denied_last_admin");
    }
    operator.delete(&path).any_version().send().await.refused(403, "denied_last_admin");
    assert_eq!(operator.get(&path).send().await.is(200).text, before.text);
    // One of two admins can be removed; then the other is the last.
    change(&operator, "dev-support", json!({ "platformAdmin": true })).await.is(200);
    let support = Api::sign_in(&server, "support").await;
    let both = [
        operator.patch(&path).any_version().json(json!({ "active": false })),
        support
            .patch(format!("/users/{}", operator.user_id("dev-support").await))
            .any_version()
            .json(json!({ "platformAdmin": false })),
    ];
    let answers = futures_util::future::join_all(both.map(Request::send)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.status == 403));
}

#[tokio::test]
async fn a_deleted_user_keeps_a_record_without_rights() {
    let server = Server::start();
    let (operator, owner) = (Api::sign_in(&server, "operator").await, Api::sign_in(&server, "owner").await);
    let id = operator.user_id("dev-owner").await;
    let gone = operator.delete(format!("/users/{id}")).any_version().send().await.is(200).body;
    assert_eq!((&gone["active"], &gone["tenantIds"]), (&json!(false), &json!([])));
    owner.get("/users/me").send().await.refused(403, "denied_inactive_user");
    owner.get("/tenants/acme").send().await.refused(403, "denied_inactive_user");
    let kept = operator.get(format!("/users/{id}")).send().await.is(200).body;
    assert_eq!(kept, gone);
    // A second deletion changes nothing.
    let again = operator.delete(format!("/users/{id}")).any_version().send().await.is(200).body;
    assert_eq!(again["version"], gone["version"]);
}

#[tokio::test]
async fn invalid_changes_of_users_are_refused_with_their_path() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let globex = operator.get("/tenants/globex").send().await.is(200).body["id"].clone();
    operator.delete("/tenants/globex").any_version().send().await.is(200);
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
    // A new name is not a change of rights.
    let named = change(&operator, "dev-member", json!({ "name": "Mia" })).await.is(200).body;
    assert!(named.get("rightsChangedAt").is_none());
}

#[tokio::test]
async fn a_first_sign_in_creates_one_record_without_rights() {
    let server = Server::start();
    let (operator, stranger) =
        (Api::sign_in(&server, "operator").await, Api::sign_in(&server, "stranger").await);
    stranger.get("/tenants").send().await.refused(403, "denied_no_user");
    let requests = (0..8).map(|_| stranger.get("/users/me").send());
    let answers = futures_util::future::join_all(requests).await;
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
    // The list begins with the newest sign-in.
    assert_eq!(users.items()[0]["id"], profile["id"]);
}

/// An owner sees only those memberships of a colleague that are in the owner's own tenants.
#[tokio::test]
async fn an_owner_does_not_see_memberships_in_other_tenants() {
    let server = Server::start();
    let (operator, owner) = (Api::sign_in(&server, "operator").await, Api::sign_in(&server, "owner").await);
    let id = |slug: &'static str| {
        let operator = operator.clone();
        async move { operator.get(format!("/tenants/{slug}")).send().await.is(200).body["id"].clone() }
    };
    let (acme, globex) = (id("acme").await, id("globex").await);
    change(&operator, "dev-member", json!({ "tenantIds": [acme, globex] })).await.is(200);
    let member = operator.user_id("dev-member").await;
    let seen = owner.get(format!("/users/{member}")).send().await.is(200).body;
    assert_eq!(seen["tenantIds"], json!([acme]));
    let listed = owner.get("/tenants/acme/users").send().await.is(200);
    assert!(listed.items().iter().all(|user| user["tenantIds"] == json!([acme])));
    let own = Api::sign_in(&server, "member").await.get(format!("/users/{member}")).send().await.is(200).body;
    assert_eq!(own["tenantIds"].as_array().unwrap().len(), 2);
}
