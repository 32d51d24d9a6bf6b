//! A contestant: an engine with a loaded workload and subjects, to verify and to time.

use std::hint::black_box;

use crate::agreement::Tally;
use crate::allocations;
use crate::engine::FlagEngine;
use crate::measure::{Work, long, short};
use crate::workload::Workload;

/// Pairs of the indexes of a flag and a tenant in the workload.
pub type Pairs = [(usize, usize)];

/// The operations on an engine of any type.
///
/// A call through this trait covers a whole round, so its cost does not count.
pub trait Contestant {
    /// Compares every flag for every tenant, by name and all at once, with the rule in `workload`.
    fn verify_everything(&self, workload: &Workload) -> Result<(), String>;

    /// Compares the timed pairs, by name only, where all pairs would take too long.
    fn verify_pairs(&self, workload: &Workload, pairs: &Pairs) -> Result<(), String>;

    /// Evaluates one flag for one tenant, pair after pair.
    fn by_name<'a>(&'a self, workload: &'a Workload, pairs: &'a Pairs) -> Work<'a>;

    /// Evaluates all flags, tenant after tenant, into one reused answer.
    fn all(&self) -> Work<'_>;

    /// Builds the subject of the engine, tenant after tenant.
    fn subject<'a>(&'a self, workload: &'a Workload) -> Work<'a>;

    /// Loads the workload from bytes.
    fn load(&self, workload: &Workload) -> Work<'_>;

    /// Returns the bytes that stay alive after loading.
    fn kept_bytes(&self, workload: &Workload) -> Result<i64, String>;
}

/// An engine with the loaded workload and all its subjects.
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

    /// The number of pairs must be a power of two, so that the next pair is cheap to find.
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

    /// The bytes are copied before the clock starts, because one peer consumes them.
    fn load(&self, workload: &Workload) -> Work<'_> {
        let document = Engine::document(workload);
        long(move || document.clone(), |document| Engine::load(document).is_ok())
    }

    /// The copy of the bytes counts for an engine that keeps them.
    fn kept_bytes(&self, workload: &Workload) -> Result<i64, String> {
        let document = Engine::document(workload);
        let (engine, counted) = allocations::count(|| Engine::load(document.as_slice().to_vec()));
        engine.map(|_| counted.kept_bytes)
    }
}
