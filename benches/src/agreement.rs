//! Proof, before anything is timed, that everybody answers the same questions alike.

use crate::workload::{Flag, ROLLOUT_PERCENT, State};

/// How far the share of a rollout may lie from its percentage; the hashes differ, so only shares compare.
const SHARE_TOLERANCE: f64 = 0.02;
/// Below this many samples a share says nothing.
const ENOUGH_SAMPLES: u64 = 1_000;

/// Checks what can be checked one by one and counts what can only be checked as a share.
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
