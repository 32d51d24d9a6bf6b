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
        if self.found.len() < MAX_PROBLEMS {
            self.found.push(Error::new(code, format!("{}{member}", self.place)));
        }
    }

    /// The value, unless something is wrong. A reader that gives up has noted why, so the fallback is never what is told.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Error> {
        Error::unless_clean(self.found, ())?;
        value.ok_or_else(|| Error::new(Code::WrongType, self.place))
    }
}
