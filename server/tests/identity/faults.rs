//! Explanations of refused tokens: the claim at fault and the accepted values, never token values.

use dezky_server::identity::{Identity, Refusal};
use serde_json::json;

use crate::issuer::{Issuer, Signer, encode, keys};
use crate::support::{ready, seconds, timing, verify};

async fn explain_refusal(identity: &Identity, token: &str) -> String {
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
    let accepted_issuers = format!("accepted here: {}", issuer.name);
    for (claims, expected) in [
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
            vec!["claim iss: the issuer is not one", &accepted_issuers],
        ),
        (json!({ "iat": past, "exp": past + 60 }), vec!["claim exp: the token has expired"]),
        (json!({ "nbf": future }), vec!["claim nbf: the token is not valid yet"]),
        (json!({ "sub": "" }), vec!["claim sub: the subject is a string of 1 to 255 characters"]),
        (json!({ "groups": ["a", 7] }), vec!["claim groups/1: the groups are a list of strings"]),
        (
            json!({ "at_hash": "another-secret" }),
            vec!["claim at_hash: ID tokens have this claim, access tokens do not"],
        ),
        (
            json!({ "aud": "x", "iat": past, "exp": past + 60 }),
            vec!["claim aud: ", "; claim exp: the token has expired"],
        ),
    ] {
        let explanation = explain_refusal(&identity, &signer.token_with(&issuer.name, claims.clone())).await;
        assert!(explanation.starts_with("The access token is not accepted. claim "), "{explanation}");
        for part in expected {
            assert!(explanation.contains(part), "{claims}: {explanation}");
        }
        assert!(!explanation.contains("another-secret"), "{claims}: {explanation}");
    }
    let id_token = signer.token_of_type("JWT", &issuer.name, json!({ "nonce": "n" }));
    let explanation = explain_refusal(&identity, &id_token).await;
    assert!(explanation.contains("claims: an access token has typ at+jwt in the header"), "{explanation}");
}

/// Explains only the failing check of an unsigned token.
///
/// Its claims are not repeated, and details that help only bearers of real tokens are left out.
#[tokio::test]
async fn the_refusal_of_a_forgery_names_only_the_failing_check() {
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
        let explanation = explain_refusal(&identity, &token).await;
        assert_eq!(explanation, format!("The access token is not accepted. {expected}"));
    }
}
