//! A token seen before is quicker, and never accepted where it would not be anew.

use std::sync::Arc;

use dezky_core::{Code, Timestamp};
use serde_json::json;

use crate::issuer::{Issuer, Signer, keys};
use crate::support::{code, now, ready, seconds, timing, verify};

fn at_micros(seconds: u64, micros: i64) -> Timestamp {
    Timestamp::from_micros(seconds as i64 * 1_000_000 + micros).unwrap()
}

#[tokio::test]
async fn a_token_is_verified_once_and_expires_to_the_microsecond() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let identity = ready(&[&issuer], timing()).await;
    let start = seconds();
    let token = signer.token_with(&issuer.name, json!({ "iat": start, "exp": start + 60 }));

    let first = identity.verify(&token, at_micros(start, 0)).await.unwrap();
    // The leeway is five seconds.
    let last = identity.verify(&token, at_micros(start + 65, -1)).await.unwrap();
    assert!(Arc::ptr_eq(&first, &last));
    let expired = identity.verify(&token, at_micros(start + 65, 0)).await;
    assert_eq!(code(expired), Code::TokenExpired);
}

#[tokio::test]
async fn a_clock_set_back_finds_the_token_not_yet_valid() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let identity = ready(&[&issuer], timing()).await;
    let start = seconds();
    let members = json!({ "iat": start, "nbf": start + 10, "exp": start + 60 });
    let token = signer.token_with(&issuer.name, members);

    identity.verify(&token, at_micros(start + 20, 0)).await.unwrap();
    identity.verify(&token, at_micros(start + 5, 0)).await.unwrap();
    let early = identity.verify(&token, at_micros(start + 5, -1)).await;
    assert_eq!(code(early), Code::TokenNotYetValid);
    let earlier = identity.verify(&token, at_micros(start - 5, -1)).await;
    assert_eq!(code(earlier), Code::TokenIssuedInFuture);
}

#[tokio::test]
async fn a_refusal_is_not_remembered_as_anything_else() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let identity = ready(&[&issuer], timing()).await;
    let good = signer.token(&issuer.name);
    verify(&identity, &good).await.unwrap();
    let (signed, _) = good.rsplit_once('.').unwrap();
    let (_, other) = Signer::new("a")
        .token(&issuer.name)
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    for _ in 0..2 {
        assert_eq!(code(verify(&identity, &format!("{signed}.{other}")).await), Code::TokenSignature);
        let foreign = signer.token_with(&issuer.name, json!({ "aud": "another-service" }));
        assert_eq!(code(verify(&identity, &foreign).await), Code::TokenAudienceOther);
    }
}

#[tokio::test]
async fn no_more_than_so_many_tokens_are_remembered_and_the_oldest_goes_first() {
    const CAPACITY: usize = 4_096;
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let identity = ready(&[&issuer], timing()).await;
    let time = now();
    let first = signer.token(&issuer.name);
    let second = signer.token(&issuer.name);
    let first_claims = identity.verify(&first, time).await.unwrap();
    let second_claims = identity.verify(&second, time).await.unwrap();
    for _ in 0..CAPACITY - 1 {
        identity.verify(&signer.token_with(&issuer.name, json!({})), time).await.unwrap();
    }
    let again = identity.verify(&second, time).await.unwrap();
    assert!(Arc::ptr_eq(&second_claims, &again), "still remembered");
    let again = identity.verify(&first, time).await.unwrap();
    assert!(!Arc::ptr_eq(&first_claims, &again), "forgotten, and verified anew");
    assert_eq!(first_claims, again);
}
