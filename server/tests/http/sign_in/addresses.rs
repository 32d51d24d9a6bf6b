//! Email addresses: an unverified address is shown, but identifies nobody.

use serde_json::{Value, json};

use super::{ADMINS, DEZKY, Scene};
use crate::support::{Api, unix_seconds};

/// An unverified address is shown, but belongs to no user.
#[tokio::test(flavor = "multi_thread")]
async fn an_unverified_address_reserves_nothing_and_identifies_nobody() {
    let scene = Scene::new().await;
    let address = "ada@people.example";
    for (subject, verified) in [("squatter", json!(false)), ("silent", Value::Null)] {
        let claims = json!({ "email": address, "email_verified": verified, "groups": [ADMINS], "aud": "dezky-operator" });
        let squatter = scene.signed_in(subject, claims).await;
        assert_eq!((&squatter["email"], &squatter["emailVerified"]), (&json!(address), &json!(false)));
        assert_eq!(scene.log(&squatter).await[0]["actor"], json!({ "id": squatter["id"] }));
    }
    let ada = scene.signed_in("ada", json!({})).await;
    assert_eq!((&ada["email"], &ada["emailVerified"]), (&json!(address), &json!(true)));
    assert_eq!(scene.log(&ada).await[0]["actor"], json!({ "id": ada["id"], "email": address }));
    // A verified address belongs to one user.
    scene.me("other", json!({ "email": address })).await.refused(409, "taken").at("/email");
    // A user with a record keeps it, and the address stays unverified.
    let squatter = scene.signed_in("squatter", json!({ "email": address, "iat": unix_seconds() + 1 })).await;
    assert_eq!(squatter["emailVerified"], json!(false));
    assert_eq!(scene.signed_in("ada", json!({})).await["emailVerified"], json!(true));
    // A token without the claim leaves the address as verified as it was.
    let ada = scene.signed_in("ada", json!({ "email_verified": null, "iat": unix_seconds() + 2 })).await;
    assert_eq!(ada["emailVerified"], json!(true));
    // A user who changes their address frees the old one.
    scene.signed_in("ada", json!({ "email": "ada@elsewhere.example", "iat": unix_seconds() + 3 })).await;
    assert_eq!(scene.signed_in("other", json!({ "email": address })).await["emailVerified"], json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_without_a_verified_address_is_named_by_their_id() {
    let scene = Scene::new().await;
    let claims = json!({ "aud": "dezky-operator", "groups": [ADMINS], "email_verified": false });
    let token = scene.issuer.token("olga", claims);
    let olga = Api::anonymous(&scene.server).await.with_token(&token);
    let id = olga.get("/users/me").send().await.is(200).body["profile"]["id"].clone();
    let flag = json!({ "key": "by_olga", "state": "off" });
    olga.post("/flags").json(flag).send().await.is(201);
    let history = olga.get("/flags/by_olga").send().await.is(200).body["history"].clone();
    assert_eq!(history[0]["by"], format!("{}@unverified.invalid", id.as_str().unwrap()));
    let log = scene.chief.get("/audit?entity=flag&id=by_olga").send().await.is(200);
    assert_eq!(log.items()[0]["actor"], json!({ "id": id }));
}

/// A record can be created for an address before its user signs in.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_verified_address_takes_over_a_prepared_record() {
    let made = json!({ "id": "made", "email": "ada@people.example", "role": "owner", "name": "Made" });
    let scene = Scene::with(vec![made]).await;
    let stranger =
        scene.signed_in("ada", json!({ "email_verified": false, "iat": unix_seconds() - 50 })).await;
    assert_ne!(stranger["id"], "made");
    assert_eq!(stranger["role"], "member");
    let ada = scene.signed_in("real", json!({ "email": "Ada@People.example", "groups": [DEZKY] })).await;
    assert_eq!(
        (&ada["id"], &ada["role"], &ada["emailVerified"]),
        (&json!("made"), &json!("owner"), &json!(true))
    );
    assert_eq!(ada["tenantIds"], json!([scene.dezky().await]));
}
