//! The functions that need no state: access, normal forms, differences, positions.

use dezky as core;
use dezky::Code;
use dezky::access::AccessRequest;
use dezky::flags::Snapshot;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::document::{Document, text};
use crate::fault::Fault;
use crate::results;
use crate::writer::Writer;

/// Whether a principal may do an action to a resource, and why.
#[pyfunction]
#[pyo3(signature = (principal, action, resource=None))]
pub(crate) fn can<'py>(
    principal: &Bound<'py, PyAny>,
    action: &Bound<'py, PyAny>,
    resource: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut writer = Writer::default();
    writer.raw(b"{");
    let written = part(&mut writer, "principal", principal)
        .and_then(|()| writer.member("action", |writer| writer.value(action)))
        .and_then(|()| resource.map_or(Ok(()), |resource| part(&mut writer, "resource", resource)));
    writer.raw(b"}");
    decision(principal.py(), &writer.finish(written)?)
}

/// The same of one document, `{principal, action, resource}`.
#[pyfunction]
#[pyo3(signature = (question, /))]
pub(crate) fn decide<'py>(question: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    decision(question.py(), Document::of(question)?.as_bytes())
}

fn decision<'py>(py: Python<'py>, question: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let request = AccessRequest::from_json(question).map_err(Fault::from)?;
    results::decision(py, request.decide())
}

/// A part of the question that may be JSON already. It must be one whole value, or it could say more than its part.
fn part(writer: &mut Writer, name: &str, argument: &Bound<'_, PyAny>) -> Result<(), Fault> {
    writer.member(name, |writer| {
        let given = Document::given(argument).and_then(|given| given.map(whole).transpose());
        match given.map_err(|fault| fault.under(&format!("/{name}")))? {
            Some(text) => writer.raw(text.as_bytes()),
            None => writer.value(argument)?,
        }
        Ok(())
    })
}

/// The text, if it is one JSON value, whatever it says.
fn whole(text: Document<'_>) -> Result<Document<'_>, Fault> {
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

/// A document of the model, or a snapshot, as the JSON text in which it is written back.
#[pyfunction]
#[pyo3(signature = (kind, document, /))]
pub(crate) fn normalize(py: Python<'_>, kind: &str, document: &Bound<'_, PyAny>) -> PyResult<String> {
    let document = Document::of(document)?;
    let normal = document.work(py, |bytes| core::host::normalize(kind, bytes));
    let normal = normal.ok_or_else(|| PyValueError::new_err("unknown kind of document"))?;
    Ok(normal.map_err(Fault::from)?)
}

/// The keys, sorted, of the flags that are not the same in two snapshots, or are in one only.
#[pyfunction]
#[pyo3(signature = (before, after, /))]
pub(crate) fn changed_keys(
    py: Python<'_>,
    before: &Bound<'_, PyAny>,
    after: &Bound<'_, PyAny>,
) -> PyResult<Vec<String>> {
    let read =
        |document| -> Result<Snapshot, Fault> { Ok(Document::of(document)?.work(py, Snapshot::from_json)?) };
    let (before, after) = (read(before)?, read(after)?);
    Ok(after.changed_keys(&before).into_iter().map(|key| key.as_str().to_owned()).collect())
}

/// Where a tenant stands in the rollout of a flag: whole hundredths of a percent, 0 to 9999.
#[pyfunction]
pub(crate) fn rollout_position(tenant_id: &Bound<'_, PyAny>, key: &Bound<'_, PyAny>) -> PyResult<u16> {
    match (text(tenant_id, "/tenantId"), text(key, "/key")) {
        (Ok(tenant_id), Ok(key)) => Ok(core::flags::rollout_position(&tenant_id, &key)),
        (tenant_id, key) => {
            let mut fault = Fault::default();
            [tenant_id, key].into_iter().filter_map(Result::err).for_each(|each| fault.join(each));
            Err(fault.into())
        }
    }
}
