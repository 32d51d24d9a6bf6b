//! Interleaved loads: the rounds of all sides alternate, so that a slow second affects all.

use std::time::Duration;

use crate::digits::three_digits;
use crate::load::{Generator, Round};
use crate::process::Server;
use crate::report::{middle, time};
use crate::{Effort, Failure};

/// A server and its load.
pub struct Side<'s> {
    /// The server whose CPU time counts.
    pub server: &'s Server,
    /// The generator of its load.
    pub generator: Generator,
}

/// The rounds of one side.
pub struct Rounds {
    rounds: Vec<Round>,
    cpu: Duration,
}

/// Runs all sides in turn. Each round starts with another side. A first round is the warm-up.
pub async fn interleaved<const N: usize>(
    sides: [Side<'_>; N],
    effort: Effort,
) -> Result<[Rounds; N], Failure> {
    for side in &sides {
        side.generator.round(effort.round / 2).await?;
    }
    let mut rounds = [(); N].map(|()| Rounds { rounds: Vec::new(), cpu: Duration::ZERO });
    for count in 0..effort.rounds {
        let mut order: Vec<_> = sides.iter().zip(rounds.iter_mut()).collect();
        order.rotate_left(count % N);
        for (side, rounds) in order {
            let before = side.server.cpu()?;
            rounds.rounds.push(side.generator.round(effort.round).await?);
            rounds.cpu += side.server.cpu()?.saturating_sub(before);
        }
    }
    Ok(rounds)
}

impl Rounds {
    /// Returns the answers per second of the median round.
    pub fn throughput(&self) -> f64 {
        middle(&self.rounds, Round::throughput)
    }

    /// Returns a quantile of the latencies of the median round, in nanoseconds.
    pub fn quantile(&self, share: f64) -> f64 {
        middle(&self.rounds, |round| round.quantile(share))
    }

    /// Returns the CPU time per answer in nanoseconds, over all rounds.
    ///
    /// A clock tick is too coarse for a single round.
    pub fn cpu(&self) -> f64 {
        let answers: usize = self.rounds.iter().map(|round| round.latencies.len()).sum();
        self.cpu.as_nanos() as f64 / answers as f64
    }

    /// Formats the figures for the report.
    pub fn figures(&self) -> String {
        format!(
            "{} /s, p50 {}, p99 {}, {} CPU each",
            three_digits(self.throughput()),
            time(self.quantile(0.5)),
            time(self.quantile(0.99)),
            time(self.cpu()),
        )
    }

    /// Returns the median of the throughput ratios of the rounds.
    pub fn ratio_to(&self, other: &Rounds) -> f64 {
        let pairs: Vec<(&Round, &Round)> = self.rounds.iter().zip(&other.rounds).collect();
        middle(&pairs, |(ours, theirs)| ours.throughput() / theirs.throughput())
    }
}
