//! What every flag engine measured here is asked to do, ours through the same door as the peers.

use crate::workload::{Tenant, Workload};

pub trait FlagEngine: Sized {
    /// Everything about a tenant that the engine wants, made once and reused.
    type Subject;
    /// The answer to "all flags at once", reused from tenant to tenant.
    type Evaluation;

    /// The workload in the engine's own document format.
    fn document(workload: &Workload) -> Vec<u8>;

    /// From bytes to ready.
    fn load(document: Vec<u8>) -> Result<Self, String>;

    fn subject(tenant: &Tenant) -> Self::Subject;

    fn is_enabled(&self, key: &str, subject: &Self::Subject) -> bool;

    fn new_evaluation(&self) -> Self::Evaluation;

    fn evaluate_all(&self, subject: &Self::Subject, evaluation: &mut Self::Evaluation);

    /// What `evaluate_all` found for one flag; used to verify, never timed.
    fn enabled_in(&self, evaluation: &Self::Evaluation, key: &str) -> bool;
}

/// An engine with its subjects ready.
pub struct Loaded<Engine: FlagEngine> {
    pub engine: Engine,
    pub subjects: Vec<Engine::Subject>,
}

impl<Engine: FlagEngine> Loaded<Engine> {
    pub fn new(workload: &Workload) -> Result<Self, String> {
        Ok(Self {
            engine: Engine::load(Engine::document(workload))?,
            subjects: workload.tenants.iter().map(Engine::subject).collect(),
        })
    }
}
