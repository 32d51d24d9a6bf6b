//! What is wrong with one part of a token or with one key, gathered under the path of that part.

use alloc::{format, string::String, vec::Vec};

use crate::{Code, Error, limits::MAX_PROBLEMS};

pub(super) struct Findings {
    place: String,
    found: Vec<Error>,
}

impl Findings {
    pub(super) fn at(place: impl Into<String>) -> Findings {
        Findings { place: place.into(), found: Vec::new() }
    }

    /// `member` is a path below the part's own: empty, or beginning with a slash.
    pub(super) fn note(&mut self, code: Code, member: &str) {
        self.note_because(code, member, code.message());
    }

    /// Like `note`, with a sentence of its own in place of the code's.
    pub(super) fn note_because(&mut self, code: Code, member: &str, message: &'static str) {
        if self.found.len() < MAX_PROBLEMS {
            let mut error = Error::new(code, format!("{}{member}", self.place));
            error.message = message.into();
            self.found.push(error);
        }
    }

    /// The value, unless something is wrong. A reader that gives up has noted why, so the fallback is never what is told.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Error> {
        Error::unless_clean(self.found, ())?;
        value.ok_or_else(|| Error::new(Code::WrongType, self.place))
    }
}
