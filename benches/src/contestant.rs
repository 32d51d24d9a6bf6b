//! An engine loaded with the workload and its subjects ready: what can be verified and timed about it.

use std::hint::black_box;

use crate::agreement::Tally;
use crate::allocations;
use crate::engine::FlagEngine;
use crate::measure::{Work, long, short};
use crate::workload::Workload;

/// Pairs of a flag's and a tenant's position in the workload.
pub type Pairs = [(usize, usize)];

/// The same questions for engines of any type. Only a whole round goes through this trait, never one evaluation.
pub trait Contestant {
    /// Every flag for every tenant, by name and all at once, against the rule written in `workload`.
    fn verify_everything(&self, workload: &Workload) -> Result<(), String>;

    /// The pairs that will be timed, by name only: enough where there are too many flags to ask everything.
    fn verify_pairs(&self, workload: &Workload, pairs: &Pairs) -> Result<(), String>;

    /// One flag for one tenant, pair after pair.
    fn by_name<'a>(&'a self, workload: &'a Workload, pairs: &'a Pairs) -> Work<'a>;

    /// All flags, tenant after tenant, into one answer that is reused.
    fn all(&self) -> Work<'_>;

    /// What the engine wants to know about a tenant, made anew, tenant after tenant.
    fn subject<'a>(&'a self, workload: &'a Workload) -> Work<'a>;

    /// From bytes to ready.
    fn load(&self, workload: &Workload) -> Work<'_>;

    /// Bytes that stay alive once the workload is loaded.
    fn kept_bytes(&self, workload: &Workload) -> Result<i64, String>;
}

pub struct Loaded<'w, Engine: FlagEngine> {
    pub engine: Engine,
    pub subjects: Vec<Engine::Subject<'w>>,
}

impl<'w, Engine: FlagEngine> Loaded<'w, Engine> {
    pub fn new(workload: &'w Workload) -> Result<Self, String> {
        Ok(Self {
            engine: Engine::load(Engine::document(workload))?,
            subjects: workload.tenants.iter().map(Engine::subject).collect(),
        })
    }
}

impl<Engine: FlagEngine> Contestant for Loaded<'_, Engine> {
    fn verify_everything(&self, workload: &Workload) -> Result<(), String> {
        let mut tally = Tally::default();
        let mut evaluation = self.engine.new_evaluation();
        for (tenant_index, subject) in self.subjects.iter().enumerate() {
            self.engine.evaluate_all(subject, &mut evaluation);
            for flag in &workload.flags {
                let enabled = self.engine.is_enabled(&flag.key, subject);
                if self.engine.enabled_in(&evaluation, &flag.key) != enabled {
                    return Err(format!("flag {}: by name and all at once differ", flag.key));
                }
                tally.check(flag, workload.in_scope(flag, tenant_index), enabled)?;
            }
        }
        tally.check_share()
    }

    fn verify_pairs(&self, workload: &Workload, pairs: &Pairs) -> Result<(), String> {
        let mut tally = Tally::default();
        for &(flag_index, tenant_index) in pairs {
            let flag = &workload.flags[flag_index];
            let enabled = self.engine.is_enabled(&flag.key, &self.subjects[tenant_index]);
            tally.check(flag, workload.in_scope(flag, tenant_index), enabled)?;
        }
        tally.check_share()
    }

    /// The number of pairs must be a power of two, so that taking the next one costs next to nothing.
    fn by_name<'a>(&'a self, workload: &'a Workload, pairs: &'a Pairs) -> Work<'a> {
        assert!(pairs.len().is_power_of_two());
        let mask = pairs.len() - 1;
        let keys: Vec<&str> = workload.flags.iter().map(|flag| flag.key.as_str()).collect();
        short(move |turn| {
            let (flag_index, tenant_index) = pairs[turn as usize & mask];
            self.engine.is_enabled(black_box(keys[flag_index]), black_box(&self.subjects[tenant_index]))
        })
    }

    fn all(&self) -> Work<'_> {
        let mut evaluation = self.engine.new_evaluation();
        let mut subjects = self.subjects.iter().cycle();
        short(move |_| {
            if let Some(subject) = subjects.next() {
                self.engine.evaluate_all(black_box(subject), &mut evaluation);
                black_box(&evaluation);
            }
        })
    }

    fn subject<'a>(&'a self, workload: &'a Workload) -> Work<'a> {
        let mut tenants = workload.tenants.iter().cycle();
        short(move |_| tenants.next().map(|tenant| Engine::subject(black_box(tenant))))
    }

    /// The bytes are copied before the clock starts, because one peer takes them for its own.
    fn load(&self, workload: &Workload) -> Work<'_> {
        let document = Engine::document(workload);
        long(move || document.clone(), |document| Engine::load(document).is_ok())
    }

    /// The bytes are copied inside, so that an engine that keeps them is counted with them.
    fn kept_bytes(&self, workload: &Workload) -> Result<i64, String> {
        let document = Engine::document(workload);
        let (engine, counted) = allocations::count(|| Engine::load(document.as_slice().to_vec()));
        engine.map(|_| counted.kept_bytes)
    }
}
