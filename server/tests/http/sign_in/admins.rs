//! The last active platform admin stays one, whatever the groups of their tokens are.

use serde_json::{Value, json};

use super::{ADMINS, DEZKY, Scene};
use crate::support::{Api, unix_seconds};

/// The claims of an operator's token with these groups, issued at this second.
fn operator_claims(groups: Value, iat: i64) -> Value {
    json!({ "aud": "dezky-operator", "groups": groups, "iat": iat, "name": format!("At {iat}") })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_active_admin_stays_one_and_the_rest_of_the_sign_in_applies() {
    let scene = Scene::new().await;
    let now = unix_seconds();
    let chief = scene.signed_in("chief", operator_claims(json!([ADMINS, DEZKY]), now - 90)).await;
    assert_eq!(chief["tenantIds"], json!([scene.dezky().await]));
    let kept = scene.signed_in("chief", operator_claims(json!([]), now - 80)).await;
    assert_eq!((&kept["platformAdmin"], &kept["tenantIds"]), (&json!(true), &json!([])));
    assert_eq!(kept["name"], format!("At {}", now - 80));
    let log = scene.log(&kept).await;
    let actions: Vec<&str> = log.iter().take(2).map(|change| change["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["user.keepLastAdmin", "user.signIn"]);
    assert_eq!(log[0]["after"]["platformAdmin"], json!(true));
    // A token that is sent twice is logged once.
    let token = scene.issuer.token("chief", operator_claims(json!([]), now - 70));
    let api = Api::anonymous(&scene.server).await.with_token(&token);
    let once = api.get("/users/me").send().await.is(200);
    assert_eq!(api.get("/users/me").send().await.is(200).text, once.text);
    let refusals =
        scene.log(&kept).await.into_iter().filter(|change| change["action"] == "user.keepLastAdmin");
    assert_eq!(refusals.count(), 2);
    // An inactive admin does not count.
    let second = scene.signed_in("second", operator_claims(json!([ADMINS]), now - 60)).await;
    scene.change(&second, json!({ "active": false })).await;
    assert_eq!(
        scene.signed_in("chief", operator_claims(json!([]), now - 50)).await["platformAdmin"],
        json!(true)
    );
    scene.change(&second, json!({ "active": true })).await;
    assert_eq!(
        scene.signed_in("chief", operator_claims(json!([]), now - 40)).await["platformAdmin"],
        json!(false)
    );
    // The second admin is the last one now.
    assert_eq!(
        scene.signed_in("second", operator_claims(json!([]), now - 30)).await["platformAdmin"],
        json!(true)
    );
}

/// If two admins lose their groups at the same time, one of them stays an admin.
#[tokio::test(flavor = "multi_thread")]
async fn two_admins_cannot_both_be_removed() {
    let scene = Scene::new().await;
    for round in 0..5 {
        let now = unix_seconds() - 500 + round * 10;
        for name in ["chief", "second"] {
            scene.signed_in(name, json!({ "aud": "dezky-operator", "groups": [ADMINS], "iat": now })).await;
        }
        let sign_in = |name: &'static str| {
            scene.signed_in(name, json!({ "aud": "dezky-operator", "groups": [], "iat": now + 5 }))
        };
        let (one, other) = tokio::join!(sign_in("chief"), sign_in("second"));
        let left = [&one, &other].into_iter().filter(|user| user["platformAdmin"] == true).count();
        assert_eq!(left, 1, "{one} {other}");
    }
}
