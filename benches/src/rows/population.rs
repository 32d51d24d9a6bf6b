//! Rows with 100,000 tenants: a plan and a fingerprint, which no peer offers.

use std::hint::black_box;

use sha2::{Digest, Sha256};

use crate::contestant::Loaded;
use crate::engine::FlagEngine;
use crate::measure::{Effort, Work, interleaved, long};
use crate::ours::{self, Edit, Ours, World};
use crate::report::{Cell, Row};
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

    verify_plan(workload, &edited.key, &world, &edit)?;

    let work = long(|| (), |()| ours::plan(black_box(&world), black_box(&edit)));
    Ok(row("plan of a one-flag edit (10 → 25 %, 2 plans) over 100,000 tenants", 20_000_000.0, work, effort))
}

/// Compares the plan with an evaluation of every tenant before and after the edit.
fn verify_plan(workload: &Workload, key: &str, world: &World, edit: &Edit) -> Result<(), String> {
    let before = ours::with_percent(workload, key, EDIT.0)?;
    let after = ours::with_percent(workload, key, EDIT.1)?;
    let mut expected: Vec<&str> = workload
        .tenants
        .iter()
        .filter(|tenant| {
            let subject = Ours::subject(tenant);
            after.is_enabled(key, &subject) && !before.is_enabled(key, &subject)
        })
        .map(|tenant| tenant.id.as_str())
        .collect();
    expected.sort_unstable();
    let (gained, lost) = ours::plan_effect(world, edit)?;
    match gained == expected && lost == 0 && !expected.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "the plan gains {} and loses {lost}, expected {} and 0",
            gained.len(),
            expected.len()
        )),
    }
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

/// Computes the fingerprint line by line: tenants ordered by id, one digit per flag by key.
fn independent_fingerprint(workload: &Workload, loaded: &Loaded<'_, Ours>) -> String {
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

fn row(what: &'static str, bar: f64, work: Work<'_>, effort: Effort) -> Row {
    let measured = interleaved(&mut [work], effort);
    Row { bar: Some(bar), ..Row::context(what, Cell::time(measured[0])) }
}
