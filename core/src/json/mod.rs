//! Strict reading of JSON into typed values; every problem is reported with a code and a path.
//!
//! Core reads every document in two steps. JSON text or a serde source becomes a `Document`, a flat
//! list of nodes that refers to the text. Then `Decode` turns nodes into values that are well
//! formed by construction.
//!
//! The parser is our own, because the specification requires what serde_json does not offer: the
//! exact decimal values of numbers, rejection of repeated members, and all problems in one error.

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

pub use read::{JsonDocument, JsonNode, read_json};

pub(crate) use canonical::push_canonical;
pub(crate) use decode::{
    Decode, decode_bytes, decode_document, decode_list, decode_strictly, decode_text, decode_word,
};
pub(crate) use document::{Document, Kind};
pub(crate) use macros::{
    decode_objects, deserialize_by_decoding, deserialize_strictly, document_lists, documents,
};
pub(crate) use problems::ProblemKind;
pub(crate) use value::Value;
