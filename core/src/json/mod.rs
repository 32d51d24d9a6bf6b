//! Strict reading of JSON into typed values, with a code and a path for everything that is wrong.
//!
//! One way in for every document: text (or a serde source) becomes a [`Document`], a flat list of nodes without a copy of the
//! text, and [`Decode`] turns nodes into values that cannot be malformed. Our own parser rather than serde_json's, because the contract asks for
//! what a general one does not give: numbers by their exact decimal value, repeated members refused, all problems together.

mod bridge;
mod canonical;
mod decode;
mod document;
mod duplicates;
mod macros;
mod number;
mod parse;
mod problems;
mod read;
mod unknown;
mod value;

pub use read::{JsonDocument, JsonPlace, read_json};

pub(crate) use canonical::push_canonical;
pub(crate) use decode::{
    Decode, decode_bytes, decode_document, decode_list, decode_strictly, decode_text, decode_word,
};
pub(crate) use document::{Document, Kind};
pub(crate) use macros::{
    decode_objects, deserialize_by_decoding, deserialize_strictly, document_lists, documents,
};
pub(crate) use problems::Kin;
pub(crate) use value::Value;
