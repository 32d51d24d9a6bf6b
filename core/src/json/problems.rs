//! The problems of a document, collected while it is decoded.

use crate::Error;

/// The kind of a problem. Problems of meaning are reported only for a document whose form is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ProblemKind {
    /// A repetition or a contradiction between values.
    #[default]
    Meaning,
    /// A wrong type, a malformed name or a number out of range.
    Form,
}

/// The problems of a document, all of one kind, in the order in which they were noted.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    kind: ProblemKind,
    found: Option<Error>,
}

impl Problems {
    /// Returns whether a problem of this kind is to be added. A problem of form discards those of
    /// meaning.
    pub(super) fn accepts(&mut self, kind: ProblemKind) -> bool {
        if kind == ProblemKind::Form && self.kind == ProblemKind::Meaning {
            *self = Problems { kind, found: None };
        }
        kind == self.kind && Error::leaves_room(&self.found)
    }

    pub(super) fn add(&mut self, problem: Error) {
        problem.join(&mut self.found);
    }

    pub(super) fn into_result(self) -> Result<(), Error> {
        match self.found {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }
}
