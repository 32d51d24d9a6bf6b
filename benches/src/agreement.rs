//! Proof, before anything is timed, that everybody answers the same questions alike.

use crate::engine::{FlagEngine, Loaded};
use crate::workload::{Flag, ROLLOUT_PERCENT, State, Workload};

/// How far the share of a rollout may lie from its percentage; the hashes differ, so only shares compare.
const SHARE_TOLERANCE: f64 = 0.02;
/// Below this many samples a share says nothing.
const ENOUGH_SAMPLES: u64 = 1_000;

/// Every flag for every tenant, by name and all at once, against the rule written in `workload`.
pub fn verify_everything<Engine: FlagEngine>(
    name: &'static str,
    loaded: &Loaded<Engine>,
    workload: &Workload,
) -> Result<(), String> {
    let mut tally = Tally::new(name);
    let mut evaluation = loaded.engine.new_evaluation();
    for (tenant_index, subject) in loaded.subjects.iter().enumerate() {
        loaded.engine.evaluate_all(subject, &mut evaluation);
        for flag in &workload.flags {
            let enabled = loaded.engine.is_enabled(&flag.key, subject);
            if loaded.engine.enabled_in(&evaluation, &flag.key) != enabled {
                return Err(format!("{name}: flag {}: by name and all at once differ", flag.key));
            }
            tally.check(flag, workload.in_scope(flag, tenant_index), enabled)?;
        }
    }
    tally.check_share()
}

/// The pairs that will be timed, by name only: enough where there are too many flags to ask everything.
pub fn verify_pairs<Engine: FlagEngine>(
    name: &'static str,
    loaded: &Loaded<Engine>,
    workload: &Workload,
    pairs: &[(usize, usize)],
) -> Result<(), String> {
    let mut tally = Tally::new(name);
    for &(flag_index, tenant_index) in pairs {
        let flag = &workload.flags[flag_index];
        let enabled = loaded.engine.is_enabled(&flag.key, &loaded.subjects[tenant_index]);
        tally.check(flag, workload.in_scope(flag, tenant_index), enabled)?;
    }
    tally.check_share()
}

/// Checks what can be checked one by one and counts what can only be checked as a share.
struct Tally {
    name: &'static str,
    in_scope: u64,
    included: u64,
}

impl Tally {
    fn new(name: &'static str) -> Self {
        Self { name, in_scope: 0, included: 0 }
    }

    fn check(&mut self, flag: &Flag, is_in_scope: bool, enabled: bool) -> Result<(), String> {
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
            false => Err(format!(
                "{}: flag {} ({:?}) is {enabled}, expected {expected}",
                self.name, flag.key, flag.state
            )),
        }
    }

    fn check_share(&self) -> Result<(), String> {
        if self.in_scope < ENOUGH_SAMPLES {
            return Err(format!("{}: only {} samples of rollouts in scope", self.name, self.in_scope));
        }
        let share = self.included as f64 / self.in_scope as f64;
        let expected = f64::from(ROLLOUT_PERCENT) / 100.0;
        match (share - expected).abs() <= SHARE_TOLERANCE {
            true => Ok(()),
            false => Err(format!("{}: a rollout of {expected} includes {share:.4} of its scope", self.name)),
        }
    }
}
