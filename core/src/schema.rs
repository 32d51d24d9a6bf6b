//! Helpers for the JSON Schemas of core's types, both derived and written by hand.

use alloc::{string::String, vec::Vec};

use schemars::{Schema, json_schema};
use serde_json::{Map, Value};

/// The forms of names, as in the module `names`, in the regular expressions of ECMA-262.
pub(crate) mod patterns {
    pub(crate) const KEY: &str = "^[a-z0-9][a-z0-9_-]{0,63}$";
    pub(crate) const SLUG: &str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
    pub(crate) const ID: &str = "^[A-Za-z0-9_-]{1,64}$";
    pub(crate) const CURRENCY: &str = "^[A-Z]{3}$";
    pub(crate) const DIGEST: &str = "^[0-9a-f]{64}$";
    /// No control characters, and at least one character that is not a space.
    pub(crate) const LABEL: &str =
        r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";
    /// No control characters except tabs and line feeds.
    pub(crate) const PROSE: &str = r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$";

    /// Two or more labels, of which the last is not a number.
    macro_rules! domain {
        () => {
            r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?![0-9]+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
        };
    }
    pub(crate) const DOMAIN: &str = concat!("^", domain!());
    pub(crate) const EMAIL: &str =
        concat!(r"^(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@", domain!());
}

/// Implements `JsonSchema` for types, each with a function from the generator to the schema.
macro_rules! schemas {
    ($($Name:ident: $schema:expr;)*) => {$(
        impl schemars::JsonSchema for $Name {
            fn schema_name() -> alloc::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }

            fn schema_id() -> alloc::borrow::Cow<'static, str> {
                concat!("dezky_core::", stringify!($Name)).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema = $schema;
                schema(generator)
            }
        }
    )*};
}
pub(crate) use schemas;

pub(crate) type Member = (&'static str, Schema);

/// The schema of an object whose members are required, except the optional ones.
pub(crate) fn object(members: impl IntoIterator<Item = Member>, optional: &[&str]) -> Schema {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, schema) in members {
        if !optional.contains(&name) {
            required.push(name);
        }
        properties.insert(name.into(), schema.into());
    }
    json_schema!({ "type": "object", "properties": properties, "required": required })
}

/// Rejects members that the schema of an object does not list.
pub(crate) fn closed(mut object: Schema) -> Schema {
    object.insert("additionalProperties".into(), false.into());
    object
}

pub(crate) fn list(items: Schema, longest: usize) -> Schema {
    json_schema!({ "type": "array", "items": items, "maxItems": longest })
}

pub(crate) fn or_null(schema: Schema) -> Schema {
    json_schema!({ "anyOf": [schema, { "type": "null" }] })
}

pub(crate) fn text(longest: usize, pattern: &str) -> Schema {
    json_schema!({ "type": "string", "maxLength": longest, "pattern": pattern })
}

pub(crate) fn one_of<const COUNT: usize>(words: [&str; COUNT]) -> Schema {
    json_schema!({ "type": "string", "enum": words.as_slice() })
}

/// Adapts a derived schema to what serde writes.
///
/// Keeps only the first paragraph of the description, because examples in Rust follow it. Removes
/// `null` from the types of optional members, because serde omits them instead.
pub(crate) fn tidy(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        let paragraph = description.split("\n\n").next().unwrap_or_default();
        *description = paragraph.replace('\n', " ");
    }
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for (name, property) in properties {
        let is_required = required.iter().any(|each| each == name);
        if let (false, Value::Object(property)) = (is_required, property) {
            forbid_null(property);
        }
    }
}

fn forbid_null(property: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = property.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [Value::String(only)] = kinds.as_slice() {
            let only = only.clone();
            property.insert("type".into(), only.into());
        }
    }
    let Some(Value::Array(mut either)) = property.remove("anyOf") else { return };
    either.retain(|form| form.get("type").is_none_or(|kind| kind != "null"));
    match either.pop() {
        Some(Value::Object(form)) if either.is_empty() => property.extend(form),
        last => {
            either.extend(last);
            property.insert("anyOf".into(), Value::Array(either));
        }
    }
}
