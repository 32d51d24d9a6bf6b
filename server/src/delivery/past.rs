//! The past of flags as the store has it, walked from its newest change back: for changes that are no longer in memory.

use std::collections::HashMap;
use std::sync::Arc;

use dezky_core::Error;
use dezky_core::flags::{Axis, ELSEWHERE, FlagRule, Scope, Subject};
use dezky_core::names::{Environment, FlagKey, Slug};
use dezky_core::world::WorldTenant;

use super::slices::SliceError;
use crate::store::{FlagListing, FlagShape, Store};

/// Changes that are read at a time.
const PAGE: usize = 1_000;

/// A subject that owns its names, so that it can wait for the store.
pub struct OwnSubject {
    /// The tenant.
    pub tenant: Arc<WorldTenant>,
    /// Its partner's slug.
    pub partner: Option<Slug>,
    /// The environment that is evaluated in.
    pub environment: Environment,
}

/// When each of a subject's values was put on a flag's lists, or taken off; by axis, oldest first.
type Listings = HashMap<FlagKey, [Vec<(u64, bool)>; 4]>;

impl OwnSubject {
    fn subject(&self) -> Subject<'_> {
        let Self { tenant, partner, environment } = self;
        Subject::from_names(&tenant.id, &tenant.slug, &tenant.plan, partner.as_ref(), Some(environment))
    }

    /// The newest change above one revision, and up to another, that changes what this subject is told.
    pub async fn newest_touching(
        &self,
        store: &dyn Store,
        above: u64,
        up_to: u64,
    ) -> Result<Option<u64>, SliceError> {
        let subject = self.subject();
        let values = Axis::ALL.into_iter().filter_map(|axis| Some((axis, subject.value(axis)?.to_owned())));
        let mut listings = Listings::default();
        for FlagListing { revision, flag, axis, is_listed } in
            store.flag_listings(values.collect(), up_to).await?
        {
            if let Some(list) = listings.entry(flag).or_default().get_mut(axis as usize) {
                list.push((revision, is_listed));
            }
        }
        let mut below = up_to.saturating_add(1);
        loop {
            let page = store.flag_steps(above, below, PAGE).await?;
            for step in &page {
                let listed = listings.get(&step.flag);
                let [old, new] =
                    [step.revision.saturating_sub(1), step.revision].map(|at| listed_at(listed, at));
                if (step.before, old) == (step.after, new) {
                    continue;
                }
                let told = |shape: Option<FlagShape>, listed| {
                    shape.map(|shape| told(&step.flag, shape, listed, &subject)).transpose()
                };
                if told(step.before, old)? != told(step.after, new)? {
                    return Ok(Some(step.revision));
                }
            }
            match page.last() {
                Some(oldest) if page.len() == PAGE => below = oldest.revision,
                _ => return Ok(None),
            }
        }
    }
}

/// By axis: whether the subject's value was on the flag's list at a revision.
fn listed_at(listings: Option<&[Vec<(u64, bool)>; 4]>, revision: u64) -> [bool; 4] {
    let Some(listings) = listings else { return [false; 4] };
    listings.each_ref().map(|list| {
        let count = list.partition_point(|(changed, _)| *changed <= revision);
        count.checked_sub(1).and_then(|last| list.get(last)).is_some_and(|(_, is_listed)| *is_listed)
    })
}

/// What a rule of this shape told the subject: the same as the whole rule did, since that depends on
/// nothing else of it.
fn told(
    key: &FlagKey,
    shape: FlagShape,
    listed: [bool; 4],
    subject: &Subject<'_>,
) -> Result<FlagRule, Error> {
    let mut scope = Scope::default();
    for (axis, is_listed) in Axis::ALL.into_iter().zip(listed) {
        if shape.is_closed(axis) {
            let own = subject.value(axis);
            let other = if own == Some(ELSEWHERE) { "nowhere" } else { ELSEWHERE };
            scope = scope.with(axis, [own.filter(|_| is_listed).unwrap_or(other)])?;
        }
    }
    FlagRule { key: key.clone(), state: shape.state, pct: shape.pct, scope }.sliced(subject)
}
