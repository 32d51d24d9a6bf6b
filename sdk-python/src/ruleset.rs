//! Compiled rules, and every flag's answer for one tenant.

use dezky as core;
use dezky::flags::Snapshot;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyIterator, PyString, PyTuple, PyType};

use crate::document::{Document, text};
use crate::fault::Fault;
use crate::results;
use crate::subject::Subject;

static FLAGS: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// A snapshot ready to answer. It never changes, and any number of threads may ask it.
#[pyclass(frozen, generic, module = "dezky")]
pub(crate) struct Ruleset {
    rules: core::flags::Ruleset,
    #[pyo3(get)]
    digest: String,
    /// Every flag's key, in order.
    #[pyo3(get)]
    keys: Py<PyTuple>,
    /// What a tenant gets for whom everything is off.
    all_off: Py<PyDict>,
}

#[pymethods]
impl Ruleset {
    /// Compiles a snapshot document: text, UTF-8 bytes or a dict.
    #[staticmethod]
    #[pyo3(signature = (snapshot, /))]
    fn from_snapshot<'py>(py: Python<'py>, snapshot: &Bound<'py, PyAny>) -> PyResult<Ruleset> {
        let compile = |bytes: &[u8]| {
            let snapshot = Snapshot::from_json(bytes)?;
            let digest = snapshot.digest().as_str().to_owned();
            Ok::<_, core::Error>((core::flags::Ruleset::new(snapshot), digest))
        };
        let (rules, digest) = Document::of(snapshot)?.work(py, compile).map_err(Fault::from)?;
        Ruleset::of(py, rules, digest)
    }

    /// Every flag for one tenant, evaluated at once.
    #[pyo3(signature = (subject, /))]
    pub(crate) fn for_tenant<'py>(
        slf: &Bound<'py, Ruleset>,
        subject: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        FLAGS.import(slf.py(), "dezky._flags", "Flags")?.call1((slf, subject))
    }

    /// One flag for one tenant. A flag that does not exist is off.
    fn is_enabled(&self, key: &Bound<'_, PyAny>, subject: &Bound<'_, PyAny>) -> PyResult<bool> {
        let key = text(key, "/key")?;
        let subject = Subject::of(subject)?;
        Ok(self.rules.is_enabled(&key, &subject.get().0.subject()))
    }

    /// SHA-256 over every subject's flags: equal wherever the same snapshot and subjects are evaluated.
    #[pyo3(signature = (subjects, /))]
    fn fingerprint(&self, py: Python<'_>, subjects: &Bound<'_, PyAny>) -> PyResult<String> {
        if let Some(document) = Document::given(subjects)? {
            let fingerprint = document.work(py, |bytes| core::host::fingerprint(&self.rules, bytes));
            return Ok(fingerprint.map_err(Fault::from)?);
        }
        let subjects = Subject::list_of(subjects)?;
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
    /// These rules, with what is handed out again and again.
    pub(crate) fn of(py: Python<'_>, rules: core::flags::Ruleset, digest: String) -> PyResult<Ruleset> {
        let keys = PyTuple::new(py, rules.keys())?;
        let all_off = PyDict::new(py);
        keys.iter().try_for_each(|key| all_off.set_item(key, false))?;
        Ok(Ruleset { rules, digest, keys: keys.into(), all_off: all_off.into() })
    }

    /// Whether it is made of these very rules.
    pub(crate) fn is_of(&self, rules: &core::flags::Ruleset) -> bool {
        self.rules.ptr_eq(rules)
    }
}

/// Every flag's answer for one tenant.
#[pyclass(frozen, generic, subclass, module = "dezky")]
pub(crate) struct Flags {
    ruleset: Py<Ruleset>,
    subject: Py<Subject>,
    /// By key. A dict, because nothing is read as fast from Python; never handed out itself.
    answers: Py<PyDict>,
}

#[pymethods]
impl Flags {
    #[new]
    #[pyo3(signature = (rules, subject, /))]
    fn new<'py>(rules: &Bound<'py, Ruleset>, subject: &Bound<'py, PyAny>) -> PyResult<Flags> {
        let subject = Subject::of(subject)?;
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

    /// Why a flag is on or off. A flag that does not exist has the reason `unknown_flag`.
    fn explain<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let key = text(key, "/key")?;
        let subject = self.subject.get().0.subject();
        results::explanation(py, &self.ruleset.get().rules.explain(&key, &subject))
    }

    /// Every flag's answer, by key.
    fn all<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.answers.bind(py).copy()
    }

    /// The keys of the flags that are on, in order.
    fn enabled_keys<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut enabled = Vec::new();
        for (key, answer) in self.all(py)? {
            if answer.is_truthy()? {
                enabled.push(key);
            }
        }
        Ok(enabled)
    }

    /// What a page that only reads answers is sent: `{"revision", "environment", "flags"}`.
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
        format!("<dezky.Flags: those of {tenant} at revision {}>", self.ruleset.get().revision())
    }
}

impl Flags {
    /// A flag's answer, if there is such a flag. Every read comes through here: it is worth its place in each of them.
    #[inline(always)]
    fn find<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let answers = self.answers.bind(key.py());
        if key.is_exact_instance_of::<PyString>()
            && let Some(answer) = answers.get_item(key)?
        {
            return Ok(Some(answer));
        }
        // By its text alone: a subclass of `str` may compare and hash as it likes.
        answers.get_item(text(key, "/key")?)
    }
}
