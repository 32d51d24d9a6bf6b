//! Rows with 10,000 flags: the cost of one evaluation, of loading, and of memory.

use crate::contestant::Contestant;
use crate::measure::Effort;
use crate::report::{Cell, Row, Unit};
use crate::workload::Workload;

use super::{Field, Task};

const FLAGS: usize = 10_000;
const TENANTS: usize = 1_000;
const PAIRS: usize = 16_384;

const ROWS: [(&str, f64); 2] = [
    ("10,000 flags loaded: one evaluation by name", 150.0),
    ("10,000 flags: load, from JSON bytes to ready", 10_000_000.0),
];

pub fn rows(effort: Effort) -> Result<Vec<Row>, String> {
    let workload = Workload::new(FLAGS, TENANTS);
    let field = Field::new(&workload)?;
    let pairs = workload.pairs(PAIRS);
    field.verify(|contestant| contestant.verify_pairs(&workload, &pairs))?;

    let tasks = [
        Task::new(Cell::time, |contestant| contestant.by_name(&workload, &pairs)),
        Task::new(Cell::time, |contestant| contestant.load(&workload)),
    ];
    let mut rows: Vec<Row> = ROWS
        .into_iter()
        .zip(field.measure(effort, &tasks))
        .map(|((what, bar), (ours, peers))| Row { bar: Some(bar), peers, ..Row::context(what, ours) })
        .collect();
    rows.push(memory_row(&workload, &field)?);
    Ok(rows)
}

fn memory_row(workload: &Workload, field: &Field<'_>) -> Result<Row, String> {
    let per_flag = |contestant: &dyn Contestant| {
        let kept = contestant.kept_bytes(workload)?;
        Ok::<_, String>(Cell::bytes(kept as f64 / FLAGS as f64))
    };
    let ours = per_flag(&*field.ours)?;
    let mut peers = Vec::new();
    for entrant in &field.peers {
        peers.push(entrant.cell(per_flag(&*entrant.contestant)?));
    }
    let context = Row::context("10,000 flags: memory kept per flag", ours);
    Ok(Row { unit: Unit::BytesAFlag, bar: Some(200.0), peers, ..context })
}
