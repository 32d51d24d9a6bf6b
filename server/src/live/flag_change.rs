//! What a commit changes of a flag, for those to whom it may matter.

use std::sync::Arc;

use dezky_core::{Error, FlagRule, Subject};

/// One change of one flag.
#[derive(Debug, Clone)]
pub struct FlagChange {
    /// The revision that made it.
    pub revision: u64,
    /// What the flag was.
    pub before: Option<Arc<FlagRule>>,
    /// What it became.
    pub after: Option<Arc<FlagRule>>,
}

impl FlagChange {
    /// Whether it changes what this subject is told.
    pub fn touches(&self, subject: &Subject<'_>) -> Result<bool, Error> {
        let told = |rule: &Option<Arc<FlagRule>>| rule.as_ref().map(|rule| rule.sliced(subject)).transpose();
        Ok(told(&self.before)? != told(&self.after)?)
    }
}
