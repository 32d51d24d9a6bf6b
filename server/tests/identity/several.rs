//! Several issuers side by side: whose token it is decides.

use dezky_core::Code;
use dezky_server::identity::Refusal;
use serde_json::json;

use crate::issuer::{Answer, Issuer, Signer, keys};
use crate::support::{code, ready, seconds, sleep, started, timing, verify};

#[tokio::test]
async fn each_issuer_speaks_for_itself_only() {
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
async fn issuers_that_share_a_key_are_told_apart_and_the_refusal_is_the_right_ones() {
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

#[tokio::test]
async fn a_forgery_of_one_issuers_token_makes_nobody_fetch() {
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
async fn a_shared_key_that_one_issuer_has_already_is_fetched_from_the_other() {
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
