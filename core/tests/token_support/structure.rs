//! Tokens that are rejected before their header is checked, and tokens with an invalid signature.

use aws_lc_rs::hmac;
use serde_json::json;

use super::issuer::{Signer, ec, ed, encode, rsa};
use super::{Rejection, good_claims, good_token};

const HEADER: &str = r#"{"alg":"EdDSA","kid":"ed"}"#;

pub fn cases() -> Vec<Rejection> {
    let mut cases = form();
    cases.extend(json_texts());
    cases.extend(wrong_signatures());
    cases.extend(signature_lengths());
    cases.extend(signature_numbers());
    cases
}

fn form() -> Vec<Rejection> {
    let token = good_token(ed(), "EdDSA", "ed");
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    // The last character of a signature of 64 bytes has four unused bits, so another last character
    // could decode to the same bytes.
    let respelled = {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let (rest, last) = token.split_at(token.len() - 1);
        let next = ALPHABET.split_once(last).and_then(|(_, after)| after.chars().next()).unwrap();
        format!("{rest}{next}")
    };
    let json_form = json!({ "payload": claims, "protected": header, "signature": signature }).to_string();
    let padded_header = encode(HEADER);
    vec![
        Rejection::token("empty", "token_segments", ""),
        Rejection::token("one segment", "token_segments", header),
        Rejection::token("two segments", "token_segments", &format!("{header}.{claims}")),
        Rejection::token("four segments", "token_segments", &format!("{token}.{signature}")),
        Rejection::token("five segments, as encrypted tokens have", "token_segments", "a.b.c.d.e"),
        Rejection::token("a dot at the end", "token_segments", &format!("{token}.")),
        Rejection::token("JSON form", "token_json_form", &json_form),
        Rejection::token(
            "no signature",
            "token_signature_missing /signature",
            &format!("{header}.{claims}."),
        ),
        Rejection::token("space before", "token_whitespace", &format!(" {token}")),
        Rejection::token("line end after", "token_whitespace", &format!("{token}\n")),
        Rejection::token("padding", "token_padding /signature", &format!("{token}==")),
        Rejection::token(
            "padding inside",
            "token_padding /header",
            &format!("{padded_header}=.{claims}.{signature}"),
        ),
        Rejection::token(
            "the other alphabet",
            "token_base64 /header, token_base64 /claims",
            &format!("+{header}.{claims}/.{signature}"),
        ),
        Rejection::token(
            "not ASCII",
            "token_base64 /claims",
            &format!("{header}.{claims}\u{e9}.{signature}"),
        ),
        Rejection::token(
            "a length that base64 cannot have",
            "token_base64 /header",
            &format!("abcde.{claims}.{signature}"),
        ),
        Rejection::token("bits left over", "token_base64_bits /signature", &respelled),
        Rejection::token("16 KiB and a byte", "token_too_large", &"a".repeat(16 * 1024 + 1)),
        Rejection::token("20 MB", "token_too_large", &"a".repeat(20_000_000)),
        Rejection::token("16 KiB without a dot", "token_segments", &"a".repeat(16 * 1024)),
    ]
}

