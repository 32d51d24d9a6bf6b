//! The interface of all measured flag engines, Dezky's and the peers'.

use crate::workload::{Tenant, Workload};

pub trait FlagEngine: Sized {
    /// The engine's representation of a tenant, built once and reused.
    type Subject<'a>;
    /// The answers of all flags, reused for the next tenant.
    type Evaluation;

    /// Returns the workload in the document format of the engine.
    fn document(workload: &Workload) -> Vec<u8>;

    /// Loads a document of the engine.
    fn load(document: Vec<u8>) -> Result<Self, String>;

    fn subject(tenant: &Tenant) -> Self::Subject<'_>;

    fn is_enabled(&self, key: &str, subject: &Self::Subject<'_>) -> bool;

    fn new_evaluation(&self) -> Self::Evaluation;

    fn evaluate_all(&self, subject: &Self::Subject<'_>, evaluation: &mut Self::Evaluation);

    /// Returns the answer of `evaluate_all` for one flag. Used for verification only.
    fn enabled_in(&self, evaluation: &Self::Evaluation, key: &str) -> bool;
}
