//! New groups in a token grant memberships and rights; groups that disappear revoke them.

use serde_json::json;

use super::{ADMINS, DEZKY, LEEWAY, Scene, after_leeway};
use crate::support::{Api, Server, unix_seconds, until_second};

#[tokio::test(flavor = "multi_thread")]
async fn every_group_of_the_first_sign_in_is_new() {
    let scene = Scene::new().await;
    let ada = scene.signed_in("ada", json!({ "groups": [DEZKY, "unknown", DEZKY] })).await;
    assert_eq!((&ada["tenantIds"], &ada["platformAdmin"]), (&json!([scene.dezky().await]), &json!(false)));
    assert_eq!(ada["groups"], json!([DEZKY, "unknown"]));
    let eve = scene.signed_in("eve", json!({ "groups": [ADMINS] })).await;
    assert_eq!((&eve["tenantIds"], &eve["platformAdmin"]), (&json!([]), &json!(true)));
    // A token without the claim leaves the groups of the record unset.
    let bob = scene.signed_in("bob", json!({})).await;
    assert_eq!(bob.get("groups"), None);
    let bob = scene.signed_in("bob", json!({ "groups": [DEZKY] })).await;
    assert_eq!(bob["tenantIds"], json!([scene.dezky().await]));
}

/// The identity provider has no group for a tenant that was created over the API, so tokens do not
/// change who belongs to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_a_group_keeps_its_members() {
    let scene = Scene::new().await;
    let plain = scene.tenant("plain").await;
    let now = unix_seconds();
    let ada = scene.signed_in("ada", json!({ "groups": [DEZKY], "iat": now - 90 })).await;
    let both = json!([scene.dezky().await, plain]);
    scene.change(&ada, json!({ "tenantIds": both })).await;
    for (iat, groups) in [(now + 2, json!([DEZKY])), (now + 3, json!([])), (now + 4, json!(["another"]))] {
        let me = scene.me("ada", json!({ "groups": groups, "iat": iat })).await.is(200).body;
        assert!(me["profile"]["tenantIds"].as_array().unwrap().contains(&plain), "{me}");
        assert!(me["tenants"].as_array().unwrap().iter().any(|tenant| tenant["slug"] == "plain"));
    }
    // The group that disappeared revoked only its own membership.
    assert_eq!(scene.record(&ada).await["tenantIds"], json!([plain]));
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_rights_return_only_when_the_groups_change() {
    let scene = Scene::new().await;
    let dezky = json!([scene.dezky().await]);
    let ada = scene.signed_in("ada", json!({ "groups": [DEZKY, ADMINS], "iat": unix_seconds() - 90 })).await;
    assert_eq!((&ada["tenantIds"], &ada["platformAdmin"]), (&dezky, &json!(true)));
    let changed = scene.change(&ada, json!({ "tenantIds": [], "platformAdmin": false })).await;
    let iat = after_leeway(&changed).await;
    // The groups are unchanged, so the operator's decision stands.
    let same = scene.signed_in("ada", json!({ "groups": [ADMINS, DEZKY], "iat": iat })).await;
    assert_eq!((&same["tenantIds"], &same["platformAdmin"]), (&json!([]), &json!(false)));
    until_second(iat + 2 - LEEWAY).await;
    let none = scene.signed_in("ada", json!({ "groups": [], "iat": iat + 1 })).await;
    assert_eq!((&none["tenantIds"], &none["groups"]), (&json!([]), &json!([])));
    let again = scene.signed_in("ada", json!({ "groups": [DEZKY, ADMINS], "iat": iat + 2 })).await;
    assert_eq!((&again["tenantIds"], &again["platformAdmin"]), (&dezky, &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_an_operator_gives_without_a_group_stay() {
    let scene = Scene::new().await;
    let dezky = json!([scene.dezky().await]);
    let bob = scene.signed_in("bob", json!({ "groups": [], "iat": unix_seconds() })).await;
    let change = json!({ "tenantIds": dezky, "platformAdmin": true, "role": "owner" });
    let changed = scene.change(&bob, change).await;
    let iat = after_leeway(&changed).await;
    let bob = scene.signed_in("bob", json!({ "groups": ["another"], "iat": iat })).await;
    assert_eq!(
        (&bob["tenantIds"], &bob["platformAdmin"], &bob["role"]),
        (&dezky, &json!(true), &json!("owner"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_disappears_revokes_its_rights() {
    let scene = Scene::new().await;
    let now = unix_seconds();
    scene.signed_in("ada", json!({ "groups": [DEZKY, ADMINS], "iat": now - 90 })).await;
    let left = scene.signed_in("ada", json!({ "groups": [ADMINS], "iat": now - 80 })).await;
    assert_eq!((&left["tenantIds"], &left["platformAdmin"]), (&json!([]), &json!(true)));
    let none = scene.signed_in("ada", json!({ "groups": [], "iat": now - 70 })).await;
    assert_eq!((&none["tenantIds"], &none["platformAdmin"]), (&json!([]), &json!(false)));
}

/// Records from versions without groups keep their rights at the first sign-in after the upgrade.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_without_groups_loses_nothing_at_its_first_sign_in() {
    let older = |name: &str| {
        json!({ "id": name, "email": format!("{name}@people.example"), "subject": { "issuer": "", "sub": name },
            "tenantIds": ["elsewhere"], "platformAdmin": true, "lastLoginAt": "2024-05-01T12:00:00Z" })
    };
    let scene = Scene::with(vec![older("ada"), older("bob"), older("eve")]).await;
    let (now, dezky) = (unix_seconds(), scene.dezky().await);
    let ada = scene.signed_in("ada", json!({ "groups": [], "iat": now - 9 })).await;
    let bob = scene.signed_in("bob", json!({ "groups": [DEZKY, ADMINS], "iat": now - 9 })).await;
    let eve = scene.signed_in("eve", json!({ "iat": now - 9 })).await;
    for (user, tenants) in
        [(&ada, json!(["elsewhere"])), (&bob, json!(["elsewhere", dezky])), (&eve, json!(["elsewhere"]))]
    {
        assert_eq!((&user["tenantIds"], &user["platformAdmin"]), (&tenants, &json!(true)));
        assert_eq!(user["emailVerified"], json!(true));
    }
    // Later sign-ins apply only the difference between old and new groups.
    let bob = scene.signed_in("bob", json!({ "groups": [], "iat": now - 8 })).await;
    assert_eq!((&bob["tenantIds"], &bob["platformAdmin"]), (&json!(["elsewhere"]), &json!(false)));
}

/// A user sees their own groups, and operators see everyone's.
#[tokio::test]
async fn groups_are_not_shown_to_colleagues() {
    let server = Server::start();
    let (operator, owner) = (Api::sign_in(&server, "operator").await, Api::sign_in(&server, "owner").await);
    let member = Api::sign_in(&server, "member").await;
    let own = member.get("/users/me").send().await.is(200).body["profile"].clone();
    assert_eq!(own["groups"], json!(["tenant-acme"]));
    let path = format!("/users/{}", own["id"].as_str().unwrap());
    assert_eq!(operator.get(&path).send().await.is(200).body["groups"], own["groups"]);
    assert_eq!(member.get(&path).send().await.is(200).body["groups"], own["groups"]);
    let seen = owner.get(&path).send().await.is(200).body;
    assert_eq!((seen.get("groups"), seen.get("groupsIssuedAt")), (None, None));
    for user in owner.get("/tenants/acme/users").send().await.is(200).items() {
        assert_eq!(user.get("groups").is_some(), user["subject"]["sub"] == "dev-owner", "{user}");
    }
}
