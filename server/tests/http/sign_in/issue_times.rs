//! Issue times of tokens: older tokens change nothing, and too early ones grant nothing.

use serde_json::json;

use super::{ADMINS, DEZKY, LEEWAY, Scene, after_leeway, second_of};
use crate::support::unix_seconds;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_groups_and_an_older_token_change_nothing() {
    let scene = Scene::new().await;
    let now = unix_seconds();
    let ada = scene.signed_in("ada", json!({ "groups": [DEZKY], "iat": now - 50 })).await;
    let silent = scene.signed_in("ada", json!({ "iat": now - 40 })).await;
    assert_eq!((&silent["tenantIds"], &silent["groups"]), (&ada["tenantIds"], &json!([DEZKY])));
    for older in [json!([]), json!([ADMINS, DEZKY])] {
        let claims =
            json!({ "groups": older, "iat": now - 60, "name": "Old", "email": "old@people.example" });
        assert_eq!(scene.signed_in("ada", claims).await, silent);
    }
    // Two tokens of one second have no order: rights in both stay, and neither grants new ones.
    let same = scene.signed_in("ada", json!({ "groups": [ADMINS, DEZKY], "iat": now - 50 })).await;
    assert_eq!((&same["platformAdmin"], &same["tenantIds"]), (&json!(false), &ada["tenantIds"]));
    let newer = scene.signed_in("ada", json!({ "groups": [ADMINS, DEZKY], "iat": now - 30 })).await;
    assert_eq!(newer["platformAdmin"], json!(true));
}

/// Clocks may differ, so a token that seems slightly newer than the change of rights may be older.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_issued_within_the_leeway_of_a_change_of_rights_grants_nothing() {
    let scene = Scene::new().await;
    let ada = scene.signed_in("ada", json!({ "groups": [], "iat": unix_seconds() - 50 })).await;
    let changed = scene.change(&ada, json!({ "role": "admin" })).await;
    let second = second_of(&changed["rightsChangedAt"]);
    let granting = after_leeway(&changed).await;
    for iat in [second - 30, second, second + 1, second + LEEWAY] {
        let stays = scene.signed_in("ada", json!({ "groups": [ADMINS, DEZKY], "iat": iat })).await;
        assert_eq!((&stays["platformAdmin"], &stays["tenantIds"]), (&json!(false), &json!([])), "{iat}");
    }
    // The record did not take over those groups, so they are still new.
    let granted = scene.signed_in("ada", json!({ "groups": [ADMINS, DEZKY], "iat": granting })).await;
    assert_eq!(
        (&granted["platformAdmin"], &granted["tenantIds"]),
        (&json!(true), &json!([scene.dezky().await]))
    );
}
