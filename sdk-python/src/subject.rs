//! Subjects: the tenants for which flags are evaluated.

use std::hash::{Hash, Hasher};

use dezky::Code;
use dezky::flags::{Axis, SubjectDocument};
use dezky::limits::MAX_TENANTS;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::document::DocumentArgument;
use crate::fault::Fault;
use crate::writer::Writer;

/// The positional arguments: id, slug and plan.
type Positional<'a> = (&'a str, &'a str, &'a str);

/// A tenant as seen by evaluation: five names, checked once.
#[pyclass(frozen, eq, hash, module = "dezky")]
#[derive(PartialEq, Eq)]
pub(crate) struct Subject(pub(crate) SubjectDocument);

#[pymethods]
impl Subject {
    #[new]
    #[pyo3(signature = (tenant_id, tenant_slug, plan, *, partner_slug=None, environment=None))]
    fn new<'py>(
        tenant_id: &Bound<'py, PyAny>,
        tenant_slug: &Bound<'py, PyAny>,
        plan: &Bound<'py, PyAny>,
        partner_slug: Option<&Bound<'py, PyAny>>,
        environment: Option<&Bound<'py, PyAny>>,
    ) -> Result<Subject, Fault> {
        let names = [
            ("tenantId", Some(tenant_id)),
            ("tenantSlug", Some(tenant_slug)),
            ("plan", Some(plan)),
            ("partnerSlug", partner_slug),
            ("environment", environment),
        ];
        let mut writer = Writer::default();
        writer.raw(b"{");
        let mut given = names.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let written = given.try_for_each(|(name, value)| writer.member(name, |writer| writer.value(value)));
        writer.raw(b"}");
        Ok(Subject(SubjectDocument::from_json(&writer.finish(written)?)?))
    }

    #[getter]
    fn tenant_id(&self) -> &str {
        self.0.subject().tenant_id()
    }

    #[getter]
    fn tenant_slug(&self) -> &str {
        self.name(Axis::TenantSlugs).unwrap_or_default()
    }

    #[getter]
    fn plan(&self) -> &str {
        self.name(Axis::Plans).unwrap_or_default()
    }

    #[getter]
    fn partner_slug(&self) -> Option<&str> {
        self.name(Axis::PartnerSlugs)
    }

    #[getter]
    fn environment(&self) -> Option<&str> {
        self.name(Axis::Environments)
    }

    /// Returns the constructor arguments, for `copy` and `pickle`.
    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<(Positional<'_>, Bound<'py, PyDict>)> {
        let named = PyDict::new(py);
        for (name, value) in [("partner_slug", self.partner_slug()), ("environment", self.environment())] {
            if let Some(value) = value {
                named.set_item(name, value)?;
            }
        }
        Ok(((self.tenant_id(), self.tenant_slug(), self.plan()), named))
    }

    fn __repr__(&self) -> String {
        let mut text = format!("Subject('{}', '{}', '{}'", self.tenant_id(), self.tenant_slug(), self.plan());
        for (name, value) in [("partner_slug", self.partner_slug()), ("environment", self.environment())] {
            if let Some(value) = value {
                text.push_str(&format!(", {name}='{value}'"));
            }
        }
        text + ")"
    }
}

impl Subject {
    /// Converts a subject argument: a `Subject`, or a document of one.
    pub(crate) fn from_argument<'py>(argument: &Bound<'py, PyAny>) -> Result<Bound<'py, Subject>, Fault> {
        if let Ok(subject) = argument.cast::<Subject>() {
            return Ok(subject.clone());
        }
        let document = SubjectDocument::from_json(DocumentArgument::from_value(argument)?.as_bytes())?;
        Bound::new(argument.py(), Subject(document)).map_err(Fault::passthrough)
    }

    /// Converts a list or tuple of subject arguments and collects the problems of all of them.
    pub(crate) fn list_from_argument<'py>(
        argument: &Bound<'py, PyAny>,
    ) -> Result<Vec<Bound<'py, Subject>>, Fault> {
        if !argument.is_instance_of::<PyList>() && !argument.is_instance_of::<PyTuple>() {
            return Err(Fault::new(Code::WrongType, ""));
        }
        let mut subjects = Vec::new();
        let mut fault = Fault::default();
        for (index, item) in argument.try_iter().map_err(Fault::unreadable)?.enumerate() {
            if index == MAX_TENANTS {
                return Err(Fault::new(Code::TooManyItems, ""));
            }
            match Subject::from_argument(&item.map_err(Fault::unreadable)?) {
                Ok(subject) => subjects.push(subject),
                Err(inner) => fault.merge(inner.with_path_prefix(&format!("/{index}"))),
            }
        }
        if fault.is_none() { Ok(subjects) } else { Err(fault) }
    }

    /// Returns the name of the subject on an axis.
    pub(crate) fn name(&self, axis: Axis) -> Option<&str> {
        self.0.subject().value(axis)
    }
}

impl Hash for Subject {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tenant_id().hash(state);
        Axis::ALL.map(|axis| self.name(axis)).hash(state);
    }
}
