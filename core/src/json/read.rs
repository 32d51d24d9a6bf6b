//! Strict reading of JSON documents that core does not define.

use core::fmt;

use super::bridge::portable_number;
use super::decode_bytes;
use super::document::{Document, Kind};
use super::problems::ProblemKind;
use crate::{Code, Error};

/// Reads any JSON document, as strictly as the documents of this crate are read.
///
/// Rejects:
/// - more than `max_bytes` bytes, or 4 GiB; this is checked first,
/// - bytes that are not UTF-8, or not exactly JSON,
/// - nesting deeper than [`MAX_DEPTH`](crate::limits::MAX_DEPTH),
/// - an object with two members of the same name,
/// - numbers that are not portable: whole numbers beyond 64 bits, and decimals below 0.0001 or from
///   10^15.
///
/// ```
/// use dezky_core::Code;
/// use dezky_core::json::read_json;
/// assert_eq!(read_json(br#"{ "seats": 25 }"#, 1 << 20)?["seats"], 25);
/// let repeated = read_json(br#"{ "seats": 25, "seats": 26 }"#, 1 << 20).unwrap_err();
/// assert_eq!((repeated.code, repeated.path.as_str()), (Code::DuplicateMember, "/seats"));
/// # Ok::<(), dezky_core::Error>(())
/// ```
pub fn read_json(bytes: &[u8], max_bytes: usize) -> Result<serde_json::Value, Error> {
    decode_bytes(bytes, addressable(max_bytes))
}

/// Limits a document to the range of its 32-bit offsets.
fn addressable(max_bytes: usize) -> usize {
    max_bytes.min(u32::MAX as usize)
}

/// A parsed JSON document that borrows its source, for callers that need only some of its strings.
///
/// Reading is as strict as [`read_json`]. Only strings with escapes are copied.
///
/// ```
/// use dezky_core::json::{JsonDocument, JsonNode};
/// let document = JsonDocument::read(br#"{ "context": { "targetingKey": "acme", "seats": 25 } }"#, 1 << 20)?;
/// assert_eq!(document.at(&["context", "targetingKey"]), JsonNode::Text("acme"));
/// assert_eq!(document.at(&["context", "plan"]), JsonNode::Absent);
/// assert_eq!(document.at(&["context", "seats"]), JsonNode::Other);
/// # Ok::<(), dezky_core::Error>(())
/// ```
pub struct JsonDocument<'s>(Document<'s>);

/// The value at a path of a [`JsonDocument`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonNode<'d> {
    /// A member that is missing or `null`, or whose parent is not an object.
    Absent,
    /// A string, without its escapes.
    Text(&'d str),
    /// An object with any members.
    Object,
    /// A number, a boolean or a list.
    Other,
}

impl fmt::Debug for JsonDocument<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("JsonDocument").field(&self.0.source).finish()
    }
}

impl<'s> JsonDocument<'s> {
    /// Reads a document of at most `max_bytes` bytes. Rejects the same documents as [`read_json`].
    pub fn read(bytes: &'s [u8], max_bytes: usize) -> Result<JsonDocument<'s>, Error> {
        let document = Document::read(bytes, addressable(max_bytes));
        let numbers = document.nodes.iter().zip(0..).filter(|(node, _)| node.kind == Kind::Number);
        for (_, node) in numbers {
            if portable_number(document.raw(node)).is_none() {
                document.note(node, ProblemKind::Form, Code::InvalidNumber, &[]);
            }
        }
        document.finish().map(|()| JsonDocument(document))
    }

    /// Returns the value at a path of member names.
    pub fn at(&self, names: &[&str]) -> JsonNode<'_> {
        let mut value = self.0.root();
        for name in names {
            value = match value.kind() {
                Kind::Object => value.part(name),
                _ => value.absent(),
            };
        }
        match value.kind() {
            Kind::Null => JsonNode::Absent,
            Kind::Text => JsonNode::Text(value.raw()),
            Kind::Object => JsonNode::Object,
            Kind::Bool | Kind::Number | Kind::Array => JsonNode::Other,
        }
    }
}
