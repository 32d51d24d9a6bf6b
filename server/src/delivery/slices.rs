//! Slices: what of a snapshot one tenant's decisions depend on, with a revision that nothing but this tenant's decisions moves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use dezky_core::{Environment, Error, Id, Subject, WorldTenant};

use super::past::Past;
use crate::live::{FlagChange, Live, Mark, State};
use crate::store::{ChangeQuery, Store, StoreError};

/// A tenant, and the environment that its flags are asked in.
pub type Whose<'w> = (&'w Id, &'w Environment);

/// One tenant's slice as it leaves the server.
#[derive(Debug, Clone)]
pub struct Slice {
    /// Which one.
    pub mark: Mark,
    /// Its canonical form.
    pub body: Bytes,
}

/// Why a slice cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SliceError {
    /// The log cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is held makes no slice.
    #[error(transparent)]
    Data(#[from] Error),
}

/// Finds slices, and remembers which revisions they have.
#[derive(Debug, Default)]
pub struct Slices {
    past: Past,
    known: Mutex<HashMap<(Id, Environment), Known>>,
}

/// What was found the last time.
#[derive(Debug, Clone)]
struct Known {
    /// The tenant as it was then: it is replaced whole when it changes.
    tenant: Arc<WorldTenant>,
    /// Up to which revision the flags' changes were looked at.
    looked_at: u64,
    mark: Mark,
}

/// Tenants whose marks are remembered; beyond it they are found anew.
const MAX_KNOWN: usize = 200_000;

impl Slices {
    /// Which slice a tenant has now; nothing, where there is no such tenant.
    pub async fn mark(
        &self,
        live: &Live,
        store: &dyn Store,
        whose: Whose<'_>,
    ) -> Result<Option<Mark>, SliceError> {
        self.look(live, store, whose, |_, _, mark| mark.clone()).await
    }

    /// A tenant's slice now; nothing, where there is no such tenant.
    pub async fn slice(
        &self,
        live: &Live,
        store: &dyn Store,
        whose: Whose<'_>,
    ) -> Result<Option<Slice>, SliceError> {
        let found = self.look(live, store, whose, |state, subject, mark| {
            let slice = state.snapshot().slice(subject, mark.revision)?;
            Ok::<Slice, Error>(Slice { mark: mark.clone(), body: slice.to_canonical_json().into() })
        });
        Ok(found.await?.transpose()?)
    }

    /// Looks at the state, at a tenant and at which slice is theirs, all at one revision. Nothing, where there is no such tenant.
    pub async fn look<T>(
        &self,
        live: &Live,
        store: &dyn Store,
        (id, environment): Whose<'_>,
        look: impl FnOnce(&State, &Subject<'_>, &Mark) -> T,
    ) -> Result<Option<T>, SliceError> {
        let key = (id.clone(), environment.clone());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let current = live.read().tenant_by_id(id.as_str()).cloned();
        let Some(current) = current else { return Ok(None) };
        let known = known.filter(|known| Arc::ptr_eq(&known.tenant, &current));
        let before_start = match &known {
            Some(_) => BeforeStart::default(),
            None => self.before_start(live, store, id).await?,
        };
        let state = live.read();
        let Some(tenant) = state.tenant_by_id(id.as_str()) else { return Ok(None) };
        let subject = state.subject(tenant, environment);
        let looked_at = state.flags_revision();
        let revision = match &known {
            Some(known) if !Arc::ptr_eq(&known.tenant, tenant) => {
                // It changed since it was looked at, so memory knows when.
                let own = state.tenant_changed_at(id).unwrap_or(known.mark.revision);
                Some(newest_touching(state.flag_changes(), own, &subject)?.unwrap_or(own))
            }
            Some(known) => newest_touching(state.flag_changes(), known.looked_at, &subject)?,
            None => {
                let own = state.tenant_changed_at(id).unwrap_or(before_start.tenant_changed_at);
                let touched = match newest_touching(state.flag_changes(), own, &subject)? {
                    None => newest_touching(before_start.flag_changes, own, &subject)?,
                    recent => recent,
                };
                Some(touched.unwrap_or(own))
            }
        };
        let mark = match (revision, &known) {
            (None, Some(known)) => known.mark.clone(),
            (revision, _) => Mark::of(&state.snapshot().slice(&subject, revision.unwrap_or_default())?),
        };
        let found = look(&state, &subject, &mark);
        let is_known = known.is_some_and(|known| known.looked_at == looked_at && known.mark == mark);
        let newest = Known { tenant: Arc::clone(tenant), looked_at, mark };
        drop(state);
        if !is_known {
            let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= MAX_KNOWN {
                all.clear();
            }
            all.insert(key, newest);
        }
        Ok(Some(found))
    }

    async fn before_start(
        &self,
        live: &Live,
        store: &dyn Store,
        id: &Id,
    ) -> Result<BeforeStart<'_>, SliceError> {
        let started_at = live.read().started_at();
        let (kind, id) = (Some("tenant".to_owned()), Some(id.to_string()));
        let query = ChangeQuery { kind, id, below: Some(started_at + 1), limit: 1, ..ChangeQuery::default() };
        let newest = store.changes(query).await?;
        Ok(BeforeStart {
            tenant_changed_at: newest.first().map_or(0, |change| change.revision),
            flag_changes: self.past.up_to(started_at, store).await?,
        })
    }
}

/// What only the log knows. It never changes.
#[derive(Default)]
struct BeforeStart<'p> {
    tenant_changed_at: u64,
    flag_changes: &'p [FlagChange],
}

/// The newest change after a revision that changes what the subject is told.
fn newest_touching(
    oldest_first: &[FlagChange],
    after: u64,
    subject: &Subject<'_>,
) -> Result<Option<u64>, Error> {
    for change in oldest_first.iter().rev().take_while(|change| change.revision > after) {
        if change.touches(subject)? {
            return Ok(Some(change.revision));
        }
    }
    Ok(None)
}
