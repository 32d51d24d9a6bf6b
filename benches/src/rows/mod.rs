//! The rows of the table, by subject; each module verifies what it measures before it measures it.

pub mod access;
pub mod flags;
pub mod large;
pub mod population;

use crate::engine::{FlagEngine, Loaded};
use crate::measure::{Measured, Work, short};
use crate::peers::Peer;
use crate::peers::eppo::Eppo;
use crate::peers::launchdarkly::LaunchDarkly;
use crate::peers::unleash::Unleash;
use crate::report::Cell;
use crate::workload::Workload;

/// The flag peers in the order in which every flag row lists its figures after ours.
const FLAG_PEERS: [Peer; 3] = [Peer::Eppo, Peer::Unleash, Peer::LaunchDarkly];

/// Everybody, loaded with the same workload.
struct Field<Ours: FlagEngine> {
    ours: Loaded<Ours>,
    eppo: Loaded<Eppo>,
    unleash: Loaded<Unleash>,
    launchdarkly: Loaded<LaunchDarkly>,
}

impl<Ours: FlagEngine> Field<Ours> {
    fn new(workload: &Workload) -> Result<Self, String> {
        Ok(Self {
            ours: Loaded::new(workload)?,
            eppo: Loaded::new(workload)?,
            unleash: Loaded::new(workload)?,
            launchdarkly: Loaded::new(workload)?,
        })
    }

    /// Ours first, then the peers in the order of `FLAG_PEERS`, all over the same (flag, tenant) pairs.
    fn by_name<'a>(&'a self, keys: &'a [&'a str], pairs: &'a [(usize, usize)]) -> [Work<'a>; 4] {
        [
            by_name(&self.ours, keys, pairs),
            by_name(&self.eppo, keys, pairs),
            by_name(&self.unleash, keys, pairs),
            by_name(&self.launchdarkly, keys, pairs),
        ]
    }
}

/// The number of pairs must be a power of two, so that taking the next one costs next to nothing.
fn by_name<'a, Engine: FlagEngine>(
    loaded: &'a Loaded<Engine>,
    keys: &'a [&'a str],
    pairs: &'a [(usize, usize)],
) -> Work<'a> {
    assert!(pairs.len().is_power_of_two());
    let mask = pairs.len() - 1;
    short(move |repetition| {
        let (flag_index, tenant_index) = pairs[repetition as usize & mask];
        let subject = std::hint::black_box(&loaded.subjects[tenant_index]);
        loaded.engine.is_enabled(std::hint::black_box(keys[flag_index]), subject)
    })
}

fn keys(workload: &Workload) -> Vec<&str> {
    workload.flags.iter().map(|flag| flag.key.as_str()).collect()
}

/// Splits measurements in the order of `Field` into our cell and the peers'.
fn cells(measured: &[Measured], cell: fn(Measured) -> Cell) -> (Cell, Vec<(Peer, Cell)>) {
    let peers = FLAG_PEERS.iter().zip(&measured[1..]).map(|(peer, measured)| (*peer, cell(*measured)));
    (cell(measured[0]), peers.collect())
}
