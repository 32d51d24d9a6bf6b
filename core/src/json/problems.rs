//! What is wrong with a document, collected.

use crate::Error;

/// Which of two questions a problem answers. Form (types, names, ranges) is judged before meaning (repetitions, contradictions): the
/// second is reported only where the first is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kin {
    #[default]
    Meaning,
    Form,
}

/// What is wrong with a document, in the order found: problems of one kin.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    kin: Kin,
    found: Option<Error>,
}

impl Problems {
    /// Whether one more of a kin is to be reported; one of form drives out those of meaning.
    pub(super) fn admits(&mut self, kin: Kin) -> bool {
        if kin == Kin::Form && self.kin == Kin::Meaning {
            *self = Problems { kin, found: None };
        }
        kin == self.kin && Error::leaves_room(&self.found)
    }

    pub(super) fn add(&mut self, problem: Error) {
        problem.join(&mut self.found);
    }

    pub(super) fn verdict(self) -> Result<(), Error> {
        match self.found {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }
}
