//! Rows that compare reading through a live client with reading its ruleset.

use crate::contestant::{Contestant, Loaded};
use crate::measure::{Effort, interleaved};
use crate::ours::{Ours, OursLive};
use crate::report::{Cell, Row};
use crate::workload::{State, Workload};

const FLAGS: usize = 100;
const TENANTS: usize = 1_000;
const PAIRS: usize = 1_024;

/// The factor that counts as noise between two equal costs.
const TOLERANCE: f64 = 1.1;

pub fn rows(effort: Effort) -> Result<Vec<Row>, String> {
    let workload = Workload::new(FLAGS, TENANTS);
    let (plain, live) = (Loaded::<Ours>::new(&workload)?, Loaded::<OursLive>::new(&workload)?);
    plain.verify_everything(&workload)?;
    live.verify_everything(&workload)?;
    let pairs = workload.pairs_in_scope(State::Targeted, PAIRS);
    let mut works =
        vec![plain.by_name(&workload, &pairs), live.by_name(&workload, &pairs), plain.all(), live.all()];
    let measured = interleaved(&mut works, effort);
    let names = [
        "`is_enabled` by name: targeted, through a live client (bar: 1.1 times without)",
        "`evaluate_all` through a live client (bar: 1.1 times without)",
    ];
    let rows = names.into_iter().zip(measured.chunks(2)).filter_map(|(what, pair)| {
        let [plain, live] = pair else { return None };
        let bar = Some(plain.nanoseconds * TOLERANCE);
        Some(Row { bar, bar_of_allocations: true, ..Row::context(what, Cell::time_and_allocations(*live)) })
    });
    Ok(rows.collect())
}
