//! Key rotation: published keys are fetched, withdrawn keys expire, fetches are limited.

use std::time::Instant;

use dezky_core::Code;
use dezky_server::identity::{KeyTiming, Refusal};

use crate::issuer::{Answer, Issuer, Signer, key_text, keys};
use crate::support::{code, eventually, millis, now, ready, sleep, started, timing, verify};

#[tokio::test]
async fn a_token_by_a_published_key_is_verified() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let identity = ready(&[&issuer], timing()).await;

    let claims = verify(&identity, &signer.token(&issuer.name)).await.unwrap();
    assert_eq!((claims.subject.as_str(), claims.issuer.as_str()), ("ada", issuer.name.as_str()));
    let ages = identity.key_ages();
    assert_eq!(ages[0].0, issuer.name);
    assert!((0.0..10.0).contains(&ages[0].1.unwrap()));
    assert_eq!((issuer.discoveries(), issuer.fetches()), (1, 1));
    assert!(identity.start().is_empty(), "a second start would fetch from the issuer twice at once");
}

#[tokio::test]
async fn a_new_key_is_accepted_at_once_and_a_withdrawn_key_is_refused() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let issuer = Issuer::start(keys(&[&old])).await;
    let identity = ready(&[&issuer], timing()).await;
    let old_token = old.token(&issuer.name);
    verify(&identity, &old_token).await.unwrap();
    verify(&identity, &old_token).await.unwrap();

    issuer.answer(keys(&[&new]));
    sleep(timing().cooldown).await;
    verify(&identity, &new.token(&issuer.name)).await.unwrap();
    assert_eq!(issuer.fetches(), 2);
    assert_eq!(code(verify(&identity, &old_token).await), Code::TokenKidUnknown);
}

#[tokio::test]
async fn aged_keys_are_fetched_again_without_any_request() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let issuer = Issuer::start(keys(&[&old, &new])).await;
    let times = KeyTiming { max_age: millis(200), cooldown: millis(10), ..timing() };
    let identity = ready(&[&issuer], times).await;
    let token = old.token(&issuer.name);
    verify(&identity, &token).await.unwrap();

    issuer.answer(keys(&[&new]));
    let before = issuer.fetches();
    eventually("another fetch", || issuer.fetches() >= before + 2).await;
    issuer.answer(Answer::Text(500, String::new()));
    assert_eq!(code(verify(&identity, &token).await), Code::TokenKidUnknown);
}

#[tokio::test]
async fn an_unchanged_key_set_keeps_cached_claims() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let times = KeyTiming { max_age: millis(40), cooldown: millis(10), hard_cap: millis(1_000), ..timing() };
    let identity = ready(&[&issuer], times).await;
    let token = signer.token(&issuer.name);
    let first = verify(&identity, &token).await.unwrap();
    let before = issuer.fetches();
    // The test is about the passing of the hard cap, so it waits longer than the cap.
    sleep(times.hard_cap + millis(300)).await;
    assert!(issuer.fetches() > before + 3);
    let again = verify(&identity, &token).await.unwrap();
    assert!(
        std::sync::Arc::ptr_eq(&first, &again),
        "cached past the hard cap, because the keys were renewed"
    );
}

#[tokio::test]
async fn a_flood_of_unknown_keys_costs_one_fetch_per_cooldown_and_evicts_nothing() {
    let signer = Signer::new("known");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let times = KeyTiming { cooldown: millis(400), ..timing() };
    let identity = ready(&[&issuer], times).await;
    let start = Instant::now();
    let before = issuer.fetches();
    for round in 0..300 {
        let stranger = Signer::new(&format!("stranger-{round}"));
        let token = stranger.token(&issuer.name);
        assert_eq!(code(verify(&identity, &token).await), Code::TokenKidUnknown);
        verify(&identity, &signer.token(&issuer.name)).await.unwrap();
        sleep(millis(3)).await;
    }
    let fetches = issuer.fetches() - before;
    let most = start.elapsed().as_millis() as usize / 400 + 1;
    assert!((1..=most).contains(&fetches), "{fetches} fetches, at most {most} are allowed");
}

