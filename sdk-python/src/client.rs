//! The live client: core's, with Python's handlers, keys and rules.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dezky as core;
use dezky::{ConnectOptions, HandlerId, PastDeadline};
use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::client_arguments::{caller, credential, duration, refused, word};
use crate::document::{Document, text};
use crate::fault::Fault;
use crate::ruleset::Ruleset;
use crate::subject::Subject;

/// A connection to the server, and the rules that it keeps.
#[pyclass(frozen, generic, subclass, weakref, module = "dezky")]
pub(crate) struct Client {
    client: core::Client,
    /// The rules of the last swap that somebody looked at: made once, handed out often.
    current: Mutex<Option<Py<Ruleset>>>,
    handlers: Mutex<Vec<HandlerId>>,
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (url, *, key, tenant=None, snapshot=None, file=None, deadline=None, past_deadline=None,
        stale_after=None, max_backoff=None, instance=None, allow_http=None, on_event=None))]
    #[expect(clippy::too_many_arguments, reason = "it is called by name")]
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
        let mut options = ConnectOptions::new(word(url, "/url")?, credential(key)?).sdk("python");
        if let Some(slug) = tenant {
            options = options.tenant(word(slug, "/tenant")?);
        }
        if let Some(snapshot) = snapshot {
            let document = Document::of(snapshot).map_err(|fault| fault.under("/snapshot"))?;
            options = options.snapshot(document.as_bytes());
        }
        if let Some(file) = file {
            let path: PathBuf =
                file.extract().map_err(|_| refused("/file", "a path is a text or os.PathLike"))?;
            options = options.file(path);
        }
        if let Some(seconds) = deadline {
            options = options.deadline(duration(seconds, "/deadline")?);
        }
        if let Some(choice) = past_deadline {
            options = options.past_deadline(match word(choice, "/past_deadline")?.as_str() {
                "fail" => PastDeadline::Fail,
                "file" => PastDeadline::File,
                "off" => PastDeadline::Off,
                _ => return Err(refused("/past_deadline", "this is fail, file or off").into()),
            });
        }
        if let Some(seconds) = stale_after {
            options = options.stale_after(duration(seconds, "/stale_after")?);
        }
        if let Some(seconds) = max_backoff {
            options = options.max_backoff(duration(seconds, "/max_backoff")?);
        }
        if let Some(name) = instance {
            options = options.instance(word(name, "/instance")?);
        }
        if let Some(allowed) = allow_http {
            let allowed =
                allowed.cast::<PyBool>().map_err(|_| refused("/allow_http", "this is True or False"))?;
            if allowed.is_true() {
                options = options.allow_http();
            }
        }
        if let Some(handler) = on_event {
            options = options.on(caller(handler, None)?);
        }
        let client = py.detach(|| core::Client::connect(options)).map_err(|error| Fault::from(&error))?;
        Ok(Client { client, current: Mutex::default(), handlers: Mutex::default() })
    }

    /// The rules in use.
    #[getter]
    fn ruleset(&self, py: Python<'_>) -> PyResult<Py<Ruleset>> {
        let current = self.client.ruleset();
        if let Some(made) = self.made(py, &current) {
            return Ok(made);
        }
        // Made without the lock, because the collector may run here whatever it likes.
        let fresh = Py::new(py, Ruleset::of(py, current.clone(), current.digest().as_str().to_owned())?)?;
        if let Some(made) = self.made(py, &current) {
            return Ok(made);
        }
        let replaced =
            self.current.lock().unwrap_or_else(PoisonError::into_inner).replace(fresh.clone_ref(py));
        drop(replaced);
        Ok(fresh)
    }

    /// Every flag for one tenant, evaluated at once.
    #[pyo3(signature = (subject, /))]
    fn for_tenant<'py>(&self, subject: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = subject.py();
        Ruleset::for_tenant(self.ruleset(py)?.bind(py), subject)
    }

    /// One flag for one tenant. A flag that does not exist is off.
    fn is_enabled(&self, key: &Bound<'_, PyAny>, subject: &Bound<'_, PyAny>) -> PyResult<bool> {
        let key = text(key, "/key")?;
        let subject = Subject::of(subject)?;
        Ok(self.client.is_enabled(&key, &subject.get().0.subject()))
    }

    /// The subject of a tenant by its slug: from the server, or from memory.
    #[pyo3(signature = (slug, /))]
    fn subject(&self, py: Python<'_>, slug: &Bound<'_, PyAny>) -> PyResult<Subject> {
        let slug = text(slug, "/slug")?;
        let subject = py.detach(|| self.client.subject(&slug)).map_err(|error| Fault::from(&error))?;
        Ok(Subject((*subject).clone()))
    }

    /// `connecting`, `ready`, `stale`, `refused` or `closed`.
    #[getter]
    fn status(&self) -> &'static str {
        self.client.status().as_str()
    }

    /// What the server knows this instance by.
    #[getter]
    fn instance(&self) -> String {
        self.client.instance()
    }

    /// Ends the client: no thread, no socket and no event is left. Reading goes on with the last rules. The last request tells the server,
    /// within a second.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.client.close());
    }

    /// The same where nothing may take longer than this many seconds.
    fn _close_within(&self, py: Python<'_>, seconds: f64) {
        let patience = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        py.detach(|| self.client.close_within(patience));
    }

    /// Ends the thread and its sockets for now.
    fn _pause(&self, py: Python<'_>) {
        py.detach(|| self.client.pause());
    }

    /// Goes on after a pause, or in a child that has no thread yet.
    fn _resume(&self, py: Python<'_>) {
        py.detach(|| self.client.resume());
    }

    /// Calls a handler with the events of one name; the number takes it off again.
    fn _on(&self, event: &Bound<'_, PyAny>, handler: &Bound<'_, PyAny>) -> PyResult<usize> {
        let name = match &*text(event, "/event")? {
            "ready" => "ready",
            "change" => "change",
            "stale" => "stale",
            "error" => "error",
            _ => return Err(refused("/event", "an event is ready, change, stale or error").into()),
        };
        let id = self.client.on(caller(handler, Some(name))?);
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

impl Client {
    /// The Python object of these rules, if they were looked at before.
    fn made(&self, py: Python<'_>, rules: &core::flags::Ruleset) -> Option<Py<Ruleset>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|made| made.get().is_of(rules)).map(|made| made.clone_ref(py))
    }
}

/// The thread may be waiting for the interpreter lock that whoever drops the last reference holds.
impl Drop for Client {
    fn drop(&mut self) {
        match Python::try_attach(|py| py.detach(|| self.client.close())) {
            Some(()) => {}
            None => self.client.close_within(Duration::ZERO),
        }
    }
}
