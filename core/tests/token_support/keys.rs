//! Keys that are skipped, each with its problem.

use serde_json::{Value, json};

use super::issuer::{ec, ed, encode, rsa};
use super::{Rejection, changed, set};
use dezky_core::Error;

/// A number of 2,048 bits without small factors that has the ROCA property.
const ROCA: &str = "zMTLz1cu39_Cn1ddJb9i0A4xqJfkJQpkFWedpRCl5skiQ8qELEt_o-XbmpU32o-yoLJZuVLpHoK726E8SrVR_FzDQ2pQklftuTqmr2xgCHwnzk9ta7g8Rp64ugklJpxP0KtSG93aN1iYPvyV2zmLBFEihsHb3yJhsGMe19zKifv6P6QrM5NBRTNkkVrI8u3Sqb2Q7Vguwvo6gDe9fEUFCbKol68Q2uTMlCNhiq5Qjm0lOJjwEP30r230vSb_Xt1aqC-HD6-7yAqlzBZOF-AvkUrGmtYe-AwVinZw-OvPOwXa4cS12ePq1L4yUI1boifyFWUF8DMwpyrRONf1f4evCQ";

pub fn cases() -> Vec<Rejection> {
    let mut cases: Vec<_> = forms()
        .into_iter()
        .chain(strength())
        .chain(points())
        .map(|(expected, key)| skipped(expected, key))
        .collect();
    cases.push(skipped("key_form", json!("not a key")));
    cases.push(skipped("key_form", json!(["kty", "oct"])));
    cases
}

/// Puts the key after a usable one, so that the set is accepted and reports the skipped key.
fn skipped(expected: &str, key: Value) -> Rejection {
    let name = format!("key {}", key.to_string().chars().take(120).collect::<String>());
    let expected: Vec<_> = expected
        .split(", ")
        .map(|each| match each.split_once(' ') {
            Some((code, path)) => format!("{code} /keys/1{path}"),
            None => format!("{each} /keys/1"),
        })
        .collect();
    let keys = set(&[ec().jwk("good"), key]).unwrap();
    assert_eq!(keys.ids().collect::<Vec<_>>(), ["good"], "{name}");
    let outcome: Result<(), Error> = keys.skipped().first().cloned().map_or(Ok(()), Err);
    Rejection::new(name, &expected.join(", "), outcome)
}

fn forms() -> Vec<(&'static str, Value)> {
    let with = |changes: Value| changed(ed().jwk("ed"), changes);
    vec![
        ("key_id /kid", with(json!({ "kid": 7 }))),
        ("key_id /kid", with(json!({ "kid": "" }))),
        ("key_id /kid", with(json!({ "kid": "e".repeat(256) }))),
        ("key_use /use", with(json!({ "use": "enc" }))),
        ("key_use /use", with(json!({ "use": ["sig"] }))),
        ("key_operations /key_ops", with(json!({ "key_ops": ["sign"] }))),
        ("key_operations /key_ops", with(json!({ "key_ops": [] }))),
        ("key_operations /key_ops", with(json!({ "key_ops": "verify" }))),
        ("key_type /kty", with(json!({ "kty": null }))),
        ("key_type /kty", with(json!({ "kty": "AKP" }))),
        ("key_type /kty", with(json!({ "kty": "rsa" }))),
        ("key_type /kty", with(json!({ "kty": 1 }))),
        ("key_curve /crv", with(json!({ "crv": null }))),
        ("key_curve /crv", with(json!({ "crv": "Ed448" }))),
        ("key_curve /crv", with(json!({ "crv": "X25519" }))),
        ("key_curve /crv", with(json!({ "crv": "P-256" }))),
        ("key_curve /crv", changed(ec().jwk("ec"), json!({ "crv": "secp256k1" }))),
        ("key_curve /crv", changed(ec().jwk("ec"), json!({ "crv": "P-384" }))),
        ("key_alg /alg", with(json!({ "alg": "HS256" }))),
        ("key_alg /alg", changed(rsa().jwk("rsa"), json!({ "alg": "RS512" }))),
        ("key_alg /alg", with(json!({ "alg": 1 }))),
        ("key_alg_mismatch /alg", with(json!({ "alg": "RS256" }))),
        ("key_alg_mismatch /alg", changed(rsa().jwk("rsa"), json!({ "alg": "EdDSA" }))),
        ("key_use /use, key_alg /alg", changed(rsa().jwk("rsa"), json!({ "use": "enc", "alg": "RSA-OAEP" }))),
        ("key_parameter /x", with(json!({ "x": null }))),
        ("key_parameter /x", with(json!({ "x": 5 }))),
        ("key_parameter /x", with(json!({ "x": format!("{}=", encode([7; 32])) }))),
        ("key_parameter /n, key_parameter /e", json!({ "kty": "RSA" })),
    ]
}