fn json_texts() -> Vec<Rejection> {
    let ed = ed();
    let claims = good_claims().to_string();
    let header = |text: &[u8]| ed.raw_token("", text, &claims);
    let body = |text: &[u8]| ed.raw_token("", HEADER, text);
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(32), "]".repeat(32));
    let both = |name: &str, code: &str, text: &[u8]| {
        let expected = |part: &str| {
            code.split_once(' ')
                .map_or(format!("{code} {part}"), |(code, path)| format!("{code} {part}{path}"))
        };
        [
            Rejection::token(format!("header: {name}"), &expected("/header"), &header(text)),
            Rejection::token(format!("claims: {name}"), &expected("/claims"), &body(text)),
        ]
    };
    [
        both("empty", "token_json", b""),
        both("not JSON", "token_json", b"{alg:'EdDSA'}"),
        both("text after the value", "token_json", b"{}{}"),
        both("a byte order mark", "token_json", "\u{feff}{}".as_bytes()),
        both("a list", "token_not_object", b"[]"),
        both("a string", "token_not_object", b"\"{}\""),
        both("null", "token_not_object", b"null"),
        both("not UTF-8", "token_utf8", b"{\"alg\":\"\xff\"}"),
        both("the bytes of a lone surrogate", "token_utf8", b"{\"alg\":\"\xed\xa0\x80\"}"),
        both("33 levels", "token_depth", deep.as_bytes()),
        both("a member twice", "token_duplicate_member /alg", br#"{"alg":"EdDSA","kid":"ed","alg":"EdDSA"}"#),
        both(
            "a member twice, once escaped",
            "token_duplicate_member /sub",
            br#"{"sub":"ada","\u0073ub":"eve"}"#,
        ),
        both("a member twice, deeper", "token_duplicate_member /a/0/b", br#"{"a":[{"b":1,"b":2}]}"#),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const WRONG: &str = "token_signature /signature";
const LENGTH: &str = "token_signature_length /signature";
const ZERO: &str = "token_signature_zero /signature";

/// Returns a token with this header and the signature that `sign` makes.
fn signed_by(alg: &str, kid: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let token = ed().token(&json!({ "alg": alg, "kid": kid }), &good_claims());
    let (signed, _) = token.rsplit_once('.').unwrap();
    format!("{signed}.{}", encode(sign(signed.as_bytes())))
}

fn wrong_signatures() -> Vec<Rejection> {
    let tampered = {
        let token = good_token(rsa(), "RS256", "rsa");
        let (header, rest) = token.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let claims = super::claims_with(json!({ "sub": "eve" })).to_string();
        format!("{header}.{}.{signature}", encode(claims))
    };
    let other_key = good_token(&Signer::new_ed(), "EdDSA", "ed");
    let public = rsa().jwk("rsa")["n"].as_str().unwrap().to_owned();
    let key = hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes());
    let mac = |message: &[u8]| hmac::sign(&key, message).as_ref().to_vec();
    vec![
        Rejection::token("claims changed", WRONG, &tampered),
        Rejection::token("the key of another issuer under an id of the set", WRONG, &other_key),
        Rejection::token(
            "a PS256 signature with alg RS256",
            WRONG,
            &signed_by("RS256", "rsa", |text| rsa().sign("PS256", text)),
        ),
        Rejection::token(
            "an RS256 signature with alg PS256",
            WRONG,
            &signed_by("PS256", "rsa", |text| rsa().sign("RS256", text)),
        ),
        Rejection::token("a MAC with the public key and alg RS256", LENGTH, &signed_by("RS256", "rsa", mac)),
        Rejection::token(
            "a MAC with the public key and alg HS256",
            "token_alg_symmetric /header/alg",
            &signed_by("HS256", "rsa", mac),
        ),
    ]
}

fn signature_lengths() -> Vec<Rejection> {
    let with = |name: &str, alg: &str, kid: &str, sign: &dyn Fn(&[u8]) -> Vec<u8>| {
        Rejection::token(name, LENGTH, &signed_by(alg, kid, sign))
    };
    vec![
        with("ES256 in DER", "ES256", "ec", &|text| der(&ec().sign("", text))),
        with("ES256 too short", "ES256", "ec", &|text| ec().sign("", text)[..63].to_vec()),
        with("ES256 too long", "ES256", "ec", &|text| [&[0], &*ec().sign("", text)].concat()),
        with("EdDSA too short", "EdDSA", "ed", &|text| ed().sign("", text)[..32].to_vec()),
        with("RS256 too long", "RS256", "rsa", &|text| [&[0], &*rsa().sign("", text)].concat()),
    ]
}

fn signature_numbers() -> Vec<Rejection> {
    let ecdsa = |r: [u8; 32], s: [u8; 32]| signed_by("ES256", "ec", |_| [r, s].concat());
    let order = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    vec![
        Rejection::token("ES256, r and s zero", ZERO, &ecdsa([0; 32], [0; 32])),
        Rejection::token("ES256, r zero", ZERO, &ecdsa([0; 32], [1; 32])),
        Rejection::token("ES256, s zero", ZERO, &ecdsa([1; 32], [0; 32])),
        Rejection::token("ES256, r and s equal to the order of the group", WRONG, &ecdsa(order, order)),
        Rejection::token("EdDSA, all zero", WRONG, &signed_by("EdDSA", "ed", |_| vec![0; 64])),
        Rejection::token("RS256, all zero", WRONG, &signed_by("RS256", "rsa", |_| vec![0; 256])),
    ]
}

/// Encodes an ECDSA signature as in X.509: a DER sequence of two integers.
fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| [&[2, 33, 0], number].concat();
    let (r, s) = signature.split_at(32);
    [vec![0x30, 70], integer(r), integer(s)].concat()
}
