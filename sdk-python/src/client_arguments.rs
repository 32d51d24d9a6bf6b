//! What a client is made with: its options, its key, and its handlers.

use std::time::Duration;

use dezky as core;
use dezky::{ClientEvent, Key};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyString, PyTuple, PyType};

use crate::fault::Fault;

static EVENT: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Calls a Python function with each event, or each of one name. What it raises is told to `sys.unraisablehook`.
pub(crate) fn caller(
    handler: &Bound<'_, PyAny>,
    name: Option<&'static str>,
) -> PyResult<impl Fn(&ClientEvent) + Send + Sync + 'static> {
    if !handler.is_callable() {
        return Err(PyTypeError::new_err("a handler is callable"));
    }
    let handler = handler.clone().unbind();
    Ok(move |event: &ClientEvent| {
        if name.is_some_and(|name| name != event.name()) {
            return;
        }
        // An interpreter that is shutting down calls nobody.
        Python::try_attach(|py| {
            let handler = handler.bind(py);
            if let Err(error) = told(py, event).and_then(|event| handler.call1((event,))) {
                error.write_unraisable(py, Some(handler));
            }
        });
    })
}

/// An event as a `ClientEvent` of `dezky._client`.
fn told<'py>(py: Python<'py>, event: &ClientEvent) -> PyResult<Bound<'py, PyAny>> {
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

/// A key as it is, or a function that is called for one on a thread of its own.
pub(crate) fn credential(key: &Bound<'_, PyAny>) -> Result<Key, Fault> {
    if let Ok(text) = key.cast::<PyString>() {
        return Ok(Key::from(
            &*text.to_cow().map_err(|_| refused("/key", "a key is visible ASCII characters"))?,
        ));
    }
    if !key.is_callable() {
        return Err(refused("/key", "a key is a text, or a function that gives one"));
    }
    let source = key.clone().unbind();
    Ok(Key::try_from_fn(move || {
        let ask = |py: Python<'_>| -> PyResult<String> { source.bind(py).call0()?.extract() };
        match Python::try_attach(ask) {
            Some(asked) => asked.map_err(|error| error.to_string()),
            None => Err("the interpreter is shutting down".to_owned()),
        }
    }))
}

pub(crate) fn word(argument: &Bound<'_, PyAny>, path: &'static str) -> Result<String, Fault> {
    match argument.cast::<PyString>().ok().and_then(|text| text.to_cow().ok().map(|text| text.into_owned())) {
        Some(text) => Ok(text),
        None => Err(refused(path, "this is a text")),
    }
}

pub(crate) fn duration(argument: &Bound<'_, PyAny>, path: &'static str) -> Result<Duration, Fault> {
    let seconds = if argument.is_instance_of::<PyBool>() { None } else { argument.extract::<f64>().ok() };
    match seconds.map(Duration::try_from_secs_f64) {
        Some(Ok(duration)) => Ok(duration),
        _ => Err(refused(path, "this is a number of seconds, zero or more")),
    }
}

pub(crate) fn refused(path: &'static str, message: &'static str) -> Fault {
    Fault::told(core::ClientCode::InvalidOption.as_str(), path, message)
}
