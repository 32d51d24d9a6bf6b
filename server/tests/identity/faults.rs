//! What people are told of a token that is refused: the claim at fault and what is accepted, and no value of the token.

use dezky_server::identity::{Identity, Refusal};
use serde_json::json;

use crate::issuer::{Issuer, Signer, encode, keys};
use crate::support::{ready, seconds, timing, verify};

async fn fault(identity: &Identity, token: &str) -> String {
    match verify(identity, token).await {
        Err(Refusal::Token(error)) => identity.explain(&error),
        other => panic!("not a refused token: {other:?}"),
    }
}

#[tokio::test]
async fn each_claim_at_fault_is_named_with_what_is_expected() {
    let signer = Signer::new("one");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let identity = ready(&[&issuer], timing()).await;
    let (past, future) = (seconds() - 600, seconds() + 600);
    let known = format!("accepted here: {}", issuer.name);
    for (members, expected) in [
        (
            json!({ "aud": "another-secret" }),
            vec!["claim aud: the token is for another audience; accepted here: dezky-portal, dezky-operator"],
        ),
        (
            json!({ "azp": "another-secret" }),
            vec![
                "claim azp: the token was issued to another client; accepted here: dezky-portal, dezky-operator",
            ],
        ),
        (
            json!({ "iss": "https://another-secret.example/" }),
            vec!["claim iss: the issuer is not one", &known],
        ),
        (json!({ "iat": past, "exp": past + 60 }), vec!["claim exp: the token has expired"]),
        (json!({ "nbf": future }), vec!["claim nbf: the token is not valid yet"]),
        (json!({ "sub": "" }), vec!["claim sub: the subject is a string of 1 to 255 characters"]),
        (json!({ "groups": ["a", 7] }), vec!["claim groups/1: the groups are a list of strings"]),
        (json!({ "at_hash": "another-secret" }), vec!["claim at_hash: an ID token has this claim"]),
        (
            json!({ "aud": "x", "iat": past, "exp": past + 60 }),
            vec!["claim aud: ", "; claim exp: the token has expired"],
        ),
    ] {
        let fault = fault(&identity, &signer.token_with(&issuer.name, members.clone())).await;
        assert!(fault.starts_with("The access token is not accepted. claim "), "{fault}");
        for part in expected {
            assert!(fault.contains(part), "{members}: {fault}");
        }
        assert!(!fault.contains("another-secret"), "{members}: {fault}");
    }
    let id_token = signer.token_of_type("JWT", &issuer.name, json!({ "nonce": "n" }));
    let told = fault(&identity, &id_token).await;
    assert!(told.contains("claims: nothing shows an access token: typ at+jwt in the header"), "{told}");
}

/// Nobody has signed these, so nothing of them is worth repeating, and nothing is told that only bearers of real tokens need.
#[tokio::test]
async fn a_forgery_is_told_where_it_fails_and_nothing_more() {
    let signer = Signer::new("one");
    let issuer = Issuer::start(keys(&[&signer])).await;
    let identity = ready(&[&issuer], timing()).await;
    let header = |text: &str| format!("{}.{}.AAAA", encode(text), encode("{}"));
    let long = "x".repeat(200);
    for (token, expected) in [
        ("a b".to_owned(), "token: a token contains no white space"),
        (header(r#"{"alg":"none"}"#), "header alg: a token without a signature is never accepted"),
        (header(r#"{"alg":"EdDSA","kid":"gone"}"#), "header kid: the key set has no usable key with this id"),
        (header(r#"{"<b>":1,"<b>":2}"#), "header: this member appears twice in its object"),
        (header(&format!(r#"{{"{long}":1,"{long}":2}}"#)), "header: this member appears twice in its object"),
        (
            Signer::new("one").token_with(&issuer.name, json!({ "aud": "another" })),
            "signature: the signature does not match this token and this key",
        ),
    ] {
        let told = fault(&identity, &token).await;
        assert_eq!(told, format!("The access token is not accepted. {expected}"));
    }
}
