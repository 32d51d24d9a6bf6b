//! Conversion of answers to the named tuples of `dezky._results`.

use dezky as core;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

macro_rules! result_types {
    ($($name:ident $class:literal)*) => {$(
        fn $name<'py>(py: Python<'py>) -> PyResult<&'py Bound<'py, PyType>> {
            static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
            CLASS.import(py, "dezky._results", $class)
        }
    )*};
}

result_types! {
    explanation_type "Explanation"
    decision_type "Decision"
    plan_type "Plan"
    pair_type "PlanPair"
    plan_total_type "PlanTotal"
    partner_total_type "PartnerTotal"
    warning_type "PlanWarning"
    ladder_type "Ladder"
    step_type "LadderStep"
    counts_type "Counts"
}

type Answer<'py> = PyResult<Bound<'py, PyAny>>;

pub(crate) fn explanation<'py>(py: Python<'py>, explanation: &core::flags::Explanation<'_>) -> Answer<'py> {
    let core::flags::Explanation { key, enabled, reason, axis, position, pct } = explanation;
    let axis = axis.map(core::flags::Axis::as_str);
    explanation_type(py)?.call1((
        key,
        enabled,
        reason.as_str(),
        axis,
        position.map(percent),
        pct.map(percent),
    ))
}

pub(crate) fn decision<'py>(py: Python<'py>, decision: core::access::Decision) -> Answer<'py> {
    decision_type(py)?.call1((decision.allowed, decision.reason.as_str()))
}

pub(crate) fn counts<'py>(py: Python<'py>, counts: core::world::Counts) -> Answer<'py> {
    counts_type(py)?.call1((counts.on, counts.in_scope, counts.registered))
}

pub(crate) fn ladder<'py>(py: Python<'py>, ladder: &core::world::Ladder) -> Answer<'py> {
    let class = step_type(py)?;
    let step = |step: core::world::LadderStep<'_>| {
        class.call1((step.tenant_id, percent(step.position), percent(step.pct)))
    };
    ladder_type(py)?.call1((ladder.key(), tuple(py, ladder.steps().map(step))?))
}

pub(crate) fn plan<'py>(py: Python<'py>, plan: &core::world::Plan) -> Answer<'py> {
    let (pair, by_plan, by_partner) = (pair_type(py)?, plan_total_type(py)?, partner_total_type(py)?);
    let pair = |each: core::world::PlanPair<'_>| pair.call1((each.key, each.tenant_id));
    let by_plan = |each: core::world::PlanTotal<'_>| by_plan.call1((each.plan, each.gained, each.lost));
    let by_partner =
        |each: core::world::PartnerTotal<'_>| by_partner.call1((each.partner_slug, each.gained, each.lost));
    let warning_type = warning_type(py)?;
    let warning = |each: &core::world::Warning| {
        warning_type.call1((
            each.code.as_str(),
            each.path.as_str(),
            each.name.as_deref(),
            each.nearest.as_deref(),
        ))
    };
    plan_type(py)?.call1((
        plan.base_revision(),
        plan.digest().as_str(),
        tuple(py, plan.gained().map(pair))?,
        tuple(py, plan.lost().map(pair))?,
        tuple(py, plan.by_plan().into_iter().map(by_plan))?,
        tuple(py, plan.by_partner().into_iter().map(by_partner))?,
        tuple(py, plan.warnings().iter().map(warning))?,
    ))
}

fn tuple<'py>(py: Python<'py>, items: impl Iterator<Item = Answer<'py>>) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, items.collect::<PyResult<Vec<_>>>()?)
}

/// Returns the nearest float, which prints with the same digits.
fn percent(percent: core::names::Percent) -> f64 {
    f64::from(percent.hundredths()) / 100.0
}
