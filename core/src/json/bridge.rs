//! Conversion from serde sources to a [`Document`], so that one decoder reads both JSON text and
//! serde input.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
};
use core::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::decode::{Decode, decode_list};
use super::document::{Document, Kind, Node};
use super::duplicates::Duplicates;
use super::number::scaled;
use super::problems::ProblemKind;
use super::value::Value;
use crate::{Code, Error, limits::MAX_DEPTH};

/// JSON that core stores but does not interpret. Its numbers must be portable, see
/// [`portable_number`].
impl Decode for serde_json::Value {
    fn decode(value: Value<'_>) -> serde_json::Value {
        match value.kind() {
            Kind::Null => serde_json::Value::Null,
            Kind::Bool => serde_json::Value::Bool(value.raw() == "true"),
            Kind::Text => serde_json::Value::String(value.raw().to_owned()),
            Kind::Number => portable_number(value.raw()).map_or_else(
                || {
                    value.note(ProblemKind::Form, Code::InvalidNumber);
                    serde_json::Value::Null
                },
                serde_json::Value::Number,
            ),
            Kind::Array => serde_json::Value::Array(decode_list(value, usize::MAX)),
            Kind::Object => {
                let members = value.members().map(|(name, member)| (name.to_owned(), Self::decode(member)));
                serde_json::Value::Object(members.collect())
            }
        }
    }
}

/// Converts a number that every language reads and writes alike: a whole number of 64 bits, or a
/// decimal from 0.0001 to 10^15, which no language writes with an exponent.
pub(super) fn portable_number(raw: &str) -> Option<Number> {
    let exact = scaled(raw, 0);
    if exact.is_whole {
        return exact.to_i64().map(Number::from);
    }
    let decimal: f64 = raw.parse().ok()?;
    (1e-4..1e15).contains(&decimal.abs()).then(|| Number::from_f64(decimal))?
}

impl<'de> Deserialize<'de> for Document<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut builder = Builder::default();
        Filler { builder: &mut builder }.deserialize(deserializer)?;
        builder.duplicates.reject(&mut builder.document);
        Ok(builder.document)
    }
}

#[derive(Default)]
struct Builder {
    document: Document<'static>,
    duplicates: Duplicates,
    depth: usize,
}

impl Builder {
    fn push(&mut self, kind: Kind, text: &str) -> u32 {
        let node = self.document.nodes.len() as u32;
        let start = self.document.unescaped.len() as u32;
        self.document.unescaped.push_str(text);
        self.document.nodes.push(Node {
            kind,
            unescaped: true,
            start,
            length: text.len() as u32,
            next: node + 1,
        });
        node
    }

    fn open<E: de::Error>(&mut self, kind: Kind) -> Result<u32, E> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(E::custom(Error::new(Code::TooDeep, "")));
        }
        Ok(self.push(kind, ""))
    }

    fn close(&mut self, node: u32) {
        self.depth -= 1;
        let next = self.document.nodes.len() as u32;
        if let Some(node) = self.document.nodes.get_mut(node as usize) {
            node.next = next;
        }
    }
}

/// Appends one value and its children to the document.
struct Filler<'b> {
    builder: &'b mut Builder,
}

impl<'de> DeserializeSeed<'de> for Filler<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Filler<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.builder.push(Kind::Null, "null");
        Ok(())
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.builder.push(Kind::Bool, if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.builder.push(Kind::Number, &value.to_string());
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.builder.push(Kind::Number, &value.to_string());
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number must be finite"))?;
        self.builder.push(Kind::Number, &number.to_string());
        Ok(())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.builder.push(Kind::Text, value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let node = self.builder.open(Kind::Array)?;
        while items.next_element_seed(Filler { builder: self.builder })?.is_some() {}
        self.builder.close(node);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let node = self.builder.open(Kind::Object)?;
        self.builder.duplicates.open();
        while let Some(name) = members.next_key::<String>()? {
            let name = self.builder.push(Kind::Text, &name);
            self.builder.duplicates.name(name);
            members.next_value_seed(Filler { builder: self.builder })?;
        }
        self.builder.duplicates.close(&self.builder.document);
        self.builder.close(node);
        Ok(())
    }
}
