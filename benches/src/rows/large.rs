//! Ten thousand flags: what one evaluation costs among so many, what loading them costs, what keeping them costs.

use crate::agreement::verify_pairs;
use crate::allocations;
use crate::engine::FlagEngine;
use crate::measure::{Effort, Work, interleaved, long};
use crate::ours::Ours;
use crate::peers::eppo::Eppo;
use crate::peers::launchdarkly::LaunchDarkly;
use crate::peers::unleash::Unleash;
use crate::report::{Cell, Row, Unit};
use crate::workload::Workload;

use super::{FLAG_PEERS, Field, cells, keys};

const FLAGS: usize = 10_000;
const TENANTS: usize = 1_000;
const PAIRS: usize = 16_384;

pub fn rows(effort: Effort) -> Result<Vec<Row>, String> {
    let workload = Workload::new(FLAGS, TENANTS);
    Ok(vec![by_name_row(&workload, effort)?, load_row(&workload, effort), memory_row(&workload)?])
}

fn by_name_row(workload: &Workload, effort: Effort) -> Result<Row, String> {
    let field = Field::<Ours>::new(workload)?;
    let pairs = workload.pairs(PAIRS);
    verify_pairs("ours", &field.ours, workload, &pairs)?;
    verify_pairs("eppo", &field.eppo, workload, &pairs)?;
    verify_pairs("unleash", &field.unleash, workload, &pairs)?;
    verify_pairs("launchdarkly", &field.launchdarkly, workload, &pairs)?;
    let keys = keys(workload);
    let measured = interleaved(&mut field.by_name(&keys, &pairs), effort);
    let (ours, peers) = cells(&measured, Cell::time);
    Ok(row("10,000 flags loaded: one evaluation by name", Unit::Nanoseconds, 150.0, ours, peers))
}

fn load_row(workload: &Workload, effort: Effort) -> Row {
    let mut contestants = [
        load::<Ours>(workload),
        load::<Eppo>(workload),
        load::<Unleash>(workload),
        load::<LaunchDarkly>(workload),
    ];
    let (ours, peers) = cells(&interleaved(&mut contestants, effort), Cell::time);
    row("10,000 flags: load, from JSON bytes to ready", Unit::Nanoseconds, 10_000_000.0, ours, peers)
}

/// The bytes are copied before the clock starts, because one peer takes them for its own.
fn load<'a, Engine: FlagEngine + 'a>(workload: &Workload) -> Work<'a> {
    let document = Engine::document(workload);
    long(move || document.clone(), |document| Engine::load(document).is_ok())
}

fn memory_row(workload: &Workload) -> Result<Row, String> {
    let ours = Cell::bytes(kept_per_flag::<Ours>(workload)?);
    let figures = [
        kept_per_flag::<Eppo>(workload)?,
        kept_per_flag::<Unleash>(workload)?,
        kept_per_flag::<LaunchDarkly>(workload)?,
    ];
    let peers = FLAG_PEERS.into_iter().zip(figures.map(Cell::bytes)).collect();
    Ok(row("10,000 flags: memory kept per flag", Unit::BytesAFlag, 200.0, ours, peers))
}

/// The document is made inside, so that an engine that keeps it is counted with it.
fn kept_per_flag<Engine: FlagEngine>(workload: &Workload) -> Result<f64, String> {
    let document = Engine::document(workload);
    let (engine, counted) = allocations::count(|| Engine::load(document.as_slice().to_vec()));
    let engine = engine?;
    drop(engine);
    Ok(counted.kept_bytes as f64 / workload.flags.len() as f64)
}

fn row(
    what: &'static str,
    unit: Unit,
    bar: f64,
    ours: Cell,
    peers: Vec<(crate::peers::Peer, Cell)>,
) -> Row {
    Row { what, unit, ours, bar: Some(bar), bar_of_allocations: false, peers, bar_of_ratio: None }
}
