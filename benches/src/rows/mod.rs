//! The rows of the report by topic. Each module verifies the answers before it measures.

pub mod access;
pub mod choices;
pub mod flags;
pub mod large;
pub mod live;
pub mod population;

use crate::contestant::{Contestant, Loaded};
use crate::engine::FlagEngine;
use crate::measure::{Effort, Measured, Work, interleaved};
use crate::ours::Ours;
use crate::peers::Peer;
use crate::peers::eppo::{Eppo, EppoEvaluator};
use crate::peers::launchdarkly::LaunchDarkly;
use crate::peers::unleash::{Unleash, UnleashEngine};
use crate::report::{Cell, Way};
use crate::workload::Workload;

/// All flag engines, loaded with the same workload.
struct Field<'w> {
    ours: Box<dyn Contestant + 'w>,
    peers: Vec<Entrant<'w>>,
}

struct Entrant<'w> {
    peer: Peer,
    way: Way,
    note: &'static str,
    contestant: Box<dyn Contestant + 'w>,
}

impl<'w> Field<'w> {
    fn new(workload: &'w Workload) -> Result<Self, String> {
        Ok(Self {
            ours: Box::new(Loaded::<Ours>::new(workload)?),
            peers: vec![
                entrant::<Eppo>(workload, Peer::Eppo, Way::Shortcut, "core function")?,
                entrant::<EppoEvaluator>(workload, Peer::Eppo, Way::Usual, "evaluator")?,
                entrant::<Unleash>(workload, Peer::Unleash, Way::Shortcut, "compiled rule")?,
                entrant::<UnleashEngine>(workload, Peer::Unleash, Way::Usual, "engine")?,
                entrant::<LaunchDarkly>(workload, Peer::LaunchDarkly, Way::Usual, "")?,
            ],
        })
    }

    fn verify(&self, verify: impl Fn(&dyn Contestant) -> Result<(), String>) -> Result<(), String> {
        verify(&*self.ours).map_err(|problem| format!("ours: {problem}"))?;
        for Entrant { peer, note, contestant, .. } in &self.peers {
            verify(&**contestant).map_err(|problem| format!("{} {note}: {problem}", peer.package()))?;
        }
        Ok(())
    }

    /// Times all engines at every task in the same rounds and returns the cells of each task.
    ///
    /// A slow second of the machine spoils a few rounds of every row, not all rounds of one row.
    fn measure<'a>(&'a self, effort: Effort, tasks: &[Task<'a>]) -> Vec<(Cell, Vec<(Peer, Cell)>)> {
        let mut works: Vec<Work<'a>> = Vec::new();
        for Task { work, .. } in tasks {
            works.push(work(&*self.ours));
            works.extend(self.peers.iter().map(|entrant| work(&*entrant.contestant)));
        }
        let measured = interleaved(&mut works, effort);
        let rows = tasks.iter().zip(measured.chunks(1 + self.peers.len()));
        rows.map(|(task, measured)| self.cells(measured, task.cell)).collect()
    }

    fn cells(&self, measured: &[Measured], cell: fn(Measured) -> Cell) -> (Cell, Vec<(Peer, Cell)>) {
        let peers = self.peers.iter().zip(&measured[1..]);
        (cell(measured[0]), peers.map(|(entrant, measured)| entrant.cell(cell(*measured))).collect())
    }
}

/// A timed task and the format of its figure.
struct Task<'a> {
    work: Box<dyn Fn(&'a dyn Contestant) -> Work<'a> + 'a>,
    cell: fn(Measured) -> Cell,
}

impl<'a> Task<'a> {
    fn new(cell: fn(Measured) -> Cell, work: impl Fn(&'a dyn Contestant) -> Work<'a> + 'a) -> Self {
        Self { work: Box::new(work), cell }
    }
}

impl Entrant<'_> {
    fn cell(&self, cell: Cell) -> (Peer, Cell) {
        (self.peer, Cell { way: self.way, note: self.note, ..cell })
    }
}

fn entrant<'w, Engine: FlagEngine + 'w>(
    workload: &'w Workload,
    peer: Peer,
    way: Way,
    note: &'static str,
) -> Result<Entrant<'w>, String> {
    let contestant = Box::new(Loaded::<Engine>::new(workload)?);
    Ok(Entrant { peer, way, note, contestant })
}
