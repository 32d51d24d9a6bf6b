//! Canonical JSON, the input of every hash: members sorted by name, no spaces, the fewest escapes.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde_json::Value;

use super::bridge::portable_number;
use crate::text::{push_char, push_text};

/// Appends the canonical form of a value. Sorts members itself, because the order of serde_json's
/// maps depends on its features.
pub(crate) fn push_canonical(out: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            push_list(out, ['{', '}'], sorted, |out, (name, value)| {
                push_text(out, name);
                push_char(out, ':');
                push_canonical(out, value);
            });
        }
        Value::Array(items) => push_list(out, ['[', ']'], items, push_canonical),
        Value::String(text) => push_text(out, text),
        // A float with a whole value is written as a whole number, because it is read back as one.
        Value::Number(number) => {
            let number = portable_number(&number.to_string()).unwrap_or_else(|| number.clone());
            out.push_str(&number.to_string());
        }
        Value::Null | Value::Bool(_) => out.push_str(&value.to_string()),
    }
}

fn push_list<I: IntoIterator>(
    out: &mut String,
    brackets: [char; 2],
    items: I,
    push: impl Fn(&mut String, I::Item),
) {
    let [open, close] = brackets;
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            push_char(out, ',');
        }
        push(out, item);
    }
    out.push(close);
}
