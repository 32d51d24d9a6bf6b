//! Policies that cannot be made, by hand or from a document.

use dezky_core::token::TokenPolicy;

use super::Case;

pub fn cases() -> Vec<Case> {
    let none: [&str; 0] = [];
    let good = || TokenPolicy::new(["i"], ["a"]).unwrap();
    let mut cases = vec![
        Case::new("no issuer", "token_policy_issuers /issuers", TokenPolicy::new(none, ["a"])),
        Case::new(
            "an issuer without a name",
            "token_policy_issuers /issuers/1",
            TokenPolicy::new(["i", ""], ["a"]),
        ),
        Case::new("no audience", "token_policy_audiences /audiences", TokenPolicy::new(["i"], none)),
        Case::new(
            "neither",
            "token_policy_issuers /issuers, token_policy_audiences /audiences",
            TokenPolicy::new(none, none),
        ),
        Case::new("leeway of 31 s", "token_policy_leeway /leewaySeconds", good().leeway_seconds(31)),
        Case::new("no lifetime", "token_policy_lifetime /maxLifetimeSeconds", good().max_lifetime_seconds(0)),
        Case::new(
            "lifetime above 31 days",
            "token_policy_lifetime /maxLifetimeSeconds",
            good().max_lifetime_seconds(31 * 86_400 + 1),
        ),
    ];
    let documents = [
        (r#"[]"#, "wrong_type"),
        (r#"{}"#, "missing /issuers, missing /audiences"),
        (r#"{"issuers":"i","audiences":["a",1]}"#, "wrong_type /issuers, wrong_type /audiences/1"),
        (
            r#"{"issuers":[],"audiences":["a"," "]}"#,
            "token_policy_issuers /issuers, token_policy_audiences /audiences/1",
        ),
        (r#"{"issuers":["i"],"audiences":["a"],"leewaySeconds":-1}"#, "token_policy_leeway /leewaySeconds"),
        (r#"{"issuers":["i"],"audiences":["a"],"leewaySeconds":"5"}"#, "wrong_type /leewaySeconds"),
        (
            r#"{"issuers":["i"],"audiences":["a"],"maxLifetimeSeconds":0.5}"#,
            "token_policy_lifetime /maxLifetimeSeconds",
        ),
        (r#"{"issuers":["i"],"audiences":["a"],"rule":"keycloak"}"#, "token_policy_rule /rule"),
        (r#"{"issuers":["i"],"audiences":["a"],"rule":1}"#, "wrong_type /rule"),
        (r#"{"issuers":["i"],"issuers":["j"],"audiences":["a"]}"#, "duplicate_member /issuers"),
    ];
    cases.extend(
        documents.map(|(text, expected)| Case::new(text, expected, TokenPolicy::from_json(text.as_bytes()))),
    );
    cases
}
