//! Functions without state: access decisions, normal forms, changed keys, rollout positions.

use dezky as core;
use dezky::Code;
use dezky::access::AccessRequest;
use dezky::flags::Snapshot;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::document::{DocumentArgument, text};
use crate::fault::Fault;
use crate::results;
use crate::writer::Writer;

/// Decides whether a principal may perform an action on a resource, and returns the reason.
#[pyfunction]
#[pyo3(signature = (principal, action, resource=None))]
pub(crate) fn can<'py>(
    principal: &Bound<'py, PyAny>,
    action: &Bound<'py, PyAny>,
    resource: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut writer = Writer::default();
    writer.raw(b"{");
    let written = write_part(&mut writer, "principal", principal)
        .and_then(|()| writer.member("action", |writer| writer.value(action)))
        .and_then(|()| resource.map_or(Ok(()), |resource| write_part(&mut writer, "resource", resource)));
    writer.raw(b"}");
    decision(principal.py(), &writer.finish(written)?)
}

/// Decides an access question from one document, `{principal, action, resource}`.
#[pyfunction]
#[pyo3(signature = (question, /))]
pub(crate) fn decide<'py>(question: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    decision(question.py(), DocumentArgument::from_value(question)?.as_bytes())
}

fn decision<'py>(py: Python<'py>, question: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let request = AccessRequest::from_json(question).map_err(Fault::from)?;
    results::decision(py, request.decide())
}

/// Writes one part of the question, a value or JSON text.
///
/// JSON text must be exactly one value. Otherwise it could add members outside its part.
fn write_part(writer: &mut Writer, name: &str, argument: &Bound<'_, PyAny>) -> Result<(), Fault> {
    writer.member(name, |writer| {
        let json = DocumentArgument::from_json(argument).and_then(|json| json.map(single_value).transpose());
        match json.map_err(|fault| fault.with_path_prefix(&format!("/{name}")))? {
            Some(text) => writer.raw(text.as_bytes()),
            None => writer.value(argument)?,
        }
        Ok(())
    })
}

/// Returns the text if it is exactly one JSON value, valid for core or not.
fn single_value(text: DocumentArgument<'_>) -> Result<DocumentArgument<'_>, Fault> {
    use Code::{DocumentTooLarge, DuplicateMember, InvalidJson, InvalidUtf8, TooDeep};
    match AccessRequest::from_json(text.as_bytes()) {
        Err(error)
            if matches!(
                error.code,
                DocumentTooLarge | DuplicateMember | InvalidJson | InvalidUtf8 | TooDeep
            ) =>
        {
            Err(error.into())
        }
        _ => Ok(text),
    }
}

/// Returns the normal form of a snapshot or of a document of the model, as JSON text.
#[pyfunction]
#[pyo3(signature = (kind, document, /))]
pub(crate) fn normalize(py: Python<'_>, kind: &str, document: &Bound<'_, PyAny>) -> PyResult<String> {
    let document = DocumentArgument::from_value(document)?;
    let normal = document.work(py, |bytes| core::host::normalize(kind, bytes));
    let normal = normal.ok_or_else(|| PyValueError::new_err("this kind of document does not exist"))?;
    Ok(normal.map_err(Fault::from)?)
}

/// Returns the sorted keys of the flags that differ between two snapshots or exist in one only.
#[pyfunction]
#[pyo3(signature = (before, after, /))]
pub(crate) fn changed_keys(
    py: Python<'_>,
    before: &Bound<'_, PyAny>,
    after: &Bound<'_, PyAny>,
) -> PyResult<Vec<String>> {
    let read = |document| -> Result<Snapshot, Fault> {
        Ok(DocumentArgument::from_value(document)?.work(py, Snapshot::from_json)?)
    };
    let (before, after) = (read(before)?, read(after)?);
    Ok(after.changed_keys(&before).into_iter().map(|key| key.as_str().to_owned()).collect())
}

/// Returns the position of a tenant in the rollout of a flag, in hundredths of a percent, 0–9999.
#[pyfunction]
pub(crate) fn rollout_position(tenant_id: &Bound<'_, PyAny>, key: &Bound<'_, PyAny>) -> PyResult<u16> {
    match (text(tenant_id, "/tenantId"), text(key, "/key")) {
        (Ok(tenant_id), Ok(key)) => Ok(core::flags::rollout_position(&tenant_id, &key)),
        (tenant_id, key) => {
            let mut fault = Fault::default();
            [tenant_id, key].into_iter().filter_map(Result::err).for_each(|each| fault.merge(each));
            Err(fault.into())
        }
    }
}
