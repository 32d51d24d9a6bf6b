//! Rejected claims in tokens whose signature is valid.

use serde_json::{Value, json};

use super::issuer::ed;
use super::{NOW, Rejection, good_claims, with_claims};

pub fn cases() -> Vec<Rejection> {
    let tables = [parties(), times(), kinds(), person()];
    let mut cases: Vec<_> =
        tables.into_iter().flatten().map(|(expected, changes)| signed(expected, changes)).collect();
    cases.extend(nulls());
    cases.extend(numbers());
    cases
}

fn signed(expected: &str, changes: Value) -> Rejection {
    Rejection::token(format!("claims {changes}"), expected, &with_claims(changes))
}

fn parties() -> Vec<(&'static str, Value)> {
    vec![
        ("token_issuer_missing /claims/iss", json!({ "iss": null })),
        ("token_issuer_form /claims/iss", json!({ "iss": 7 })),
        ("token_issuer_form /claims/iss", json!({ "iss": "" })),
        (
            "token_issuer_form /claims/iss",
            json!({ "iss": ["https://evil.example", "https://id.example.org/"] }),
        ),
        ("token_issuer_unknown /claims/iss", json!({ "iss": "https://id.example.org" })),
        ("token_issuer_unknown /claims/iss", json!({ "iss": "https://ID.example.org/" })),
        ("token_issuer_unknown /claims/iss", json!({ "iss": "https://id.example.org/ " })),
        ("token_audience_missing /claims/aud", json!({ "aud": null })),
        ("token_audience_form /claims/aud", json!({ "aud": [] })),
        ("token_audience_form /claims/aud", json!({ "aud": 5 })),
        ("token_audience_form /claims/aud", json!({ "aud": "" })),
        ("token_audience_form /claims/aud", json!({ "aud": { "dezky-portal": true } })),
        ("token_audience_form /claims/aud/1", json!({ "aud": ["dezky-portal", 5] })),
        (
            "token_audience_form /claims/aud/0, token_audience_form /claims/aud/2",
            json!({ "aud": ["", "dezky-portal", null] }),
        ),
        ("token_audience_other /claims/aud", json!({ "aud": "another" })),
        ("token_audience_other /claims/aud", json!({ "aud": ["another", "DEZKY-PORTAL", "dezky"] })),
        ("token_subject_missing /claims/sub", json!({ "sub": null })),
        ("token_subject_form /claims/sub", json!({ "sub": "" })),
        ("token_subject_form /claims/sub", json!({ "sub": "  " })),
        ("token_subject_form /claims/sub", json!({ "sub": 42 })),
        ("token_subject_form /claims/sub", json!({ "sub": ["ada"] })),
        ("token_subject_form /claims/sub", json!({ "sub": "ada\u{0}" })),
        ("token_subject_form /claims/sub", json!({ "sub": "ada\u{85}" })),
        ("token_subject_form /claims/sub", json!({ "sub": "a".repeat(256) })),
        ("token_party_form /claims/azp", json!({ "azp": 1 })),
        ("token_party_form /claims/azp", json!({ "azp": "" })),
        ("token_party_other /claims/azp", json!({ "azp": "another-client" })),
    ]
}

fn times() -> Vec<(&'static str, Value)> {
    vec![
        ("token_expiry_missing /claims/exp", json!({ "exp": null })),
        ("token_expiry_form /claims/exp", json!({ "exp": (NOW + 60).to_string() })),
        ("token_expiry_form /claims/exp", json!({ "exp": [NOW + 60] })),
        ("token_expired /claims/exp", json!({ "exp": NOW - 59 })),
        ("token_expired /claims/exp", json!({ "exp": NOW - 5 })),
        ("token_expired /claims/exp, token_lifetime /claims/exp", json!({ "exp": 0 })),
        ("token_not_before_form /claims/nbf", json!({ "nbf": "0" })),
        ("token_not_before_form /claims/nbf", json!({ "nbf": true })),
        ("token_not_yet_valid /claims/nbf", json!({ "nbf": NOW + 6 })),
        ("token_issued_at_missing /claims/iat", json!({ "iat": null })),
        ("token_issued_at_form /claims/iat", json!({ "iat": "0" })),
        ("token_issued_in_future /claims/iat", json!({ "iat": NOW + 6 })),
        ("token_lifetime /claims/exp", json!({ "iat": NOW, "exp": NOW })),
        ("token_lifetime /claims/exp", json!({ "iat": NOW + 4, "exp": NOW + 3 })),
        ("token_lifetime /claims/exp", json!({ "iat": NOW, "exp": NOW + 86_401 })),
        ("token_lifetime /claims/exp", json!({ "exp": 253_402_300_799_i64 })),
    ]
}

