//! A collector of the problems of one part of a token or of one key.

use alloc::{format, string::String, vec::Vec};

use crate::{Code, Error, limits::MAX_PROBLEMS};

/// The problems that were found below one path.
pub(super) struct Findings {
    path: String,
    found: Vec<Error>,
}

impl Findings {
    pub(super) fn new(path: impl Into<String>) -> Findings {
        Findings { path: path.into(), found: Vec::new() }
    }

    /// Notes a problem. `member` is a path relative to that of the findings: empty, or with a slash
    /// at the beginning.
    pub(super) fn note(&mut self, code: Code, member: &str) {
        self.note_with_message(code, member, code.message());
    }

    /// Like `note`, with a message that replaces the message of the code.
    pub(super) fn note_with_message(&mut self, code: Code, member: &str, message: &'static str) {
        if self.found.len() < MAX_PROBLEMS {
            let mut error = Error::new(code, format!("{}{member}", self.path));
            error.message = message.into();
            self.found.push(error);
        }
    }

    /// Returns the value if no problem was found. A reader that returns `None` has noted a problem,
    /// so the fallback never reaches the caller.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Error> {
        Error::unless_clean(self.found, ())?;
        value.ok_or_else(|| Error::new(Code::WrongType, self.path))
    }
}
