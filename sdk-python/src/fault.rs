//! Errors: all problems of a call become one Python `DezkyError`.

use std::borrow::Cow;

use dezky::limits::MAX_PROBLEMS;
use dezky::{ClientError, Code, Error};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyType};

static DEZKY_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// One problem of an argument.
struct Problem {
    code: &'static str,
    path: String,
    message: Cow<'static, str>,
}

/// The problems that stop a call, or an exception to raise instead.
#[derive(Default)]
pub(crate) struct Fault {
    problems: Vec<Problem>,
    /// The first exception that made a value unreadable.
    cause: Option<Box<PyErr>>,
    /// An exception that is raised unchanged, such as `KeyboardInterrupt`.
    passthrough: Option<Box<PyErr>>,
}

impl Fault {
    pub(crate) fn new(code: Code, path: &str) -> Fault {
        let mut fault = Fault::default();
        fault.add(code, path);
        fault
    }

    /// Creates a fault with a code that is not one of core.
    pub(crate) fn with_code(code: &'static str, path: &str, message: impl Into<Cow<'static, str>>) -> Fault {
        let mut fault = Fault::default();
        fault.push(Problem { code, path: path.to_owned(), message: message.into() });
        fault
    }

    /// Creates a fault from an exception that reading a document raised.
    pub(crate) fn unreadable(exception: PyErr) -> Fault {
        let mut fault = Fault::default();
        fault.add_unreadable("", exception);
        fault
    }

    pub(crate) fn passthrough(exception: PyErr) -> Fault {
        Fault { passthrough: Some(exception.into()), ..Fault::default() }
    }

    pub(crate) fn is_none(&self) -> bool {
        self.problems.is_empty() && self.passthrough.is_none()
    }

    pub(crate) fn add(&mut self, code: Code, path: &str) {
        self.push(Problem { code: code.as_str(), path: path.to_owned(), message: code.message().into() });
    }

    /// Adds the problem that reading a value ran Python code which raised an exception.
    pub(crate) fn add_unreadable(&mut self, path: &str, cause: PyErr) {
        if !Python::attach(|py| cause.is_instance_of::<PyException>(py)) {
            self.passthrough.get_or_insert(cause.into());
            return;
        }
        let message = "an exception was raised while this value was read".into();
        self.push(Problem { code: "unreadable", path: path.to_owned(), message });
        self.cause.get_or_insert(cause.into());
    }

    /// Prefixes all paths with the path of the document inside a larger one.
    pub(crate) fn with_path_prefix(mut self, path: &str) -> Fault {
        self.problems.iter_mut().for_each(|problem| problem.path.insert_str(0, path));
        self
    }

    /// Adds the problems of another fault.
    pub(crate) fn merge(&mut self, other: Fault) {
        other.problems.into_iter().for_each(|problem| self.push(problem));
        self.cause = self.cause.take().or(other.cause);
        self.passthrough = self.passthrough.take().or(other.passthrough);
    }

    fn push(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn exception<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let problems = PyList::empty(py);
        for Problem { code, path, message } in &self.problems {
            let problem = PyDict::new(py);
            problem.set_item("code", code)?;
            problem.set_item("path", path)?;
            problem.set_item("message", message)?;
            problems.append(problem)?;
        }
        DEZKY_ERROR.import(py, "dezky._errors", "DezkyError")?.call1((problems,))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let mut fault = Fault::default();
        for each in error.all() {
            let (code, path, message) = (each.code.as_str(), each.path.clone(), each.message.clone());
            fault.push(Problem { code, path, message });
        }
        fault
    }
}

/// The cause of the client error becomes the `__cause__` of the exception.
impl From<&ClientError> for Fault {
    fn from(error: &ClientError) -> Fault {
        let mut fault = Fault::with_code(error.code.as_str(), error.path, error.message.clone());
        let cause = match (&error.cause, &error.snapshot_error) {
            (Some(cause), _) => Some(Fault::from(&**cause)),
            (None, Some(problem)) => Some(Fault::from((**problem).clone())),
            (None, None) => None,
        };
        fault.cause = cause.map(|cause| Box::new(PyErr::from(cause)));
        fault
    }
}

impl From<Fault> for PyErr {
    fn from(mut fault: Fault) -> PyErr {
        if let Some(exception) = fault.passthrough {
            return *exception;
        }
        let cause = fault.cause.take().map(|cause| *cause);
        Python::attach(|py| match fault.exception(py) {
            Ok(exception) => {
                let error = PyErr::from_value(exception);
                error.set_cause(py, cause);
                error
            }
            Err(failure) => failure,
        })
    }
}
