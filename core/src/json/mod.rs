//! Strict reading of JSON into typed values, with a code and a path for everything that is wrong.
//!
//! One way in for every document: text (or a serde source) becomes a [`Document`], a flat list of nodes without a copy of the
//! text, and [`Decode`] turns nodes into values that cannot be malformed. Our own parser rather than serde_json's, because the contract asks for
//! what a general one does not give: numbers by their exact decimal value, repeated members refused, all problems together.

mod bridge;
mod canonical;
mod decode;
mod document;
mod number;
mod parse;

pub(crate) use bridge::deserialize_by_decoding;
pub(crate) use canonical::push_canonical;
#[cfg(feature = "token")]
pub(crate) use decode::decode_list;
pub(crate) use decode::{
    Decode, Object, Problems, decode_bytes, decode_objects, decode_value, decode_word, document_lists,
    documents,
};
pub(crate) use document::{Document, Kind, Value};
