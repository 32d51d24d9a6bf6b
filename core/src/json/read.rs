//! Strict reading of a document whose form is somebody else's.

use core::fmt;

use super::bridge::portable_number;
use super::decode_bytes;
use super::document::{Document, Kind};
use super::problems::Kin;
use crate::{Code, Error};

/// Reads any JSON document of at most `max_bytes` bytes (and never more than 4 GiB) as strictly as the documents of this crate are read.
///
/// What is refused: too many bytes (judged before anything else), text that is not UTF-8 or not JSON to the letter, nesting deeper than
/// [`MAX_DEPTH`](crate::limits::MAX_DEPTH), an object with two members of one name, and numbers that are not the same in every language:
/// whole ones past 64 bits, and decimals of less than 0.0001 or of 10^15 and more.
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

/// A document's places are numbers of 32 bits.
fn addressable(max_bytes: usize) -> usize {
    max_bytes.min(u32::MAX as usize)
}

/// A JSON document of which only some texts are wanted: read as strictly as by [`read_json`] and looked at where it lies. Only texts with
/// escapes are written anew.
///
/// ```
/// use dezky_core::json::{JsonDocument, JsonPlace};
/// let document = JsonDocument::read(br#"{ "context": { "targetingKey": "acme", "seats": 25 } }"#, 1 << 20)?;
/// assert_eq!(document.at(&["context", "targetingKey"]), JsonPlace::Text("acme"));
/// assert_eq!(document.at(&["context", "plan"]), JsonPlace::Nothing);
/// assert_eq!(document.at(&["context", "seats"]), JsonPlace::Other);
/// # Ok::<(), dezky_core::Error>(())
/// ```
pub struct JsonDocument<'s>(Document<'s>);

/// What stands at a place of a [`JsonDocument`].
///
/// ```
/// use dezky_core::json::{JsonDocument, JsonPlace};
/// assert_eq!(JsonDocument::read(b"{}", 2)?.at(&[]), JsonPlace::Object);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonPlace<'d> {
    /// Nothing: it is absent or `null`, or what would hold it is no object.
    Nothing,
    /// A text, without its escapes.
    Text(&'d str),
    /// An object.
    Object,
    /// A number, a truth value or a list.
    Other,
}

impl fmt::Debug for JsonDocument<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("JsonDocument").field(&self.0.source).finish()
    }
}

impl<'s> JsonDocument<'s> {
    /// Reads a document of at most `max_bytes` bytes, with the refusals of [`read_json`].
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::json::JsonDocument;
    /// let repeated = JsonDocument::read(br#"{ "seats": 25, "seats": 26 }"#, 1 << 20).unwrap_err();
    /// assert_eq!((repeated.code, repeated.path.as_str()), (Code::DuplicateMember, "/seats"));
    /// ```
    pub fn read(bytes: &'s [u8], max_bytes: usize) -> Result<JsonDocument<'s>, Error> {
        let document = Document::read(bytes, addressable(max_bytes));
        let numbers = document.nodes.iter().zip(0..).filter(|(node, _)| node.kind == Kind::Number);
        for (_, node) in numbers {
            if portable_number(document.raw(node)).is_none() {
                document.note(node, Kin::Form, Code::InvalidNumber, &[]);
            }
        }
        document.verdict().map(|()| JsonDocument(document))
    }

    /// What stands at the end of these names, each a member of an object.
    ///
    /// ```
    /// use dezky_core::json::{JsonDocument, JsonPlace};
    /// let document = JsonDocument::read(br#"["plan"]"#, 8)?;
    /// assert_eq!((document.at(&[]), document.at(&["plan"])), (JsonPlace::Other, JsonPlace::Nothing));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn at(&self, names: &[&str]) -> JsonPlace<'_> {
        let mut value = self.0.root();
        for name in names {
            value = match value.kind() {
                Kind::Object => value.part(name),
                _ => value.nothing(),
            };
        }
        match value.kind() {
            Kind::Null => JsonPlace::Nothing,
            Kind::Text => JsonPlace::Text(value.raw()),
            Kind::Object => JsonPlace::Object,
            Kind::Bool | Kind::Number | Kind::Array => JsonPlace::Other,
        }
    }
}
