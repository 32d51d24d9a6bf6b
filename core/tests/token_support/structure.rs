//! Tokens that are refused before their header is judged, and those whose signature does not hold.

use aws_lc_rs::hmac;
use serde_json::json;

use super::issuer::{Signer, ec, ed, encode, rsa};
use super::{Case, good_claims, good_token};

const HEADER: &str = r#"{"alg":"EdDSA","kid":"ed"}"#;

pub fn cases() -> Vec<Case> {
    let mut cases = form();
    cases.extend(json_texts());
    cases.extend(signatures());
    cases
}

fn form() -> Vec<Case> {
    let token = good_token(ed(), "EdDSA", "ed");
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    // 64 bytes leave four bits over in the last character of a signature, so that many spellings would mean the same.
    let respelled = {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let (rest, last) = token.split_at(token.len() - 1);
        let next = ALPHABET.split_once(last).and_then(|(_, after)| after.chars().next()).unwrap();
        format!("{rest}{next}")
    };
    let json_form = json!({ "payload": claims, "protected": header, "signature": signature }).to_string();
    let padded_header = encode(HEADER);
    vec![
        Case::token("empty", "token_segments", ""),
        Case::token("one segment", "token_segments", header),
        Case::token("two segments", "token_segments", &format!("{header}.{claims}")),
        Case::token("four segments", "token_segments", &format!("{token}.{signature}")),
        Case::token("five segments, as encrypted tokens have", "token_segments", "a.b.c.d.e"),
        Case::token("a dot at the end", "token_segments", &format!("{token}.")),
        Case::token("JSON form", "token_json_form", &json_form),
        Case::token("no signature", "token_signature_missing /signature", &format!("{header}.{claims}.")),
        Case::token("space before", "token_whitespace", &format!(" {token}")),
        Case::token("line end after", "token_whitespace", &format!("{token}\n")),
        Case::token("padding", "token_padding /signature", &format!("{token}==")),
        Case::token(
            "padding inside",
            "token_padding /header",
            &format!("{padded_header}=.{claims}.{signature}"),
        ),
        Case::token(
            "the other alphabet",
            "token_base64 /header, token_base64 /claims",
            &format!("+{header}.{claims}/.{signature}"),
        ),
        Case::token("not ASCII", "token_base64 /claims", &format!("{header}.{claims}\u{e9}.{signature}")),
        Case::token(
            "a length that base64 cannot have",
            "token_base64 /header",
            &format!("abcde.{claims}.{signature}"),
        ),
        Case::token("bits left over", "token_base64_bits /signature", &respelled),
        Case::token("16 KiB and a byte", "token_too_large", &"a".repeat(16 * 1024 + 1)),
        Case::token("20 MB", "token_too_large", &"a".repeat(20_000_000)),
        Case::token("16 KiB of nothing", "token_segments", &"a".repeat(16 * 1024)),
    ]
}

fn json_texts() -> Vec<Case> {
    let ed = ed();
    let claims = good_claims().to_string();
    let header = |text: &[u8]| ed.raw_token("", text, &claims);
    let body = |text: &[u8]| ed.raw_token("", HEADER, text);
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(32), "]".repeat(32));
    let both = |name: &str, code: &str, text: &[u8]| {
        let expected = |place: &str| {
            code.split_once(' ')
                .map_or(format!("{code} {place}"), |(code, path)| format!("{code} {place}{path}"))
        };
        [
            Case::token(format!("header: {name}"), &expected("/header"), &header(text)),
            Case::token(format!("claims: {name}"), &expected("/claims"), &body(text)),
        ]
    };
    [
        both("empty", "token_json", b""),
        both("not JSON", "token_json", b"{alg:'EdDSA'}"),
        both("something after the end", "token_json", b"{}{}"),
        both("a byte order mark", "token_json", "\u{feff}{}".as_bytes()),
        both("a list", "token_not_object", b"[]"),
        both("a text", "token_not_object", b"\"{}\""),
        both("null", "token_not_object", b"null"),
        both("not UTF-8", "token_utf8", b"{\"alg\":\"\xff\"}"),
        both("a half surrogate in bytes", "token_utf8", b"{\"alg\":\"\xed\xa0\x80\"}"),
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

fn signatures() -> Vec<Case> {
    let resigned = |alg: &str, kid: &str, sign: &dyn Fn(&[u8]) -> Vec<u8>| {
        let token = ed().token(&json!({ "alg": alg, "kid": kid }), &good_claims());
        let (signed, _) = token.rsplit_once('.').unwrap();
        format!("{signed}.{}", encode(sign(signed.as_bytes())))
    };
    let halves = |r: [u8; 32], s: [u8; 32]| resigned("ES256", "ec", &|_| [r, s].concat());
    let order = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let tampered = {
        let token = good_token(rsa(), "RS256", "rsa");
        let (header, rest) = token.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let claims = super::claims_with(json!({ "sub": "eve" })).to_string();
        format!("{header}.{}.{signature}", encode(claims))
    };
    let public = rsa().jwk("rsa")["n"].as_str().unwrap().to_owned();
    let hmac = |message: &[u8]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), message).as_ref().to_vec()
    };
    let wrong = "token_signature /signature";
    let length = "token_signature_length /signature";
    let zero = "token_signature_zero /signature";
    vec![
        Case::token("claims changed", wrong, &tampered),
        Case::token("another's key under a known id", wrong, &good_token(&Signer::new_ed(), "EdDSA", "ed")),
        Case::token(
            "RS256 said, PS256 made",
            wrong,
            &resigned("RS256", "rsa", &|text| rsa().sign("PS256", text)),
        ),
        Case::token(
            "PS256 said, RS256 made",
            wrong,
            &resigned("PS256", "rsa", &|text| rsa().sign("RS256", text)),
        ),
        Case::token("RS256 said, a MAC by the public key made", length, &resigned("RS256", "rsa", &hmac)),
        Case::token(
            "HS256 by the public key",
            "token_alg_symmetric /header/alg",
            &resigned("HS256", "rsa", &hmac),
        ),
        Case::token("ES256 in DER", length, &resigned("ES256", "ec", &|text| der(&ec().sign("", text)))),
        Case::token(
            "ES256 too short",
            length,
            &resigned("ES256", "ec", &|text| ec().sign("", text)[..63].to_vec()),
        ),
        Case::token(
            "ES256 too long",
            length,
            &resigned("ES256", "ec", &|text| [&[0], &*ec().sign("", text)].concat()),
        ),
        Case::token(
            "EdDSA too short",
            length,
            &resigned("EdDSA", "ed", &|text| ed().sign("", text)[..32].to_vec()),
        ),
        Case::token(
            "RS256 too long",
            length,
            &resigned("RS256", "rsa", &|text| [&[0], &*rsa().sign("", text)].concat()),
        ),
        Case::token("ES256, r and s zero", zero, &halves([0; 32], [0; 32])),
        Case::token("ES256, r zero", zero, &halves([0; 32], [1; 32])),
        Case::token("ES256, s zero", zero, &halves([1; 32], [0; 32])),
        Case::token("ES256, r and s the group's order", wrong, &halves(order, order)),
        Case::token("EdDSA, all zero", wrong, &resigned("EdDSA", "ed", &|_| vec![0; 64])),
        Case::token("RS256, all zero", wrong, &resigned("RS256", "rsa", &|_| vec![0; 256])),
    ]
}

/// The form of X.509: a sequence of two integers.
fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |half: &[u8]| [&[2, 33, 0], half].concat();
    let (r, s) = signature.split_at(32);
    [vec![0x30, 70], integer(r), integer(s)].concat()
}
