//! The known population and its exact answers, worked out without the interpreter lock.

use dezky as core;
use dezky::world::Edit;
use pyo3::prelude::*;

use crate::document::{Document, text};
use crate::fault::Fault;
use crate::results;

/// Every tenant, partner and flag at one revision. It never changes, and any number of threads may ask it.
#[pyclass(frozen, module = "dezky")]
pub(crate) struct World(core::world::World);

#[pymethods]
impl World {
    /// Reads a world document: text, UTF-8 bytes or a dict.
    #[staticmethod]
    #[pyo3(signature = (world, /))]
    fn from_json(py: Python<'_>, world: &Bound<'_, PyAny>) -> PyResult<World> {
        let world = Document::of(world)?.work(py, core::world::World::from_json);
        Ok(World(world.map_err(Fault::from)?))
    }

    /// What an edit would turn on and off, and for whom.
    #[pyo3(signature = (edit, /))]
    fn plan<'py>(&self, py: Python<'py>, edit: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let edit = Edit::from_json(Document::of(edit)?.as_bytes()).map_err(Fault::from)?;
        let plan = py.detach(|| self.0.plan(&edit)).map_err(Fault::from)?;
        results::plan(py, &plan)
    }

    /// The tenants in a flag's scope, in the order in which a rising percentage includes them.
    fn ladder<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let key = text(key, "/key")?;
        let ladder = py.detach(|| self.0.ladder(&key)).map_err(Fault::from)?;
        results::ladder(py, &ladder)
    }

    /// How many tenants have a flag on, are in its scope, and are registered at all.
    fn counts<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let key = text(key, "/key")?;
        let counts = py.detach(|| self.0.counts(&key)).map_err(Fault::from)?;
        results::counts(py, counts)
    }

    /// The fingerprint of every flag for every registered tenant.
    fn fingerprint(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.fingerprint()).as_str().to_owned()
    }

    #[getter]
    fn revision(&self) -> u64 {
        self.0.revision()
    }

    #[getter]
    fn environment(&self) -> &str {
        self.0.environment().as_str()
    }

    /// How many tenants there are that are not terminated.
    #[getter]
    fn registered(&self) -> usize {
        self.0.registered()
    }

    fn __repr__(&self) -> String {
        let (environment, revision) = (self.environment(), self.revision());
        format!("<dezky.World: {} tenants in {environment} at revision {revision}>", self.registered())
    }
}
