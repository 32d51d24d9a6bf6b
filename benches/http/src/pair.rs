//! Two loads in turn: the server's and the bare handler's, round by round, so that a slow second meets both.

use std::time::Duration;

use crate::load::{Generator, Round};
use crate::process::Server;
use crate::report::middle;
use crate::{Effort, Failure};

/// One of the two.
pub struct Side<'s> {
    /// Whose CPU time is counted.
    pub server: &'s Server,
    /// What it is asked.
    pub generator: Generator,
}

/// The rounds of one of the two.
pub struct Rounds {
    rounds: Vec<Round>,
    cpu: Duration,
}

/// Runs both, in turn, and starts with the other one each time. The first round of each is a warm-up.
pub async fn interleaved(sides: [Side<'_>; 2], effort: Effort) -> Result<[Rounds; 2], Failure> {
    for side in &sides {
        side.generator.round(effort.round / 2).await?;
    }
    let mut rounds = [(); 2].map(|()| Rounds { rounds: Vec::new(), cpu: Duration::ZERO });
    for count in 0..effort.rounds {
        let mut order: Vec<_> = sides.iter().zip(rounds.iter_mut()).collect();
        if count % 2 == 1 {
            order.reverse();
        }
        for (side, rounds) in order {
            let before = side.server.cpu()?;
            rounds.rounds.push(side.generator.round(effort.round).await?);
            rounds.cpu += side.server.cpu()?.saturating_sub(before);
        }
    }
    Ok(rounds)
}

impl Rounds {
    /// Answers a second, in the median round.
    pub fn throughput(&self) -> f64 {
        middle(&self.rounds, Round::throughput)
    }

    /// A quantile of the answers' times, in the median round, in nanoseconds.
    pub fn quantile(&self, share: f64) -> f64 {
        middle(&self.rounds, |round| round.quantile(share))
    }

    /// The process's CPU time for an answer, over all rounds, in nanoseconds: a tick is too coarse for one round.
    pub fn cpu(&self) -> f64 {
        let answers: usize = self.rounds.iter().map(|round| round.latencies.len()).sum();
        self.cpu.as_nanos() as f64 / answers as f64
    }

    /// The median of the rounds' ratios of throughput.
    pub fn ratio_to(&self, other: &Rounds) -> f64 {
        let pairs: Vec<(&Round, &Round)> = self.rounds.iter().zip(&other.rounds).collect();
        middle(&pairs, |(ours, theirs)| ours.throughput() / theirs.throughput())
    }
}
