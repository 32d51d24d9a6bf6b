//! Cached claims: a cache hit never accepts a token that full verification would reject.

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
    // The leeway is 5 s.
    let last = identity.verify(&token, at_micros(start + 65, -1)).await.unwrap();
    assert!(Arc::ptr_eq(&first, &last));
    let expired = identity.verify(&token, at_micros(start + 65, 0)).await;
    assert_eq!(code(expired), Code::TokenExpired);
}

#[tokio::test]
async fn a_cached_token_is_not_yet_valid_after_the_clock_is_set_back() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let identity = ready(&[&issuer], timing()).await;
    let start = seconds();
    let claims = json!({ "iat": start, "nbf": start + 10, "exp": start + 60 });
    let token = signer.token_with(&issuer.name, claims);

    identity.verify(&token, at_micros(start + 20, 0)).await.unwrap();
    identity.verify(&token, at_micros(start + 5, 0)).await.unwrap();
    let early = identity.verify(&token, at_micros(start + 5, -1)).await;
    assert_eq!(code(early), Code::TokenNotYetValid);
    let earlier = identity.verify(&token, at_micros(start - 5, -1)).await;
    assert_eq!(code(earlier), Code::TokenIssuedInFuture);
}

#[tokio::test]
async fn a_repeated_bad_token_gets_the_same_refusal() {
    let signer = Signer::new("a");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let identity = ready(&[&issuer], timing()).await;
    let good = signer.token(&issuer.name);
    verify(&identity, &good).await.unwrap();
    let (signed_part, _) = good.rsplit_once('.').unwrap();
    let (_, foreign_signature) = Signer::new("a")
        .token(&issuer.name)
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    for _ in 0..2 {
        assert_eq!(
            code(verify(&identity, &format!("{signed_part}.{foreign_signature}")).await),
            Code::TokenSignature
        );
        let foreign = signer.token_with(&issuer.name, json!({ "aud": "another-service" }));
        assert_eq!(code(verify(&identity, &foreign).await), Code::TokenAudienceOther);
    }
}

#[tokio::test]
async fn the_cache_is_bounded_and_evicts_the_oldest_token_first() {
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
    assert!(Arc::ptr_eq(&second_claims, &again), "the second token must still be cached");
    let again = identity.verify(&first, time).await.unwrap();
    assert!(!Arc::ptr_eq(&first_claims, &again), "the first token must be evicted and verified again");
    assert_eq!(first_claims, again);
}
