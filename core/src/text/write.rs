//! JSON output for the documents that core writes without serde.

use alloc::string::String;

/// Appends a character. [`String::push`] would link more of the standard library into the WASM
/// module.
pub(crate) fn push_char(out: &mut String, character: char) {
    out.push_str(character.encode_utf8(&mut [0; 4]));
}

pub(crate) fn hex_digit(digit: u8) -> char {
    char::from(if digit < 10 { b'0' + digit } else { b'a' - 10 + digit })
}

/// Appends a JSON string: quoted, with the fewest escapes.
pub(crate) fn push_text(out: &mut String, text: &str) {
    push_char(out, '"');
    push_escaped(out, text, json_escape);
    push_char(out, '"');
}

const CONTROL: &str = "\\u00";

fn json_escape(byte: u8) -> &'static str {
    match byte {
        b'"' => "\\\"",
        b'\\' => "\\\\",
        8 => "\\b",
        b'\t' => "\\t",
        b'\n' => "\\n",
        12 => "\\f",
        b'\r' => "\\r",
        0..0x20 => CONTROL,
        _ => "",
    }
}

/// Appends a string, replacing each byte for which `escape` returns a non-empty replacement.
pub(crate) fn push_escaped(out: &mut String, text: &str, escape: fn(u8) -> &'static str) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = escape(byte);
        if !escape.is_empty() {
            out.push_str(text.get(plain..at).unwrap_or_default());
            out.push_str(escape);
            if escape == CONTROL {
                push_char(out, hex_digit(byte >> 4));
                push_char(out, hex_digit(byte & 15));
            }
            plain = at + 1;
        }
    }
    out.push_str(text.get(plain..).unwrap_or_default());
}

/// Appends a member whose value is a string, preceded by a comma unless it is the first of its
/// object.
pub(crate) fn push_member(out: &mut String, name: &str, text: &str) {
    if !out.ends_with('{') {
        push_char(out, ',');
    }
    push_text(out, name);
    push_char(out, ':');
    push_text(out, text);
}

/// Appends a whole number in decimal.
pub(crate) fn push_whole(out: &mut String, number: u64) {
    if number >= 10 {
        push_whole(out, number / 10);
    }
    push_char(out, char::from(b'0' + (number % 10) as u8));
}

/// The JSON Pointer to a member of a list item: `/list/index/member`.
pub(crate) fn list_path(list: &str, index: usize, member: &str) -> String {
    let mut path = String::from("/");
    path.push_str(list);
    push_char(&mut path, '/');
    push_whole(&mut path, index as u64);
    push_char(&mut path, '/');
    path.push_str(member);
    path
}
