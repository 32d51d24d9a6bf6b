//! Compiled rules, and the answers of all flags for one tenant.

use dezky as core;
use dezky::flags::Snapshot;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyIterator, PyString, PyTuple, PyType};

use crate::document::{DocumentArgument, text};
use crate::fault::Fault;
use crate::results;
use crate::subject::Subject;

static FLAGS: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// A compiled snapshot. It is immutable and can be shared by threads.
#[pyclass(frozen, generic, module = "dezky")]
pub(crate) struct Ruleset {
    rules: core::flags::Ruleset,
    #[pyo3(get)]
    digest: String,
    /// The keys of all flags, sorted.
    #[pyo3(get)]
    keys: Py<PyTuple>,
    /// A dict with every flag off, copied for each tenant.
    all_off: Py<PyDict>,
}

#[pymethods]
impl Ruleset {
    /// Compiles a snapshot document: a string, UTF-8 bytes or a dict.
    #[staticmethod]
    #[pyo3(signature = (snapshot, /))]
    fn from_snapshot<'py>(py: Python<'py>, snapshot: &Bound<'py, PyAny>) -> PyResult<Ruleset> {
        let compile = |bytes: &[u8]| {
            let snapshot = Snapshot::from_json(bytes)?;
            let digest = snapshot.digest().as_str().to_owned();
            Ok::<_, core::Error>((core::flags::Ruleset::new(snapshot), digest))
        };
        let (rules, digest) =
            DocumentArgument::from_value(snapshot)?.work(py, compile).map_err(Fault::from)?;
        Ruleset::from_core(py, rules, digest)
    }

    /// Evaluates every flag for one tenant.
    #[pyo3(signature = (subject, /))]
    pub(crate) fn for_tenant<'py>(
        slf: &Bound<'py, Ruleset>,
        subject: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        FLAGS.import(slf.py(), "dezky._flags", "Flags")?.call1((slf, subject))
    }

    /// Returns whether a flag is on for a tenant. An unknown flag is off.
    fn is_enabled(&self, key: &Bound<'_, PyAny>, subject: &Bound<'_, PyAny>) -> PyResult<bool> {
        let key = text(key, "/key")?;
        let subject = Subject::from_argument(subject)?;
        Ok(self.rules.is_enabled(&key, &subject.get().0.subject()))
    }

    /// Returns the SHA-256 of all answers for the subjects, equal in every runtime.
    #[pyo3(signature = (subjects, /))]
    fn fingerprint(&self, py: Python<'_>, subjects: &Bound<'_, PyAny>) -> PyResult<String> {
        if let Some(document) = DocumentArgument::from_json(subjects)? {
            let fingerprint = document.work(py, |bytes| core::host::fingerprint(&self.rules, bytes));
            return Ok(fingerprint.map_err(Fault::from)?);
        }
        let subjects = Subject::list_from_argument(subjects)?;
        let subjects: Vec<_> = subjects.iter().map(|subject| subject.get().0.subject()).collect();
        Ok(py.detach(|| self.rules.fingerprint(&subjects)).as_str().to_owned())
    }

    #[getter]
    fn revision(&self) -> u64 {
        self.rules.revision()
    }

    #[getter]
    fn environment(&self) -> &str {
        self.rules.environment()
    }

    fn __repr__(&self) -> String {
        let (revision, environment) = (self.revision(), self.environment());
        format!("<dezky.Ruleset: {} flags of {environment} at revision {revision}>", self.rules.keys().len())
    }
}

impl Ruleset {
    /// Wraps compiled rules and prepares the keys and the dict of answers.
    pub(crate) fn from_core(
        py: Python<'_>,
        rules: core::flags::Ruleset,
        digest: String,
    ) -> PyResult<Ruleset> {
        let keys = PyTuple::new(py, rules.keys())?;
        let all_off = PyDict::new(py);
        keys.iter().try_for_each(|key| all_off.set_item(key, false))?;
        Ok(Ruleset { rules, digest, keys: keys.into(), all_off: all_off.into() })
    }

    /// Returns whether this object wraps the given rules.
    pub(crate) fn wraps(&self, rules: &core::flags::Ruleset) -> bool {
        self.rules.ptr_eq(rules)
    }
}

/// The answers of all flags for one tenant.
#[pyclass(frozen, generic, subclass, module = "dezky")]
pub(crate) struct Flags {
    ruleset: Py<Ruleset>,
    subject: Py<Subject>,
    /// The answers by key. A dict, because Python reads it fastest. Callers get copies only.
    answers: Py<PyDict>,
}

#[pymethods]
impl Flags {
    #[new]
    #[pyo3(signature = (rules, subject, /))]
    fn new<'py>(rules: &Bound<'py, Ruleset>, subject: &Bound<'py, PyAny>) -> PyResult<Flags> {
        let subject = Subject::from_argument(subject)?;
        let Ruleset { rules: compiled, keys, all_off, .. } = rules.get();
        let evaluation = compiled.evaluate_all(&subject.get().0.subject());
        let answers = all_off.bind(rules.py()).copy()?;
        for (key, (_, enabled)) in keys.bind(rules.py()).iter().zip(evaluation.iter()) {
            if enabled {
                answers.set_item(key, true)?;
            }
        }
        Ok(Flags { ruleset: rules.clone().unbind(), subject: subject.unbind(), answers: answers.unbind() })
    }

    /// Explains why a flag is on or off. An unknown flag has the reason `unknown_flag`.
    fn explain<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let key = text(key, "/key")?;
        let subject = self.subject.get().0.subject();
        results::explanation(py, &self.ruleset.get().rules.explain(&key, &subject))
    }

    /// Returns the answers of all flags by key, as a new dict.
    fn all<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.answers.bind(py).copy()
    }

    /// Returns the keys of the flags that are on, sorted.
    fn enabled_keys<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut enabled = Vec::new();
        for (key, answer) in self.all(py)? {
            if answer.is_truthy()? {
                enabled.push(key);
            }
        }
        Ok(enabled)
    }

    /// Returns the answers for a web page: `{"revision", "environment", "flags"}`.
    fn results<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let rules = self.ruleset.get();
        let results = PyDict::new(py);
        results.set_item("revision", rules.revision())?;
        results.set_item("environment", rules.environment())?;
        results.set_item("flags", self.all(py)?)?;
        Ok(results)
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.find(key)?.ok_or_else(|| PyKeyError::new_err(key.clone().unbind()))
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.find(key)?.is_some())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.answers.bind(py).try_iter()
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.answers.bind(py).len()
    }

    fn __repr__(&self) -> String {
        let tenant = self.subject.get().0.subject().tenant_id();
        format!("<dezky.Flags: tenant {tenant} at revision {}>", self.ruleset.get().revision())
    }
}

impl Flags {
    /// Returns the answer of a flag if the flag exists.
    ///
    /// Inlined, because every read passes through it.
    #[inline(always)]
    fn find<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let answers = self.answers.bind(key.py());
        if key.is_exact_instance_of::<PyString>()
            && let Some(answer) = answers.get_item(key)?
        {
            return Ok(Some(answer));
        }
        // A subclass of `str` may override comparison and hashing, so only its text counts.
        answers.get_item(text(key, "/key")?)
    }
}
