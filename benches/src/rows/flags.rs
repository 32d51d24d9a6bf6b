//! Rows with 100 flags: one flag by name in three states, and all flags for a tenant.

use crate::measure::Effort;
use crate::report::{Cell, Row};
use crate::workload::{State, Workload};

use super::{Field, Task};

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

    let pairs = BY_NAME.map(|ByName { state, .. }| workload.pairs_in_scope(state, PAIRS));
    let mut tasks: Vec<Task<'_>> = pairs
        .iter()
        .map(|pairs| Task::new(Cell::time, |contestant| contestant.by_name(&workload, pairs)))
        .collect();
    tasks.push(Task::new(Cell::time_and_allocations, |contestant| contestant.all()));
    tasks.push(Task::new(Cell::time_and_allocations, |contestant| contestant.subject(&workload)));

    let mut measured = field.measure(effort, &tasks).into_iter();
    let by_name = BY_NAME.iter().zip(measured.by_ref()).map(|(row, (ours, peers))| Row {
        bar: Some(row.bar),
        bar_of_ratio: Some(row.bar_of_ratio),
        peers,
        ..Row::context(row.what, ours)
    });
    let mut rows: Vec<Row> = by_name.collect();
    rows.extend(measured.next().map(|(ours, peers)| Row {
        bar: Some(1_500.0),
        bar_of_allocations: true,
        bar_of_ratio: Some(12.0),
        peers,
        ..Row::context("`evaluate_all`, 100 flags for a tenant", ours)
    }));
    rows.extend(measured.next().map(|(ours, peers)| Row {
        peers,
        ..Row::context("building the subject, which the rows above reuse", ours)
    }));
    Ok(rows)
}
