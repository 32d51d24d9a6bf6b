//! What an API shows of the model, as JSON Schemas: those that are not derived, and what the derived ones have in common.

use alloc::{string::String, vec::Vec};

use schemars::{Schema, json_schema};
use serde_json::{Map, Value};

/// What each kind of text looks like: the same forms as in `names`, as ECMA-262 writes them.
pub(crate) mod patterns {
    pub(crate) const KEY: &str = "^[a-z0-9][a-z0-9_-]{0,63}$";
    pub(crate) const SLUG: &str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
    pub(crate) const ID: &str = "^[A-Za-z0-9_-]{1,64}$";
    pub(crate) const CURRENCY: &str = "^[A-Z]{3}$";
    pub(crate) const DIGEST: &str = "^[0-9a-f]{64}$";
    /// No control characters, and one at least that is not a space.
    pub(crate) const LABEL: &str =
        r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";
    /// No control characters but tabs and line feeds.
    pub(crate) const PROSE: &str = r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$";

    /// Two labels or more, the last of which is not a number.
    macro_rules! domain {
        () => {
            r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?![0-9]+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
        };
    }
    pub(crate) const DOMAIN: &str = concat!("^", domain!());
    pub(crate) const EMAIL: &str =
        concat!(r"^(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@", domain!());
}

/// Gives types a schema: for each, a function of the generator.
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

/// An object with these members, all of which are there but the optional ones.
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

/// Leaves of a derived description its first paragraph, for what follows is an example in Rust; and of a member that is left out where there is
/// none, that it is never `null`.
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
