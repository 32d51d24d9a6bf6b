//! A hundred thousand tenants: the plan of an edit and the fingerprint, which no peer can answer at all.

use std::hint::black_box;

use sha2::{Digest, Sha256};

use crate::engine::{FlagEngine, Loaded};
use crate::measure::{Effort, interleaved, long};
use crate::ours::{self, Ours};
use crate::report::{Cell, Row, Unit};
use crate::workload::{State, Workload};

const FLAGS: usize = 100;
const TENANTS: usize = 100_000;

/// The edit raises one rollout within two plans from the first to the second percentage.
const EDIT: (u32, u32) = (10, 25);

pub fn rows(effort: Effort) -> Result<Vec<Row>, String> {
    let workload = Workload::new(FLAGS, TENANTS);
    Ok(vec![plan_row(&workload, effort)?, fingerprint_row(&workload, effort)?])
}

fn plan_row(workload: &Workload, effort: Effort) -> Result<Row, String> {
    let edited = workload
        .flags
        .iter()
        .find(|flag| flag.state == State::Rollout)
        .ok_or("the workload has no rollout")?;
    let world = ours::world(workload, &edited.key, EDIT.0)?;
    let edit = ours::edit(workload, edited, EDIT.1)?;

    let in_scope = (0..TENANTS).filter(|&tenant_index| workload.in_scope(edited, tenant_index)).count();
    let expected = in_scope as f64 * f64::from(EDIT.1 - EDIT.0) / 100.0;
    let (gained, lost) = ours::plan_size(&world, &edit)?;
    if lost != 0 || (gained as f64 / expected - 1.0).abs() > 0.1 {
        return Err(format!("the plan gains {gained} and loses {lost}, expected about {expected} and 0"));
    }

    let work = long(|| (), |()| ours::plan(black_box(&world), black_box(&edit)));
    Ok(row("plan of a one-flag edit (10 → 25 %, 2 plans) over 100,000 tenants", 20_000_000.0, work, effort))
}

fn fingerprint_row(workload: &Workload, effort: Effort) -> Result<Row, String> {
    let loaded = Loaded::<Ours>::new(workload)?;
    let fingerprint = ours::fingerprint(&loaded.engine, &loaded.subjects);
    let expected = independent_fingerprint(workload, &loaded);
    if fingerprint != expected {
        return Err(format!("the fingerprint is {fingerprint}, computed independently {expected}"));
    }
    let work = long(|| (), |()| ours::fingerprint(black_box(&loaded.engine), black_box(&loaded.subjects)));
    Ok(row("fingerprint of 100,000 tenants × 100 flags", 250_000_000.0, work, effort))
}

/// As the semantics say it: a line per tenant in the order of ids, a digit per flag in the order of keys.
fn independent_fingerprint(workload: &Workload, loaded: &Loaded<Ours>) -> String {
    let mut order: Vec<usize> = (0..TENANTS).collect();
    order.sort_by(|&left, &right| workload.tenants[left].id.cmp(&workload.tenants[right].id));
    let mut digest = Sha256::new();
    for tenant_index in order {
        let subject = &loaded.subjects[tenant_index];
        let mut line = format!("{}:", workload.tenants[tenant_index].id);
        line.extend(workload.flags.iter().map(|flag| match loaded.engine.is_enabled(&flag.key, subject) {
            true => '1',
            false => '0',
        }));
        line.push('\n');
        digest.update(line.as_bytes());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn row(what: &'static str, bar: f64, work: crate::measure::Work<'_>, effort: Effort) -> Row {
    let measured = interleaved(&mut [work], effort);
    Row {
        what,
        unit: Unit::Nanoseconds,
        ours: Cell::time(measured[0]),
        bar: Some(bar),
        bar_of_allocations: false,
        peers: Vec::new(),
        bar_of_ratio: None,
    }
}