fn strength() -> Vec<(&'static str, Value)> {
    let with = |changes: Value| changed(rsa().jwk("rsa"), changes);
    let modulus = |bytes: Vec<u8>| with(json!({ "n": encode(bytes) }));
    let exponent = |bytes: &[u8]| with(json!({ "e": encode(bytes) }));
    vec![
        ("key_rsa_short /n", modulus(vec![0xff; 128])),
        ("key_rsa_short /n", modulus([vec![0x7f], vec![0xff; 255]].concat())),
        ("key_rsa_long /n", modulus([vec![1], vec![0xff; 1024]].concat())),
        ("key_rsa_modulus /n", modulus(vec![0xff; 256])),
        ("key_rsa_modulus /n", modulus([vec![0xff; 255], vec![0xfe]].concat())),
        ("key_rsa_roca /n", with(json!({ "n": ROCA }))),
        ("key_parameter /n", modulus([vec![0], vec![0xff; 256]].concat())),
        ("key_parameter /n", modulus(vec![])),
        ("key_rsa_exponent /e", exponent(&[1])),
        ("key_rsa_exponent /e", exponent(&[3])),
        ("key_rsa_exponent /e", exponent(&[1, 0, 0])),
        ("key_rsa_exponent /e", exponent(&[1, 0, 2])),
        ("key_rsa_exponent /e", exponent(&[1, 0, 0, 0, 1])),
        ("key_parameter /e", exponent(&[0])),
        ("key_parameter /e", exponent(&[0, 1, 0, 1])),
        ("key_rsa_short /n, key_rsa_exponent /e", with(json!({ "n": "AQAB", "e": "Ag" }))),
    ]
}

fn points() -> Vec<(&'static str, Value)> {
    let curve = |changes: Value| changed(ec().jwk("ec"), changes);
    let edwards = |first: u8, middle: u8, last: u8| {
        let point = [&[first], [middle; 30].as_slice(), &[last]].concat();
        changed(ed().jwk("ed"), json!({ "x": encode(point) }))
    };
    let order_8 = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ];
    vec![
        (
            "key_coordinate /x, key_coordinate /y",
            curve(json!({ "x": encode([1; 48]), "y": encode([1; 48]) })),
        ),
        ("key_coordinate /y", curve(json!({ "y": encode([1; 31]) }))),
        ("key_point /x", curve(json!({ "y": encode([1; 32]) }))),
        ("key_point /x", curve(json!({ "x": encode([0; 32]), "y": encode([0; 32]) }))),
        ("key_point /x", curve(json!({ "x": encode([0xff; 32]) }))),
        ("key_coordinate /x", changed(ed().jwk("ed"), json!({ "x": encode([1; 57]) }))),
        ("key_point /x", edwards(0, 0, 0)),
        ("key_point /x", edwards(0, 0, 0x80)),
        ("key_point /x", edwards(1, 0, 0)),
        ("key_point /x", edwards(0xec, 0xff, 0x7f)),
        ("key_point /x", edwards(0xed, 0xff, 0x7f)),
        ("key_point /x", edwards(0xff, 0xff, 0xff)),
        ("key_point /x", changed(ed().jwk("ed"), json!({ "x": encode(order_8) }))),
    ]
}
