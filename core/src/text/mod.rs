//! String primitives that every other module builds on: lookup, comparison, sorting, JSON output.

mod index;
mod lines;
mod nearest;
mod order;
mod size;
mod write;

pub use nearest::nearest_name;

pub(crate) use index::{Index, hash_name, repetitions, same_bytes, same_text};
pub(crate) use lines::split_line;
pub(crate) use order::{Indexed, sort_indexed};
pub(crate) use size::IS_SMALL;
pub(crate) use write::{hex_digit, list_path, push_char, push_escaped, push_member, push_text, push_whole};
