//! What is wrong with a document, collected.

use super::Value;
use crate::{Code, Error, limits::MAX_PROBLEMS};

/// What is wrong with a document, in the order found.
///
/// Form (types, names, ranges) is judged before meaning (repetitions, contradictions): the second is reported only where the
/// first is whole.
#[derive(Default)]
pub(crate) struct Problems {
    form: Vec<Error>,
    meaning: Vec<Error>,
}

impl Problems {
    pub(crate) fn form(&mut self, code: Code, value: Value<'_>) {
        if self.form.len() < MAX_PROBLEMS {
            self.form.push(Error::new(code, value.path()));
        }
    }

    pub(super) fn missing(&mut self, object: Value<'_>, name: &str) {
        if self.form.len() < MAX_PROBLEMS {
            self.form.push(Error::new(Code::Missing, format!("{}/{name}", object.path())));
        }
    }

    pub(crate) fn meaning(&mut self, code: Code, value: Value<'_>) {
        if self.meaning.len() < MAX_PROBLEMS {
            self.meaning.push(Error::new(code, value.path()));
        }
    }

    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Error> {
        let problems = if self.form.is_empty() { self.meaning } else { self.form };
        // A decoder that gives up notes why, so the first arm is not reached without a problem.
        let value = value.ok_or_else(|| Error::new(Code::WrongType, ""));
        match problems.is_empty() {
            true => value,
            false => Error::unless_clean(problems, ()).and(value),
        }
    }
}
