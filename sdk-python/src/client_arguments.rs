//! The arguments of a client: its options, its key, and its event handlers.

use std::path::PathBuf;
use std::time::Duration;

use dezky as core;
use dezky::{ClientEvent, ConnectOptions, Key, PastDeadline};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyString, PyTuple, PyType};

use crate::document::DocumentArgument;
use crate::fault::Fault;

static EVENT: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Returns a handler that calls a Python function with all events, or with those of one name.
///
/// Exceptions of the function go to `sys.unraisablehook`.
pub(crate) fn event_handler(
    handler: &Bound<'_, PyAny>,
    name: Option<&'static str>,
) -> PyResult<impl Fn(&ClientEvent) + Send + Sync + 'static> {
    if !handler.is_callable() {
        return Err(PyTypeError::new_err("a handler must be callable"));
    }
    let handler = handler.clone().unbind();
    Ok(move |event: &ClientEvent| {
        if name.is_some_and(|name| name != event.name()) {
            return;
        }
        // While the interpreter shuts down, no handler is called.
        Python::try_attach(|py| {
            let handler = handler.bind(py);
            if let Err(error) = event_object(py, event).and_then(|event| handler.call1((event,))) {
                error.write_unraisable(py, Some(handler));
            }
        });
    })
}

/// Converts an event to a `ClientEvent` of `dezky._events`.
fn event_object<'py>(py: Python<'py>, event: &ClientEvent) -> PyResult<Bound<'py, PyAny>> {
    let name = event.name();
    let class = EVENT.import(py, "dezky._events", "ClientEvent")?;
    let none = || py.None();
    match event {
        ClientEvent::Ready { revision } => class.call1((name, revision)),
        ClientEvent::Change { revision, keys } => {
            class.call1((name, revision, PyTuple::new(py, keys.iter().map(core::names::FlagKey::as_str))?))
        }
        ClientEvent::Stale { age } => class.call1((name, none(), PyTuple::empty(py), age.as_secs_f64())),
        ClientEvent::Error { error, fatal } => class.call1((
            name,
            none(),
            PyTuple::empty(py),
            none(),
            error.code.as_str(),
            &error.message,
            *fatal,
            error.server_code.as_deref(),
        )),
        _ => class.call1((name,)),
    }
}

/// Converts a key, or a function that returns one and is called on a separate thread.
pub(crate) fn key_source(key: &Bound<'_, PyAny>) -> Result<Key, Fault> {
    if let Ok(text) = key.cast::<PyString>() {
        return Ok(Key::from(
            &*text.to_cow().map_err(|_| invalid_option("/key", "a key is visible ASCII characters"))?,
        ));
    }
    if !key.is_callable() {
        return Err(invalid_option("/key", "a key is a string, or a function that returns one"));
    }
    let source = key.clone().unbind();
    Ok(Key::try_from_fn(move || {
        let call = |py: Python<'_>| -> PyResult<String> { source.bind(py).call0()?.extract() };
        match Python::try_attach(call) {
            Some(key) => key.map_err(|error| error.to_string()),
            None => Err("the interpreter is shutting down".to_owned()),
        }
    }))
}

pub(crate) fn string(argument: &Bound<'_, PyAny>, path: &'static str) -> Result<String, Fault> {
    match argument.cast::<PyString>().ok().and_then(|text| text.to_cow().ok().map(|text| text.into_owned())) {
        Some(text) => Ok(text),
        None => Err(invalid_option(path, "this must be a string")),
    }
}

pub(crate) fn duration(argument: &Bound<'_, PyAny>, path: &'static str) -> Result<Duration, Fault> {
    let seconds = if argument.is_instance_of::<PyBool>() { None } else { argument.extract::<f64>().ok() };
    match seconds.map(Duration::try_from_secs_f64) {
        Some(Ok(duration)) => Ok(duration),
        _ => Err(invalid_option(path, "this must be a number of seconds, zero or more")),
    }
}

pub(crate) fn invalid_option(path: &'static str, message: &'static str) -> Fault {
    Fault::with_code(core::ClientCode::InvalidOption.as_str(), path, message)
}

/// Adds the options that select the rules: the tenant, a first snapshot, and the file.
pub(crate) fn with_rules(
    mut options: ConnectOptions,
    tenant: Option<&Bound<'_, PyAny>>,
    snapshot: Option<&Bound<'_, PyAny>>,
    file: Option<&Bound<'_, PyAny>>,
) -> Result<ConnectOptions, Fault> {
    if let Some(slug) = tenant {
        options = options.tenant(string(slug, "/tenant")?);
    }
    if let Some(snapshot) = snapshot {
        let document =
            DocumentArgument::from_value(snapshot).map_err(|fault| fault.with_path_prefix("/snapshot"))?;
        options = options.snapshot(document.as_bytes());
    }
    if let Some(file) = file {
        let path: PathBuf =
            file.extract().map_err(|_| invalid_option("/file", "a path is a string or os.PathLike"))?;
        options = options.file(path);
    }
    Ok(options)
}

/// Adds the options about time: the deadline, the behavior past it, staleness and backoff.
pub(crate) fn with_times(
    mut options: ConnectOptions,
    deadline: Option<&Bound<'_, PyAny>>,
    past_deadline: Option<&Bound<'_, PyAny>>,
    stale_after: Option<&Bound<'_, PyAny>>,
    max_backoff: Option<&Bound<'_, PyAny>>,
) -> Result<ConnectOptions, Fault> {
    if let Some(seconds) = deadline {
        options = options.deadline(duration(seconds, "/deadline")?);
    }
    if let Some(choice) = past_deadline {
        options = options.past_deadline(match string(choice, "/past_deadline")?.as_str() {
            "fail" => PastDeadline::Fail,
            "file" => PastDeadline::File,
            "off" => PastDeadline::Off,
            _ => return Err(invalid_option("/past_deadline", "this must be fail, file or off")),
        });
    }
    if let Some(seconds) = stale_after {
        options = options.stale_after(duration(seconds, "/stale_after")?);
    }
    if let Some(seconds) = max_backoff {
        options = options.max_backoff(duration(seconds, "/max_backoff")?);
    }
    Ok(options)
}
