//! Key sets that are refused as a whole.

use dezky_core::token::KeySet;
use serde_json::{Value, json};

use super::issuer::{ec, ed, encode, rsa};
use super::{Case, changed, set};

pub fn cases() -> Vec<Case> {
    let mut cases = texts();
    cases.extend(contents());
    cases
}

fn texts() -> Vec<Case> {
    let raw = |name: &str, expected: &str, bytes: &[u8]| {
        Case::new(format!("key set: {name}"), expected, KeySet::from_json(bytes))
    };
    let key = ed().jwk("ed").to_string();
    let twice = format!(r#"{{"keys":[{},"kid":"two"}}]}}"#, key.trim_end_matches('}'));
    let deep = format!(r#"{{"keys":[{key}],"x":{}{}}}"#, "[".repeat(32), "]".repeat(32));
    let padded = |length: usize| {
        let text = format!(r#"{{"keys":[{key}]}}"#);
        format!("{text}{}", " ".repeat(length - text.len()))
    };
    assert!(KeySet::from_json(padded(256 * 1024).as_bytes()).is_ok());
    vec![
        raw("nothing", "key_set_json", b""),
        raw("HTML", "key_set_json", b"<!DOCTYPE html><html><body>Log in</body></html>"),
        raw("a comma too many", "key_set_json", br#"{"keys":[],}"#),
        raw("not UTF-8", "key_set_utf8", b"{\"keys\":[\"\xff\"]}"),
        raw("33 levels", "key_set_depth", deep.as_bytes()),
        raw("256 KiB and a byte", "key_set_too_large", padded(256 * 1024 + 1).as_bytes()),
        raw("10 MB", "key_set_too_large", padded(10_000_000).as_bytes()),
        raw("keys twice", "key_set_duplicate_member /keys", br#"{"keys":[],"keys":[]}"#),
        raw("an id twice in a key", "key_set_duplicate_member /keys/0/kid", twice.as_bytes()),
        raw("a list", "key_set_form", b"[]"),
        raw("a key alone", "key_set_form /keys", key.as_bytes()),
        raw("keys an object", "key_set_form /keys", br#"{"keys":{}}"#),
        raw("keys null", "key_set_form /keys", br#"{"keys":null}"#),
        raw("no key", "key_set_empty /keys", br#"{"keys":[]}"#),
    ]
}

fn contents() -> Vec<Case> {
    let with = |name: &str, expected: &str, keys: &[Value]| {
        Case::new(format!("key set: {name}"), expected, set(keys))
    };
    let secret = json!({ "kty": "oct", "kid": "s", "k": encode([7; 32]) });
    let private = |member: &str| {
        let mut key = rsa().jwk("private");
        key[member] = json!("AQAB");
        with(
            &format!("{member} of a private key"),
            &format!("key_set_private /keys/1/{member}"),
            &[ed().jwk("ed"), key],
        )
    };
    let many: Vec<_> = (0..101).map(|index| ed().jwk(&format!("key {index}"))).collect();
    assert!(set(&many[1..]).is_ok());
    let unknown = json!({ "kty": "AKP", "kid": "ed", "priv": "AQAB" });
    let mut cases = vec![
        with("101 keys", "key_set_too_many /keys", &many),
        with(
            "a shared secret",
            "key_set_symmetric /keys/1/kty, key_set_private /keys/1/k",
            &[ed().jwk("ed"), secret],
        ),
        with(
            "a shared secret without its secret",
            "key_set_symmetric /keys/0/kty",
            &[json!({ "kty": "OCT" }), ed().jwk("ed")],
        ),
        with(
            "an id twice",
            "key_set_duplicate_id /keys/2/kid",
            &[ed().jwk("a"), ec().jwk("b"), rsa().jwk("a")],
        ),
        with(
            "an id twice and a secret, in a key of a type unknown",
            "key_set_private /keys/1/priv, key_set_duplicate_id /keys/1/kid",
            &[ed().jwk("ed"), unknown],
        ),
        with(
            "no usable key",
            "key_set_empty /keys, key_use /keys/0/use, key_type /keys/1/kty, key_form /keys/2",
            &[changed(ed().jwk("ed"), json!({ "use": "enc" })), json!({}), json!(1)],
        ),
    ];
    cases.extend(["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"].map(private));
    cases
}
