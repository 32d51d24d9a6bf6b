//! The past of flags in compact form: the difference that each change made to a rule.
//!
//! A rule may list ten thousand tenants, and an edit usually adds or removes one. A change is
//! therefore stored as the *shape* of the rule before and after (state, percentage, axes with
//! values), and a *listing* for each value that it added to a list or removed. The slice of a
//! subject at any revision follows from the shape at that revision and the newest listing of each
//! of the subject's values.

use std::cmp::Ordering;

use dezky_core::flags::{Axis, State};
use dezky_core::model::FlagContent;
use dezky_core::names::{FlagKey, Percent};

/// The part of a rule that is the same for every subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagShape {
    /// The state of the flag.
    pub state: State,
    /// The percentage of a rollout.
    pub pct: Percent,
    /// The axes that have values, one bit each, in the order of [`Axis::ALL`].
    pub closed: u8,
}

/// One change of one flag's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagStep {
    /// The revision of the change.
    pub revision: u64,
    /// The key of the flag.
    pub flag: FlagKey,
    /// The shape before the change; `None` if the flag did not exist.
    pub before: Option<FlagShape>,
    /// The shape after the change; `None` if the flag was removed.
    pub after: Option<FlagShape>,
}

/// A value that a change added to a flag's list or removed from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagListing {
    /// The revision of the change.
    pub revision: u64,
    /// The key of the flag.
    pub flag: FlagKey,
    /// The axis of the value.
    pub axis: Axis,
    /// True if the change added the value to the list.
    pub is_listed: bool,
}

/// The difference between two versions of a rule.
#[derive(Debug)]
pub(crate) struct FlagDifference<'r> {
    /// The shape before the change.
    pub(crate) before: Option<FlagShape>,
    /// The shape after the change.
    pub(crate) after: Option<FlagShape>,
    /// The values that were added to a list (`true`) or removed from it.
    pub(crate) listings: Vec<(Axis, &'r str, bool)>,
}

impl FlagShape {
    /// Returns the shape of a rule.
    pub(crate) fn new(content: &FlagContent) -> FlagShape {
        let is_closed = |axis: &Axis| content.scope.values(*axis).next().is_some();
        let closed = Axis::ALL.iter().filter(|axis| is_closed(axis)).map(|axis| FlagShape::bit(*axis)).sum();
        FlagShape { state: content.state, pct: content.pct, closed }
    }

    /// Returns whether the rule has values on this axis.
    pub(crate) fn is_closed(self, axis: Axis) -> bool {
        self.closed & FlagShape::bit(axis) != 0
    }

    fn bit(axis: Axis) -> u8 {
        1 << axis as u8
    }
}

impl<'r> FlagDifference<'r> {
    /// Compares a rule before and after a change. Returns `None` if the rule did not change.
    pub(crate) fn between(
        before: Option<&'r FlagContent>,
        after: Option<&'r FlagContent>,
    ) -> Option<FlagDifference<'r>> {
        let mut listings = Vec::new();
        for axis in Axis::ALL {
            push_listings(&mut listings, axis, before, after);
        }
        let (before, after) = (before.map(FlagShape::new), after.map(FlagShape::new));
        (before != after || !listings.is_empty()).then_some(FlagDifference { before, after, listings })
    }
}

/// Merges both sorted lists to find values that are in only one of them.
fn push_listings<'r>(
    listings: &mut Vec<(Axis, &'r str, bool)>,
    axis: Axis,
    before: Option<&'r FlagContent>,
    after: Option<&'r FlagContent>,
) {
    let values = |content: Option<&'r FlagContent>| {
        content.into_iter().flat_map(move |content| content.scope.values(axis)).peekable()
    };
    let (mut before, mut after) = (values(before), values(after));
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.cmp(new),
        };
        let (old, new) = (before.next_if(|_| order.is_le()), after.next_if(|_| order.is_ge()));
        match (old, new) {
            (Some(value), None) => listings.push((axis, value, false)),
            (None, Some(value)) => listings.push((axis, value, true)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn content(plans: &[&str], slugs: &[&str]) -> FlagContent {
        let document = serde_json::json!({
            "key": "a", "state": "targeted", "scope": { "plans": plans, "tenantSlugs": slugs },
        });
        let flag = dezky_core::model::Flag::from_json(document.to_string().as_bytes()).unwrap();
        flag.content().clone()
    }

    #[test]
    fn only_added_and_removed_values_are_listed() {
        let (before, after) = (content(&["free"], &["a", "c", "d"]), content(&[], &["b", "c", "e"]));
        let difference = FlagDifference::between(Some(&before), Some(&after)).unwrap();
        let (plans, slugs) = (Axis::Plans, Axis::TenantSlugs);
        let expected = [
            (plans, "free", false),
            (slugs, "a", false),
            (slugs, "b", true),
            (slugs, "d", false),
            (slugs, "e", true),
        ];
        assert_eq!(difference.listings, expected);
        assert!(difference.before.unwrap().is_closed(plans) && !difference.after.unwrap().is_closed(plans));
        assert!(FlagDifference::between(Some(&after), Some(&after)).is_none());
        assert_eq!(FlagDifference::between(None, Some(&after)).unwrap().listings.len(), 3);
        assert_eq!(FlagDifference::between(Some(&before), None).unwrap().after, None);
    }
}
