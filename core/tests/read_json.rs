//! Tests of strict reading of documents that core does not define.
#![allow(clippy::unwrap_used)]

use dezky_core::Code;
use dezky_core::json::{JsonDocument, JsonNode, read_json};
use serde_json::{Value, json};

const MAX_BYTES: usize = 1 << 20;

#[test]
fn well_formed_documents_are_read_unchanged() {
    let text = br#" { "text": "a\u00e9\n", "list": [1, -2.5, true, null, {}], "whole": 2.0, "big": -9223372036854775808 } "#;
    let value =
        json!({ "text": "a\u{e9}\n", "list": [1, -2.5, true, null, {}], "whole": 2, "big": i64::MIN });
    assert_eq!(read_json(text, MAX_BYTES).unwrap(), value);
    assert_eq!(read_json(b"7", 1).unwrap(), json!(7));
}

#[test]
fn invalid_documents_are_rejected_with_code_and_path() {
    let deep = "[".repeat(33);
    let cases: [(&[u8], Code, &str); 10] = [
        (b"", Code::InvalidJson, ""),
        (b"{} x", Code::InvalidJson, ""),
        (b"\"\xff\"", Code::InvalidUtf8, ""),
        (deep.as_bytes(), Code::TooDeep, ""),
        (br#"{ "a": { "b": 1, "\u0062": 2 } }"#, Code::DuplicateMember, "/a/b"),
        (br#"{ "a": [1, 9223372036854775808] }"#, Code::InvalidNumber, "/a/1"),
        (br#"[1e400]"#, Code::InvalidNumber, "/0"),
        (br#"[1e400, { "a": 1e400 }, 7]"#, Code::InvalidNumber, "/0"),
        (br#"[0.00001]"#, Code::InvalidNumber, "/0"),
        (br#"{ "a/b": 1e15, "c": 1234567890123456.5 }"#, Code::InvalidNumber, "/c"),
    ];
    for (text, code, path) in cases {
        let error = read_json(text, MAX_BYTES).unwrap_err();
        assert_eq!(JsonDocument::read(text, MAX_BYTES).unwrap_err(), error);
        assert_eq!((error.code, error.path.as_str()), (code, path), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn the_size_is_checked_first() {
    assert_eq!(read_json(b"[1]", 3).unwrap(), json!([1]));
    assert_eq!(read_json(b"\xff\xff\xff", 2).unwrap_err().code, Code::DocumentTooLarge);
    assert_eq!(JsonDocument::read(b"[1]", 3).unwrap().at(&[]), JsonNode::Other);
    assert_eq!(JsonDocument::read(b"[1]", 2).unwrap_err().code, Code::DocumentTooLarge);
}

#[test]
fn paths_lead_to_the_same_values_as_in_serde_json() {
    let text = br#"{ "a": { "b": "x\n", "c": null, "d": 1, "e": {}, "f": ["b", "x"], "": true }, "b": "y", "\u0063": "z" }"#;
    let (document, value) =
        (JsonDocument::read(text, MAX_BYTES).unwrap(), read_json(text, MAX_BYTES).unwrap());
    let names = ["a", "b", "c", "d", "e", "f", "", "absent"];
    let mut paths: Vec<Vec<&str>> = vec![vec![]];
    for name in names {
        paths.push(vec![name]);
        paths.extend(names.map(|inner| vec![name, inner]));
        paths.extend(names.map(|inner| vec!["a", name, inner]));
    }
    for path in paths {
        let found = path.iter().try_fold(&value, |value, name| value.as_object()?.get(*name));
        let expected = match found {
            None | Some(Value::Null) => JsonNode::Absent,
            Some(Value::String(text)) => JsonNode::Text(text),
            Some(Value::Object(_)) => JsonNode::Object,
            Some(_) => JsonNode::Other,
        };
        assert_eq!(document.at(&path), expected, "{path:?}");
    }
}
