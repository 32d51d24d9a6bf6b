//! The newest flag changes in memory, for slices. Older changes are in the store.

use std::collections::VecDeque;
use std::sync::Arc;

use dezky_core::Error;
use dezky_core::flags::{Axis, FlagRule, Subject};

/// One change of one flag.
#[derive(Debug, Clone)]
pub(crate) struct FlagChange {
    /// The revision of the change.
    pub(crate) revision: u64,
    /// The rule before the change; `None` if the flag did not exist.
    pub(crate) before: Option<Arc<FlagRule>>,
    /// The rule after the change; `None` if the flag was removed.
    pub(crate) after: Option<Arc<FlagRule>>,
}

impl FlagChange {
    /// Returns whether the change alters this subject's slice.
    pub(crate) fn affects(&self, subject: &Subject<'_>) -> Result<bool, Error> {
        let sliced =
            |rule: &Option<Arc<FlagRule>>| rule.as_ref().map(|rule| rule.sliced(subject)).transpose();
        Ok(sliced(&self.before)? != sliced(&self.after)?)
    }

    fn bytes(&self) -> usize {
        let rule_bytes = |rule: &Arc<FlagRule>| {
            let values = Axis::ALL.into_iter().flat_map(|axis| rule.scope.values(axis));
            values.map(|value| value.len() + 1).sum::<usize>()
        };
        let rules = self.before.iter().chain(&self.after);
        size_of::<FlagChange>() + rules.map(|rule| size_of::<FlagRule>() + rule_bytes(rule)).sum::<usize>()
    }
}

/// The most changes in memory. With large rules, the limit of bytes applies first.
pub const MAX_RECENT_CHANGES: usize = 4_096;

/// The most bytes of rules in memory, whatever their number.
const MAX_RECENT_BYTES: usize = 4 << 20;

/// The newest flag changes, without a gap.
#[derive(Debug)]
pub(crate) struct RecentChanges {
    changes: VecDeque<FlagChange>,
    bytes: usize,
    max_changes: usize,
    /// Every change above this revision is in memory.
    after: u64,
}

impl RecentChanges {
    /// Creates an empty list for at most `max_changes` changes.
    pub(crate) fn new(max_changes: usize) -> RecentChanges {
        RecentChanges { changes: VecDeque::new(), bytes: 0, max_changes, after: 0 }
    }

    /// Declares that the list begins after a revision.
    pub(crate) fn begin(&mut self, after: u64) {
        self.after = after;
    }

    /// Adds the newest change, and drops the oldest ones beyond the limits.
    pub(crate) fn push(&mut self, change: FlagChange) {
        self.bytes += change.bytes();
        self.changes.push_back(change);
        while self.changes.len() > self.max_changes || self.bytes > MAX_RECENT_BYTES {
            let Some(oldest) = self.changes.pop_front() else { return };
            self.bytes -= oldest.bytes();
            self.after = oldest.revision;
        }
    }

    /// Returns whether every change above this revision is in memory.
    pub(crate) fn reaches_back_to(&self, revision: u64) -> bool {
        revision >= self.after
    }

    /// Iterates over the changes, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &FlagChange> {
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
    fn large_rules_stay_within_the_limit_of_bytes() {
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
