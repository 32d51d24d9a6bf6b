//! Loads in turn: the server's, the bare handler's and a peer's, round by round, so that a slow second meets all of them.

use std::time::Duration;

use crate::digits::three_digits;
use crate::load::{Generator, Round};
use crate::process::Server;
use crate::report::{middle, time};
use crate::{Effort, Failure};

/// One of them.
pub struct Side<'s> {
    /// Whose CPU time is counted.
    pub server: &'s Server,
    /// What it is asked.
    pub generator: Generator,
}

/// The rounds of one of them.
pub struct Rounds {
    rounds: Vec<Round>,
    cpu: Duration,
}

/// Runs all of them, in turn, and starts with another one each time. The first round of each is a warm-up.
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

    /// All of it in words.
    pub fn figures(&self) -> String {
        format!(
            "{} /s, p50 {}, p99 {}, {} CPU each",
            three_digits(self.throughput()),
            time(self.quantile(0.5)),
            time(self.quantile(0.99)),
            time(self.cpu()),
        )
    }

    /// The median of the rounds' ratios of throughput.
    pub fn ratio_to(&self, other: &Rounds) -> f64 {
        let pairs: Vec<(&Round, &Round)> = self.rounds.iter().zip(&other.rounds).collect();
        middle(&pairs, |(ours, theirs)| ours.throughput() / theirs.throughput())
    }
}
