//! The newest changes of flags, held in memory for streams and live clients. Older changes are in the store.

use std::collections::VecDeque;
use std::sync::Arc;

use dezky_core::Error;
use dezky_core::flags::{Axis, FlagRule, Subject};

/// One change of one flag.
#[derive(Debug, Clone)]
pub struct FlagChange {
    /// The revision that made it.
    pub revision: u64,
    /// The rule before; `None` if the flag was not there.
    pub before: Option<Arc<FlagRule>>,
    /// The rule after; `None` if the flag was removed.
    pub after: Option<Arc<FlagRule>>,
}

impl FlagChange {
    /// True if it changes what this subject is told.
    pub fn touches(&self, subject: &Subject<'_>) -> Result<bool, Error> {
        let told = |rule: &Option<Arc<FlagRule>>| rule.as_ref().map(|rule| rule.sliced(subject)).transpose();
        Ok(told(&self.before)? != told(&self.after)?)
    }

    fn bytes(&self) -> usize {
        let of_rule = |rule: &Arc<FlagRule>| {
            let values = Axis::ALL.into_iter().flat_map(|axis| rule.scope.values(axis));
            values.map(|value| value.len() + 1).sum::<usize>()
        };
        let rules = self.before.iter().chain(&self.after);
        size_of::<FlagChange>() + rules.map(|rule| size_of::<FlagRule>() + of_rule(rule)).sum::<usize>()
    }
}

/// Changes that are held, if their rules are of ordinary size.
pub const MAX_RECENT_CHANGES: usize = 4_096;

/// Bytes of the rules that are held: whatever their size, the past takes no more memory than this.
const MAX_RECENT_BYTES: usize = 4 << 20;

/// The newest changes, without a gap.
#[derive(Debug)]
pub struct RecentChanges {
    changes: VecDeque<FlagChange>,
    bytes: usize,
    most: usize,
    /// Every change above this revision is held.
    after: u64,
}

impl RecentChanges {
    /// Holds at most so many changes.
    pub fn new(most: usize) -> RecentChanges {
        RecentChanges { changes: VecDeque::new(), bytes: 0, most, after: 0 }
    }

    /// Begins after a revision.
    pub fn begin(&mut self, after: u64) {
        self.after = after;
    }

    /// Adds the newest change, and drops the oldest ones beyond the limits.
    pub fn push(&mut self, change: FlagChange) {
        self.bytes += change.bytes();
        self.changes.push_back(change);
        while self.changes.len() > self.most || self.bytes > MAX_RECENT_BYTES {
            let Some(oldest) = self.changes.pop_front() else { return };
            self.bytes -= oldest.bytes();
            self.after = oldest.revision;
        }
    }

    /// True if every change above this revision is held.
    pub fn reaches_back_to(&self, revision: u64) -> bool {
        revision >= self.after
    }

    /// The changes, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &FlagChange> {
        self.changes.iter()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use dezky_core::flags::{Scope, State};
    use dezky_core::names::{FlagKey, Percent};

    fn change(revision: u64, slugs: usize) -> FlagChange {
        let names: Vec<String> = (0..slugs).map(|number| format!("tenant-{number:050}")).collect();
        let scope = Scope::default().with(Axis::TenantSlugs, names.iter().map(String::as_str)).unwrap();
        let (key, pct) = (FlagKey::new("a").unwrap(), Percent::ZERO);
        let rule = Arc::new(FlagRule { key, state: State::On, pct, scope });
        FlagChange { revision, before: None, after: Some(rule) }
    }

    #[test]
    fn large_rules_do_not_grow_the_memory() {
        let mut recent = RecentChanges::new(100);
        recent.begin(10);
        for revision in 11..=100 {
            recent.push(change(revision, 10_000));
        }
        assert!(recent.bytes <= MAX_RECENT_BYTES);
        let held: Vec<u64> = recent.iter().map(|change| change.revision).collect();
        let oldest = *held.first().unwrap();
        assert!(held.len() > 3 && oldest > 90, "{held:?}");
        assert!(recent.reaches_back_to(oldest - 1) && !recent.reaches_back_to(oldest - 2));
        let mut recent = RecentChanges::new(3);
        (1..=5).for_each(|revision| recent.push(change(revision, 1)));
        assert!(recent.reaches_back_to(2) && !recent.reaches_back_to(1));
    }
}