#[tokio::test]
async fn failed_fetches_start_the_cooldown_too() {
    let signer = Signer::new("known");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let times = KeyTiming { cooldown: millis(2_000), ..timing() };
    let identity = ready(&[&issuer], times).await;
    issuer.answer(Answer::Text(500, String::new()));
    sleep(millis(2_000)).await;
    for round in 0..50 {
        let token = Signer::new(&format!("stranger-{round}")).token(&issuer.name);
        assert_eq!(code(verify(&identity, &token).await), Code::TokenKidUnknown);
    }
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn a_wrong_signature_with_a_loaded_key_id_causes_no_fetch() {
    let signer = Signer::new("a");
    let forger = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let identity = ready(&[&issuer], timing()).await;
    sleep(timing().cooldown).await;
    assert_eq!(code(verify(&identity, &forger.token(&issuer.name)).await), Code::TokenSignature);
    assert_eq!(code(verify(&identity, "no token").await), Code::TokenWhitespace);
    sleep(millis(50)).await;
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn concurrent_requests_for_a_new_key_share_one_fetch() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let issuer = Issuer::start(keys(&[&old])).await;
    let identity = ready(&[&issuer], timing()).await;
    sleep(timing().cooldown).await;
    issuer.answer(Answer::Late(millis(250), key_text(&[&old, &new])));
    let tokens: Vec<String> = (0..50).map(|_| new.token(&issuer.name)).collect();
    let outcomes = futures_util::future::join_all(tokens.iter().map(|token| verify(&identity, token))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!((issuer.fetches(), issuer.most_concurrent()), (2, 1));
}

#[tokio::test]
async fn no_request_waits_longer_than_the_timeout() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let identity = ready(&[&issuer], timing()).await;
    for answer in [Answer::Late(millis(60_000), String::new()), Answer::Trickle] {
        issuer.answer(answer);
        sleep(timing().cooldown).await;
        let start = Instant::now();
        let token = Signer::new("b").token(&issuer.name);
        assert_eq!(code(verify(&identity, &token).await), Code::TokenKidUnknown);
        let waited = start.elapsed();
        assert!(waited >= millis(300), "did not wait for the fetch: {waited:?}");
        assert!(waited < timing().timeout + millis(400), "{waited:?}");
        verify(&identity, &signer.token(&issuer.name)).await.unwrap();
        sleep(timing().timeout).await;
    }
}

#[tokio::test]
async fn a_cancelled_request_does_not_cancel_the_fetch() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let issuer = Issuer::start(keys(&[&old])).await;
    let identity = ready(&[&issuer], KeyTiming { cooldown: millis(300), ..timing() }).await;
    sleep(millis(300)).await;
    issuer.answer(Answer::Late(millis(200), key_text(&[&new])));
    let token = new.token(&issuer.name);
    assert!(tokio::time::timeout(millis(50), identity.verify(&token, now())).await.is_err());
    // After the cooldown a second fetch is allowed. A cancelled first fetch would need it.
    sleep(millis(400)).await;
    verify(&identity, &token).await.unwrap();
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn a_first_request_waits_for_the_first_keys() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(Answer::Late(millis(200), key_text(&[&signer]))).await;
    let identity = started(&[&issuer], timing());
    verify(&identity, &signer.token(&issuer.name)).await.unwrap();
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn keys_past_the_hard_cap_are_not_used() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let times = KeyTiming { max_age: millis(50), cooldown: millis(50), hard_cap: millis(1_500), ..timing() };
    let identity = ready(&[&issuer], times).await;
    let token = signer.token(&issuer.name);
    verify(&identity, &token).await.unwrap();
    issuer.go_down().await;
    sleep(millis(150)).await;
    verify(&identity, &token).await.unwrap();
    verify(&identity, &signer.token(&issuer.name)).await.unwrap();
    assert_eq!(identity.readiness(), Ok(()));

    eventually("the hard cap has passed", || identity.readiness().is_err()).await;
    assert_eq!(verify(&identity, &token).await, Err(Refusal::NoKeys));
    assert_eq!(verify(&identity, &signer.token(&issuer.name)).await, Err(Refusal::NoKeys));
    let reason = identity.readiness().unwrap_err();
    assert!(reason.contains("too old") && reason.contains(&issuer.name), "{reason}");
    assert!(identity.key_ages()[0].1.unwrap() > 1.5);

    issuer.come_up().await;
    eventually("ready again", || identity.readiness().is_ok()).await;
    verify(&identity, &token).await.unwrap();
}
