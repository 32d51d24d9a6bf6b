//! Several issuers: the issuer of a token selects its keys and its rule.

use dezky_core::Code;
use dezky_core::token::TokenRule;
use dezky_server::identity::{Identity, IdentitySettings, Refusal, TrustedIssuer};
use serde_json::json;

use crate::issuer::{Answer, Issuer, Signer, keys};
use crate::support::{code, eventually, ready, seconds, settings, sleep, started, timing, verify};

#[tokio::test]
async fn each_issuer_can_sign_only_its_own_tokens() {
    let (one_key, two_key) = (Signer::new("one"), Signer::new("two"));
    let (one, two) = (Issuer::start(keys(&[&one_key])).await, Issuer::start(keys(&[&two_key])).await);
    let identity = ready(&[&one, &two], timing()).await;
    for (signer, issuer) in [(&one_key, &one), (&two_key, &two)] {
        let claims = verify(&identity, &signer.token(&issuer.name)).await.unwrap();
        assert_eq!(claims.issuer, issuer.name);
    }
    assert_eq!(code(verify(&identity, &one_key.token(&two.name)).await), Code::TokenKidUnknown);
    assert_eq!(
        code(verify(&identity, &one_key.token("https://id.example.org/")).await),
        Code::TokenKidUnknown
    );
}

#[tokio::test]
async fn issuers_that_share_a_key_are_distinguished_and_refusals_are_specific() {
    let shared = Signer::new("shared");
    let (one, two) = (Issuer::start(keys(&[&shared])).await, Issuer::start(keys(&[&shared])).await);
    let identity = ready(&[&one, &two], timing()).await;
    let past = seconds() - 600;
    for issuer in [&one, &two] {
        verify(&identity, &shared.token(&issuer.name)).await.unwrap();
        let expired = shared.token_with(&issuer.name, json!({ "iat": past, "exp": past + 60 }));
        assert_eq!(code(verify(&identity, &expired).await), Code::TokenExpired);
    }
    let foreign = shared.token("https://id.example.org/");
    assert_eq!(code(verify(&identity, &foreign).await), Code::TokenIssuerUnknown);
}

/// Applications of one Authentik share a key, so only the issuer decides which rule applies.
#[tokio::test]
async fn each_issuer_has_its_own_rule() {
    let shared = Signer::new("shared");
    let (one, two) = (Issuer::start(keys(&[&shared])).await, Issuer::start(keys(&[&shared])).await);
    let authentik = TrustedIssuer { rule: TokenRule::Authentik, ..TrustedIssuer::new(&two.name) };
    let settings = IdentitySettings {
        issuers: vec![TrustedIssuer::new(&one.name), authentik],
        ..settings(&[], timing())
    };
    let identity = Identity::new(settings).unwrap();
    identity.start();
    eventually("ready", || identity.readiness().is_ok()).await;

    let grant_token = json!({ "client_id": "portal", "scope": "openid" });
    let authentik_token = json!({ "azp": "dezky-portal", "uid": "a1B2".repeat(10), "scope": "openid" });
    let id_token = json!({ "auth_time": seconds(), "acr": "1" });
    for (claims, expected) in
        [(grant_token, [true, false]), (authentik_token, [true, true]), (id_token, [false, false])]
    {
        for (issuer, is_accepted) in [&one, &two].into_iter().zip(expected) {
            let token = shared.token_of_type("JWT", &issuer.name, claims.clone());
            let outcome = verify(&identity, &token).await;
            match is_accepted {
                true => drop(outcome.unwrap()),
                false => assert_eq!(code(outcome), Code::TokenNotAccess, "{claims}"),
            }
        }
    }
}

#[tokio::test]
async fn a_forged_token_causes_no_fetch() {
    let (one_key, two_key) = (Signer::new("one"), Signer::new("two"));
    let (one, two) = (Issuer::start(keys(&[&one_key])).await, Issuer::start(keys(&[&two_key])).await);
    let identity = ready(&[&one, &two], timing()).await;
    sleep(timing().cooldown).await;
    let forgery = Signer::new("two").token(&two.name);
    assert_eq!(code(verify(&identity, &forgery).await), Code::TokenSignature);
    sleep(timing().cooldown).await;
    assert_eq!((one.fetches(), two.fetches()), (1, 1));
}

#[tokio::test]
async fn a_shared_key_loaded_from_one_issuer_is_fetched_from_the_other() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let (one, two) = (Issuer::start(keys(&[&new])).await, Issuer::start(keys(&[&old])).await);
    let identity = ready(&[&one, &two], timing()).await;
    two.answer(keys(&[&new]));
    sleep(timing().cooldown).await;
    verify(&identity, &new.token(&two.name)).await.unwrap();
    assert_eq!((one.fetches(), two.fetches()), (1, 2));
}

#[tokio::test]
async fn one_issuer_without_keys_stops_only_its_own_tokens() {
    let (one_key, two_key) = (Signer::new("one"), Signer::new("two"));
    let one = Issuer::start(keys(&[&one_key])).await;
    let two = Issuer::start(Answer::Text(500, String::new())).await;
    let identity = started(&[&one, &two], timing());
    verify(&identity, &one_key.token(&one.name)).await.unwrap();
    assert_eq!(verify(&identity, &two_key.token(&two.name)).await, Err(Refusal::NoKeys));
    let reason = identity.readiness().unwrap_err();
    assert!(reason.contains(&two.name) && reason.contains("500"), "{reason}");

    let past = seconds() - 600;
    let expired = one_key.token_with(&one.name, json!({ "iat": past, "exp": past + 60 }));
    assert_eq!(code(verify(&identity, &expired).await), Code::TokenExpired);
    assert_eq!(code(verify(&identity, "a.b.c").await), Code::TokenBase64);
}
