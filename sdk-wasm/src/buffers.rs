//! The input and output buffers that the host shares with a module.

use alloc::{string::String, vec, vec::Vec};

use dezky_core::Error;

/// The bytes that the host wrote, and the bytes that it reads next.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) input: Vec<u8>,
    pub(crate) output: Vec<u8>,
}

impl Buffers {
    /// Allocates an input of `length` bytes and returns its address.
    pub(crate) fn make_room(&mut self, length: usize) -> usize {
        self.input = vec![0; length];
        self.input.as_ptr() as usize
    }

    /// Stores an answer as the output; an error becomes its JSON list of problems.
    pub(crate) fn answer(&mut self, answer: Result<String, Error>) {
        self.output = answer.unwrap_or_else(|error| error.to_json()).into_bytes();
    }

    /// The input as two strings; `split` is the length of the first in bytes.
    #[cfg(feature = "evaluation")]
    pub(crate) fn strings(&self, split: usize) -> (&str, &str) {
        text(&self.input).split_at_checked(split).unwrap_or_default()
    }
}

/// Bytes from the host as a string; the host always writes UTF-8.
pub(crate) fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}
