//! Searches the stored changes of flags, newest first, for changes that memory no longer holds.

use std::collections::HashMap;
use std::sync::Arc;

use dezky_core::Error;
use dezky_core::flags::{Axis, ELSEWHERE, FlagRule, Scope, Subject};
use dezky_core::names::{Environment, FlagKey, Slug};
use dezky_core::world::WorldTenant;

use super::error::SliceError;
use crate::store::{FlagListing, FlagShape, Store};

/// The number of changes in one read.
const PAGE: usize = 1_000;

/// A subject that owns its data, so that it can live across an await.
pub(super) struct OwnedSubject {
    pub(super) tenant: Arc<WorldTenant>,
    /// The slug of the tenant's partner.
    pub(super) partner: Option<Slug>,
    pub(super) environment: Environment,
}

/// For each flag and axis, the revisions at which the subject's value was added to the flag's list
/// (`true`) or removed from it, oldest first.
type Listings = HashMap<FlagKey, [Vec<(u64, bool)>; 4]>;

impl OwnedSubject {
    fn subject(&self) -> Subject<'_> {
        let Self { tenant, partner, environment } = self;
        Subject::from_names(&tenant.id, &tenant.slug, &tenant.plan, partner.as_ref(), Some(environment))
    }

    /// Returns the newest revision in `above + 1 ..= up_to` that changed this subject's slice.
    pub(super) async fn newest_change(
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
                let sliced = |shape: Option<FlagShape>, listed| {
                    shape.map(|shape| sliced(&step.flag, shape, listed, &subject)).transpose()
                };
                if sliced(step.before, old)? != sliced(step.after, new)? {
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

/// For each axis, whether the subject's value was on the flag's list at a revision.
fn listed_at(listings: Option<&[Vec<(u64, bool)>; 4]>, revision: u64) -> [bool; 4] {
    let Some(listings) = listings else { return [false; 4] };
    listings.each_ref().map(|list| {
        let count = list.partition_point(|(changed, _)| *changed <= revision);
        count.checked_sub(1).and_then(|last| list.get(last)).is_some_and(|(_, is_listed)| *is_listed)
    })
}

/// The sliced rule of a subject, rebuilt from the shape and the subject's own values. The sliced
/// rule depends on nothing else.
fn sliced(
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
