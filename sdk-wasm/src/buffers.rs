//! The buffers through which text crosses.

use alloc::{string::String, vec, vec::Vec};

use dezky_core::Error;

/// What the host wrote, and what it reads next.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) input: Vec<u8>,
    pub(crate) output: Vec<u8>,
}

impl Buffers {
    /// Makes room for so many bytes, and says where.
    pub(crate) fn make_room(&mut self, length: usize) -> usize {
        self.input = vec![0; length];
        self.input.as_ptr() as usize
    }

    pub(crate) fn answer(&mut self, answer: Result<String, Error>) {
        self.output = answer.unwrap_or_else(|error| error.to_json()).into_bytes();
    }

    /// The input as two texts, the first so many bytes long.
    #[cfg(feature = "evaluation")]
    pub(crate) fn texts(&self, split: usize) -> (&str, &str) {
        text(&self.input).split_at_checked(split).unwrap_or_default()
    }
}

/// What the host wrote, which is always UTF-8.
pub(crate) fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}
