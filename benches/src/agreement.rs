//! A check before any measurement that all engines give the same answers.

use crate::workload::{Flag, ROLLOUT_PERCENT, State};

/// The allowed distance of a rollout's share from its percentage.
///
/// The engines hash differently, so only the shares can be compared.
const SHARE_TOLERANCE: f64 = 0.02;
/// The number of samples below which a share is not meaningful.
const ENOUGH_SAMPLES: u64 = 1_000;

/// Checks each answer, and counts rollouts to check their share.
#[derive(Default)]
pub struct Tally {
    in_scope: u64,
    included: u64,
}

impl Tally {
    pub fn check(&mut self, flag: &Flag, is_in_scope: bool, enabled: bool) -> Result<(), String> {
        let expected = match flag.state {
            State::Off => false,
            State::On => true,
            State::Targeted => is_in_scope,
            State::Rollout if is_in_scope => {
                self.in_scope += 1;
                self.included += u64::from(enabled);
                return Ok(());
            }
            State::Rollout => false,
        };
        match enabled == expected {
            true => Ok(()),
            false => Err(format!("flag {} ({:?}) is {enabled}, expected {expected}", flag.key, flag.state)),
        }
    }

    pub fn check_share(&self) -> Result<(), String> {
        if self.in_scope < ENOUGH_SAMPLES {
            return Err(format!("only {} samples of rollouts in scope", self.in_scope));
        }
        let share = self.included as f64 / self.in_scope as f64;
        let expected = f64::from(ROLLOUT_PERCENT) / 100.0;
        match (share - expected).abs() <= SHARE_TOLERANCE {
            true => Ok(()),
            false => Err(format!("a rollout of {expected} includes {share:.4} of its scope")),
        }
    }
}
