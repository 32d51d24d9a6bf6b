//! What every flag engine measured here is asked to do, ours through the same door as the peers.

use crate::workload::{Tenant, Workload};

pub trait FlagEngine: Sized {
    /// Everything about a tenant that the engine wants, made once and reused.
    type Subject<'a>;
    /// The answer to "all flags at once", reused from tenant to tenant.
    type Evaluation;

    /// The workload in the engine's own document format.
    fn document(workload: &Workload) -> Vec<u8>;

    /// From bytes to ready.
    fn load(document: Vec<u8>) -> Result<Self, String>;

    fn subject(tenant: &Tenant) -> Self::Subject<'_>;

    fn is_enabled(&self, key: &str, subject: &Self::Subject<'_>) -> bool;

    fn new_evaluation(&self) -> Self::Evaluation;

    fn evaluate_all(&self, subject: &Self::Subject<'_>, evaluation: &mut Self::Evaluation);

    /// What `evaluate_all` found for one flag; used to verify, never timed.
    fn enabled_in(&self, evaluation: &Self::Evaluation, key: &str) -> bool;
}
