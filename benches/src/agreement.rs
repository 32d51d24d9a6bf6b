//! Proof, before anything is timed, that everybody answers the same questions alike.

use crate::engine::{FlagEngine, Loaded};
use crate::workload::{ROLLOUT_PERCENT, State, Workload};

/// How far the share of a rollout may lie from its percentage; the hashes differ, so only shares compare.
const SHARE_TOLERANCE: f64 = 0.02;
/// Below this many samples a share says nothing.
const ENOUGH_SAMPLES: u64 = 5_000;

/// Every flag for every tenant, by name and all at once, against the rule written in `workload`.
pub fn verify<Engine: FlagEngine>(
    name: &str,
    loaded: &Loaded<Engine>,
    workload: &Workload,
) -> Result<(), String> {
    let mut evaluation = loaded.engine.new_evaluation();
    let (mut in_scope, mut included) = (0_u64, 0_u64);
    for (tenant_index, subject) in loaded.subjects.iter().enumerate() {
        loaded.engine.evaluate_all(subject, &mut evaluation);
        for flag in &workload.flags {
            let enabled = loaded.engine.is_enabled(&flag.key, subject);
            let place = || format!("{name}: flag {} ({:?}), tenant {tenant_index}", flag.key, flag.state);
            if loaded.engine.enabled_in(&evaluation, &flag.key) != enabled {
                return Err(format!("{}: by name and all at once differ", place()));
            }
            let is_in_scope = workload.in_scope(flag, tenant_index);
            let expected = match flag.state {
                State::Off => false,
                State::On => true,
                State::Targeted => is_in_scope,
                State::Rollout if is_in_scope => {
                    in_scope += 1;
                    included += u64::from(enabled);
                    continue;
                }
                State::Rollout => false,
            };
            if enabled != expected {
                return Err(format!("{}: {enabled}, expected {expected}", place()));
            }
        }
    }
    verify_share(name, in_scope, included)
}

fn verify_share(name: &str, in_scope: u64, included: u64) -> Result<(), String> {
    if in_scope < ENOUGH_SAMPLES {
        return Err(format!("{name}: only {in_scope} tenants in the scope of a rollout"));
    }
    let share = included as f64 / in_scope as f64;
    let expected = f64::from(ROLLOUT_PERCENT) / 100.0;
    match (share - expected).abs() <= SHARE_TOLERANCE {
        true => Ok(()),
        false => Err(format!("{name}: a rollout of {expected} includes {share:.4} of its scope")),
    }
}

/// A tenth of the tenants is enough for many flags: each flag is still asked for in and out of its scope.
pub fn verify_sample<Engine: FlagEngine>(
    name: &str,
    loaded: &Loaded<Engine>,
    workload: &Workload,
    pairs: &[(usize, usize)],
) -> Result<(), String> {
    let (mut in_scope, mut included) = (0, 0);
    for &(flag_index, tenant_index) in pairs {
        let flag = &workload.flags[flag_index];
        let enabled = loaded.engine.is_enabled(&flag.key, &loaded.subjects[tenant_index]);
        let is_in_scope = workload.in_scope(flag, tenant_index);
        let expected = match flag.state {
            State::Off => false,
            State::On => true,
            State::Rollout if is_in_scope => {
                in_scope += 1;
                included += u64::from(enabled);
                continue;
            }
            State::Targeted | State::Rollout => is_in_scope && flag.state == State::Targeted,
        };
        if enabled != expected {
            return Err(format!("{name}: flag {} ({:?}): {enabled}, expected {expected}", flag.key, flag.state));
        }
    }
    verify_share(name, in_scope, included)
}
