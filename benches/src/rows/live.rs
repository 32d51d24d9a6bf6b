//! Reading through a live client, beside reading the ruleset that it holds.

use crate::contestant::{Contestant, Loaded};
use crate::measure::{Effort, interleaved};
use crate::ours::{Ours, OursLive};
use crate::report::{Cell, Row};
use crate::workload::{State, Workload};

const FLAGS: usize = 100;
const TENANTS: usize = 1_000;
const PAIRS: usize = 1_024;

/// What may pass for noise between two things that cost the same.
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
    let whats = [
        "`is_enabled` by name: targeted, through a live client (bar: as without)",
        "`evaluate_all` through a live client (bar: as without)",
    ];
    let rows = whats.into_iter().zip(measured.chunks(2)).filter_map(|(what, pair)| {
        let [plain, live] = pair else { return None };
        let bar = Some(plain.nanoseconds * TOLERANCE);
        Some(Row { bar, bar_of_allocations: true, ..Row::context(what, Cell::time_and_allocations(*live)) })
    });
    Ok(rows.collect())
}
