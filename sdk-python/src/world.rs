//! The packed population and its exact answers, computed without the interpreter lock.

use dezky as core;
use dezky::world::Edit;
use pyo3::prelude::*;

use crate::document::{DocumentArgument, text};
use crate::fault::Fault;
use crate::results;

/// All tenants, partners and flags at one revision. It is immutable and can be shared by threads.
#[pyclass(frozen, module = "dezky")]
pub(crate) struct World(core::world::World);

#[pymethods]
impl World {
    /// Reads a world document: a string, UTF-8 bytes or a dict.
    #[staticmethod]
    #[pyo3(signature = (world, /))]
    fn from_json(py: Python<'_>, world: &Bound<'_, PyAny>) -> PyResult<World> {
        let world = DocumentArgument::from_value(world)?.work(py, core::world::World::from_json);
        Ok(World(world.map_err(Fault::from)?))
    }

    /// Plans an edit: the tenants that would gain and lose each flag.
    #[pyo3(signature = (edit, /))]
    fn plan<'py>(&self, py: Python<'py>, edit: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let edit = Edit::from_json(DocumentArgument::from_value(edit)?.as_bytes()).map_err(Fault::from)?;
        let plan = py.detach(|| self.0.plan(&edit)).map_err(Fault::from)?;
        results::plan(py, &plan)
    }

    /// Returns the tenants in a flag's scope, ordered by the percentage that includes each.
    fn ladder<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let key = text(key, "/key")?;
        let ladder = py.detach(|| self.0.ladder(&key)).map_err(Fault::from)?;
        results::ladder(py, &ladder)
    }

    /// Counts the tenants that have a flag on, are in its scope, and are registered.
    fn counts<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let key = text(key, "/key")?;
        let counts = py.detach(|| self.0.counts(&key)).map_err(Fault::from)?;
        results::counts(py, counts)
    }

    /// Returns the fingerprint of all flags for all registered tenants.
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

    /// The number of tenants that are not terminated.
    #[getter]
    fn registered(&self) -> usize {
        self.0.registered()
    }

    fn __repr__(&self) -> String {
        let (environment, revision) = (self.environment(), self.revision());
        format!("<dezky.World: {} tenants in {environment} at revision {revision}>", self.registered())
    }
}