fn kinds() -> Vec<(&'static str, Value)> {
    vec![
        ("token_not_access /claims/at_hash", json!({ "at_hash": "x" })),
        ("token_not_access /claims", json!({ "scope": null, "nonce": "n-0S6_WzA2Mj" })),
        ("token_not_access /claims", json!({ "client_id": null })),
        ("token_not_access /claims/events", json!({ "events": {} })),
        ("token_not_access /claims/typ", json!({ "typ": "ID" })),
        ("token_not_access /claims/typ", json!({ "typ": "refresh" })),
        ("token_bound /claims/cnf", json!({ "cnf": { "jkt": "x" } })),
    ]
}

fn person() -> Vec<(&'static str, Value)> {
    vec![
        ("token_email_form /claims/email", json!({ "email": ["ada@example.org"] })),
        ("token_email_form /claims/email", json!({ "email": "ada" })),
        ("token_email_form /claims/email_verified", json!({ "email_verified": "true" })),
        ("token_name_form /claims/name", json!({ "name": { "first": "Ada" } })),
        ("token_name_form /claims/name", json!({ "name": "Ada\u{1b}[31m" })),
        ("token_groups_form /claims/groups", json!({ "groups": "admins" })),
        ("token_groups_form /claims/groups", json!({ "groups": {} })),
        ("token_groups_form /claims/groups/1", json!({ "groups": ["admins", 7] })),
        ("token_groups_form /claims/groups/0", json!({ "groups": [""] })),
        (
            "token_issuer_unknown /claims/iss, token_audience_other /claims/aud, token_expired /claims/exp",
            json!({ "iss": "x", "aud": "x", "exp": NOW - 30 }),
        ),
        (
            "token_audience_missing /claims/aud, token_email_form /claims/email",
            json!({ "aud": null, "iss": "x", "email": 1 }),
        ),
    ]
}

/// `null` is a value of the wrong type and not an absent claim, so it cannot turn a check off.
fn nulls() -> Vec<Rejection> {
    let expected = [
        ("iss", "token_issuer_form"),
        ("aud", "token_audience_form"),
        ("exp", "token_expiry_form"),
        ("nbf", "token_not_before_form"),
        ("iat", "token_issued_at_form"),
        ("sub", "token_subject_form"),
        ("azp", "token_party_form"),
        ("at_hash", "token_not_access"),
        ("cnf", "token_bound"),
        ("email", "token_email_form"),
        ("groups", "token_groups_form"),
    ];
    let case = |(name, code): (&str, &str)| {
        let mut claims = good_claims();
        claims[name] = Value::Null;
        let token = ed().token(&json!({ "alg": "EdDSA", "kid": "ed" }), &claims);
        Rejection::token(format!("{name} is null"), &format!("{code} /claims/{name}"), &token)
    };
    expected.into_iter().map(case).collect()
}

/// Numbers in spellings that a JSON library would not keep.
fn numbers() -> Vec<Rejection> {
    let codes =
        [("exp", "token_expiry_form"), ("nbf", "token_not_before_form"), ("iat", "token_issued_at_form")];
    let spellings = [
        "-1",
        "-0",
        "1772366400.5",
        "1772366400.0",
        "1.7723664e9",
        "1772366400e0",
        "253402300800",
        "18446744073709551615",
        "1e400",
    ];
    let case = |(name, code): (&str, &str), spelling: &str| {
        let claims = with_member(name, spelling);
        let token = ed().raw_token("", r#"{"alg":"EdDSA","kid":"ed"}"#, claims);
        Rejection::token(format!("{name} {spelling}"), &format!("{code} /claims/{name}"), &token)
    };
    codes.into_iter().flat_map(|code| spellings.map(|spelling| case(code, spelling))).collect()
}

fn with_member(name: &str, spelling: &str) -> String {
    let mut claims = good_claims();
    claims[name] = json!("@");
    claims.to_string().replace("\"@\"", spelling)
}
