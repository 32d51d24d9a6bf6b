//! Headers that are refused, and keys that are not found.

use serde_json::{Value, json};

use super::issuer::{Signer, ec, ed, rsa};
use super::{Case, NOW, at, changed, good_claims, policy, set, with_header};
use dezky_core::token::TokenVerifier;

pub fn cases() -> Vec<Case> {
    let mut cases: Vec<_> =
        members().into_iter().map(|(expected, header)| signed(expected, header)).collect();
    cases.extend(algorithms());
    cases.extend(keys());
    cases
}

fn signed(expected: &str, changes: Value) -> Case {
    Case::token(format!("header {changes}"), expected, &with_header(changes))
}

/// What `changed` cannot do: a member that is there and `null`.
fn null(member: &str, expected: &str) -> Case {
    let mut header = json!({ "alg": "EdDSA", "kid": "ed" });
    header[member] = Value::Null;
    Case::token(format!("header {header}"), expected, &ed().token(&header, &good_claims()))
}

fn members() -> Vec<(&'static str, Value)> {
    vec![
        ("token_crit /header/crit", json!({ "crit": ["exp"] })),
        ("token_crit /header/crit", json!({ "crit": [] })),
        ("token_crit /header/crit, token_b64 /header/b64", json!({ "crit": ["b64"], "b64": false })),
        ("token_b64 /header/b64", json!({ "b64": false })),
        ("token_b64 /header/b64", json!({ "b64": true })),
        ("token_zip /header/zip", json!({ "zip": "DEF" })),
        ("token_enc /header/enc", json!({ "enc": "A256GCM" })),
        ("token_cty /header/cty", json!({ "cty": "JWT" })),
        ("token_cty /header/cty", json!({ "cty": "application/json" })),
        ("token_typ /header/typ", json!({ "typ": "id_token" })),
        ("token_typ /header/typ", json!({ "typ": "dpop+jwt" })),
        ("token_typ /header/typ", json!({ "typ": "logout+jwt" })),
        ("token_typ /header/typ", json!({ "typ": "" })),
        ("token_typ /header/typ", json!({ "typ": ["JWT"] })),
        ("token_kid_form /header/kid", json!({ "kid": 7 })),
        ("token_kid_form /header/kid", json!({ "kid": ["ed"] })),
        ("token_kid_form /header/kid", json!({ "kid": "" })),
        ("token_kid_form /header/kid", json!({ "kid": "ed\u{0}" })),
        ("token_kid_form /header/kid", json!({ "kid": "e".repeat(256) })),
        ("token_kid_unknown /header/kid", json!({ "kid": "e".repeat(255) })),
        ("token_kid_unknown /header/kid", json!({ "kid": "ED" })),
        ("token_kid_unknown /header/kid", json!({ "kid": "../../../../dev/null" })),
        ("token_kid_unknown /header/kid", json!({ "kid": "ed' OR '1'='1" })),
        (
            "token_zip /header/zip, token_typ /header/typ, token_alg_none /header/alg",
            json!({ "alg": "none", "typ": "x", "zip": 1 }),
        ),
    ]
}

fn algorithms() -> Vec<Case> {
    let mut cases = vec![
        null("alg", "token_alg_form /header/alg"),
        null("crit", "token_crit /header/crit"),
        null("typ", "token_typ /header/typ"),
        null("kid", "token_kid_form /header/kid"),
        signed("token_alg_form /header/alg", json!({ "alg": null })),
        signed("token_alg_form /header/alg", json!({ "alg": ["EdDSA"] })),
        signed("token_alg_form /header/alg", json!({ "alg": 1 })),
    ];
    for alg in ["none", "None", "NONE", "nOnE"] {
        cases.push(signed("token_alg_none /header/alg", json!({ "alg": alg })));
        let token = with_header(json!({ "alg": alg }));
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        cases.push(Case::token(format!("{alg}, unsigned"), "token_signature_missing /signature", &unsigned));
    }
    for alg in ["HS256", "HS384", "HS512", "hs256"] {
        cases.push(signed("token_alg_symmetric /header/alg", json!({ "alg": alg })));
    }
    for alg in [
        "", "RS384", "RS512", "PS384", "PS512", "ES384", "ES512", "ES256K", "Ed448", "rs256", "RS256 ",
        " EdDSA", "RSA-OAEP", "dir",
    ] {
        cases.push(signed("token_alg_refused /header/alg", json!({ "alg": alg })));
    }
    cases
}

fn keys() -> Vec<Case> {
    let under = |keys: &[Value], signer: &Signer, header: Value| {
        let token = signer.token_by(header["alg"].as_str().unwrap(), &header, &good_claims());
        TokenVerifier::new(policy(), set(keys).unwrap()).verify(&token, at(NOW))
    };
    let pinned = [changed(rsa().jwk("rsa"), json!({ "alg": "RS256" }))];
    let two = [ed().jwk("ed"), Signer::new_ed().jwk("next")];
    let nameless = [changed(ed().jwk(""), json!({ "kid": null }))];
    let skipped = [ec().jwk("ec"), changed(ed().jwk("ed"), json!({ "use": "enc" }))];
    let attackers = Signer::new_ed();
    let carried = json!({ "alg": "EdDSA", "kid": "mine", "jwk": attackers.jwk("mine"), "jku": "https://evil.example/keys" });
    vec![
        signed("token_alg_key_type /header/alg", json!({ "alg": "RS256" })),
        signed("token_alg_key_type /header/alg", json!({ "alg": "ES256" })),
        Case::new(
            "PS256 with a key for RS256",
            "token_alg_key_alg /header/alg",
            under(&pinned, rsa(), json!({ "alg": "PS256", "kid": "rsa" })),
        ),
        Case::new(
            "no id, two keys",
            "token_kid_missing /header/kid",
            under(&two, ed(), json!({ "alg": "EdDSA" })),
        ),
        Case::new(
            "no id, no key of that type",
            "token_no_key /header/alg",
            under(&two, ec(), json!({ "alg": "ES256" })),
        ),
        Case::new(
            "no id, the only key is for RS256",
            "token_no_key /header/alg",
            under(&pinned, rsa(), json!({ "alg": "PS256" })),
        ),
        Case::new(
            "an id, the only key has none",
            "token_kid_unknown /header/kid",
            under(&nameless, ed(), json!({ "alg": "EdDSA", "kid": "ed" })),
        ),
        Case::new(
            "the id of a skipped key",
            "token_kid_unknown /header/kid",
            under(&skipped, ed(), json!({ "alg": "EdDSA", "kid": "ed" })),
        ),
        Case::new(
            "no id, the only key is skipped",
            "token_no_key /header/alg",
            under(&skipped, ed(), json!({ "alg": "EdDSA" })),
        ),
        Case::new(
            "a key that the token brings along",
            "token_kid_unknown /header/kid",
            under(&two, &attackers, carried),
        ),
    ]
}
