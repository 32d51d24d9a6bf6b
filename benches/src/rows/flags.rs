//! A hundred flags: one by name in each state that costs something, and all of them for a tenant.

use crate::measure::Effort;
use crate::report::{Cell, Row};
use crate::workload::{State, Workload};

use super::Field;

const FLAGS: usize = 100;
const TENANTS: usize = 1_000;
const PAIRS: usize = 1_024;

struct ByName {
    what: &'static str,
    state: State,
    bar: f64,
    bar_of_ratio: f64,
}

const BY_NAME: [ByName; 3] = [
    ByName { what: "`is_enabled` by name: off", state: State::Off, bar: 15.0, bar_of_ratio: 2.5 },
    ByName {
        what: "`is_enabled` by name: targeted, in scope",
        state: State::Targeted,
        bar: 35.0,
        bar_of_ratio: 5.0,
    },
    ByName {
        what: "`is_enabled` by name: rollout that hashes",
        state: State::Rollout,
        bar: 110.0,
        bar_of_ratio: 2.5,
    },
];

pub fn rows(effort: Effort) -> Result<Vec<Row>, String> {
    let workload = Workload::new(FLAGS, TENANTS);
    let field = Field::new(&workload)?;
    field.verify(|contestant| contestant.verify_everything(&workload))?;

    let by_name = BY_NAME.iter().map(|row| by_name_row(row, &workload, &field, effort));
    Ok(by_name.chain([all_row(&field, effort), subject_row(&workload, &field, effort)]).collect())
}

fn by_name_row(row: &ByName, workload: &Workload, field: &Field<'_>, effort: Effort) -> Row {
    let pairs = workload.pairs_in_scope(row.state, PAIRS);
    let (ours, peers) = field.measure(effort, |contestant| contestant.by_name(workload, &pairs), Cell::time);
    Row { bar: Some(row.bar), bar_of_ratio: Some(row.bar_of_ratio), peers, ..Row::context(row.what, ours) }
}

fn all_row(field: &Field<'_>, effort: Effort) -> Row {
    let (ours, peers) = field.measure(effort, |contestant| contestant.all(), Cell::time_and_allocations);
    Row {
        bar: Some(1_500.0),
        bar_of_allocations: true,
        bar_of_ratio: Some(12.0),
        peers,
        ..Row::context("`evaluate_all`, 100 flags for a tenant", ours)
    }
}

fn subject_row(workload: &Workload, field: &Field<'_>, effort: Effort) -> Row {
    let (ours, peers) =
        field.measure(effort, |contestant| contestant.subject(workload), Cell::time_and_allocations);
    Row { peers, ..Row::context("making the subject, which the rows above reuse", ours) }
}
