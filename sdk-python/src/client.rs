//! The live client: a Python class around the Rust client.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dezky as core;
use dezky::{ConnectOptions, HandlerId};
use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::client_arguments::{event_handler, invalid_option, key_source, string, with_rules, with_times};
use crate::document::text;
use crate::fault::Fault;
use crate::ruleset::Ruleset;
use crate::subject::Subject;

/// A live client that follows the server and holds the current rules.
#[pyclass(frozen, generic, subclass, weakref, module = "dezky")]
pub(crate) struct Client {
    client: core::Client,
    /// The Python object of the current rules. It is created once for each revision that is read.
    current: Mutex<Option<Py<Ruleset>>>,
    handlers: Mutex<Vec<HandlerId>>,
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (url, *, key, tenant=None, snapshot=None, file=None, deadline=None, past_deadline=None,
        stale_after=None, max_backoff=None, instance=None, allow_http=None, on_event=None))]
    #[expect(clippy::too_many_arguments, reason = "Python passes these arguments by keyword")]
    fn new<'py>(
        py: Python<'py>,
        url: &Bound<'py, PyAny>,
        key: &Bound<'py, PyAny>,
        tenant: Option<&Bound<'py, PyAny>>,
        snapshot: Option<&Bound<'py, PyAny>>,
        file: Option<&Bound<'py, PyAny>>,
        deadline: Option<&Bound<'py, PyAny>>,
        past_deadline: Option<&Bound<'py, PyAny>>,
        stale_after: Option<&Bound<'py, PyAny>>,
        max_backoff: Option<&Bound<'py, PyAny>>,
        instance: Option<&Bound<'py, PyAny>>,
        allow_http: Option<&Bound<'py, PyAny>>,
        on_event: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Client> {
        let mut options = ConnectOptions::new(string(url, "/url")?, key_source(key)?).sdk("python");
        options = with_rules(options, tenant, snapshot, file)?;
        options = with_times(options, deadline, past_deadline, stale_after, max_backoff)?;
        if let Some(name) = instance {
            options = options.instance(string(name, "/instance")?);
        }
        if let Some(allowed) = allow_http {
            let allowed = allowed
                .cast::<PyBool>()
                .map_err(|_| invalid_option("/allow_http", "this must be True or False"))?;
            if allowed.is_true() {
                options = options.allow_http();
            }
        }
        if let Some(handler) = on_event {
            options = options.on(event_handler(handler, None)?);
        }
        let client = py.detach(|| core::Client::connect(options)).map_err(|error| Fault::from(&error))?;
        Ok(Client { client, current: Mutex::default(), handlers: Mutex::default() })
    }

    /// The rules of the newest revision.
    #[getter]
    fn ruleset(&self, py: Python<'_>) -> PyResult<Py<Ruleset>> {
        let current = self.client.ruleset();
        if let Some(ruleset) = self.cached_ruleset(py, &current) {
            return Ok(ruleset);
        }
        // Created without the lock, because the garbage collector may run arbitrary code here.
        let fresh =
            Py::new(py, Ruleset::from_core(py, current.clone(), current.digest().as_str().to_owned())?)?;
        if let Some(ruleset) = self.cached_ruleset(py, &current) {
            return Ok(ruleset);
        }
        let replaced =
            self.current.lock().unwrap_or_else(PoisonError::into_inner).replace(fresh.clone_ref(py));
        drop(replaced);
        Ok(fresh)
    }

    /// Evaluates every flag for one tenant.
    #[pyo3(signature = (subject, /))]
    fn for_tenant<'py>(&self, subject: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = subject.py();
        Ruleset::for_tenant(self.ruleset(py)?.bind(py), subject)
    }

    /// Returns whether a flag is on for a tenant. An unknown flag is off.
    fn is_enabled(&self, key: &Bound<'_, PyAny>, subject: &Bound<'_, PyAny>) -> PyResult<bool> {
        let key = text(key, "/key")?;
        let subject = Subject::from_argument(subject)?;
        Ok(self.client.is_enabled(&key, &subject.get().0.subject()))
    }

    /// Returns the subject of a tenant by its slug, from memory or from the server.
    #[pyo3(signature = (slug, /))]
    fn subject(&self, py: Python<'_>, slug: &Bound<'_, PyAny>) -> PyResult<Subject> {
        let slug = text(slug, "/slug")?;
        let subject = py.detach(|| self.client.subject(&slug)).map_err(|error| Fault::from(&error))?;
        Ok(Subject((*subject).clone()))
    }

    /// The status: `connecting`, `ready`, `stale`, `refused` or `closed`.
    #[getter]
    fn status(&self) -> &'static str {
        self.client.status().as_str()
    }

    /// The name of this instance at the server.
    #[getter]
    fn instance(&self) -> String {
        self.client.instance()
    }

    /// Closes the client: its thread and sockets end, and no more events follow.
    ///
    /// The client keeps answering with its last rules. A last request of at most one second tells
    /// the server that this instance is closed.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.client.close());
    }

    /// Closes the client within the given number of seconds.
    fn _close_within(&self, py: Python<'_>, seconds: f64) {
        let limit = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        py.detach(|| self.client.close_within(limit));
    }

    /// Ends the thread and its sockets until `_resume`.
    fn _pause(&self, py: Python<'_>) {
        py.detach(|| self.client.pause());
    }

    /// Starts the thread again after a pause, or in a forked child that has no thread yet.
    fn _resume(&self, py: Python<'_>) {
        py.detach(|| self.client.resume());
    }

    /// Adds a handler for the events of one name. `_off` takes the returned number.
    fn _on(&self, event: &Bound<'_, PyAny>, handler: &Bound<'_, PyAny>) -> PyResult<usize> {
        let name = match &*text(event, "/event")? {
            "ready" => "ready",
            "change" => "change",
            "stale" => "stale",
            "error" => "error",
            _ => return Err(invalid_option("/event", "an event is ready, change, stale or error").into()),
        };
        let id = self.client.on(event_handler(handler, Some(name))?);
        let mut handlers = self.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        handlers.push(id);
        Ok(handlers.len() - 1)
    }

    fn _off(&self, number: usize) {
        let handlers = self.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&id) = handlers.get(number) {
            drop(handlers);
            self.client.off(id);
        }
    }

    fn __repr__(&self) -> String {
        let rules = self.client.ruleset();
        format!(
            "<dezky.Client: {}, {} flags at revision {}>",
            self.status(),
            rules.keys().len(),
            rules.revision()
        )
    }
}

/// Returns the code of every error that a client reports.
#[pyfunction]
pub(crate) fn client_codes() -> Vec<&'static str> {
    core::ClientCode::ALL.iter().map(|code| code.as_str()).collect()
}

impl Client {
    /// Returns the Python object of these rules if it was created before.
    fn cached_ruleset(&self, py: Python<'_>, rules: &core::flags::Ruleset) -> Option<Py<Ruleset>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|ruleset| ruleset.get().wraps(rules)).map(|ruleset| ruleset.clone_ref(py))
    }
}

/// Closing detaches from the interpreter, because the thread of the client may wait for its lock.
impl Drop for Client {
    fn drop(&mut self) {
        match Python::try_attach(|py| py.detach(|| self.client.close())) {
            Some(()) => {}
            None => self.client.close_within(Duration::ZERO),
        }
    }
}
