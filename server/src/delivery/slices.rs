//! Slices: the part of a snapshot that one tenant's decisions depend on. Its revision moves with this tenant's decisions alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use dezky_core::Error;
use dezky_core::flags::Subject;
use dezky_core::names::{Environment, Id};
use dezky_core::world::WorldTenant;

use super::past::OwnSubject;
use crate::live::{Live, Mark, State};
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
    known: Mutex<HashMap<(Id, Environment), Known>>,
}

/// A slice's revision, as far as the flags' changes were examined for it.
#[derive(Debug, Clone)]
struct Known {
    /// The tenant as it was then: it is replaced whole when it changes.
    tenant: Arc<WorldTenant>,
    /// The flags' changes up to this revision are examined.
    examined: u64,
    /// The newest revision up to there that changed what the tenant is told, or the tenant itself.
    revision: u64,
    /// The mark of the slice, if it was made at that revision.
    mark: Option<Mark>,
}

/// Tenants whose marks are remembered; beyond it they are found anew.
const MAX_KNOWN: usize = 200_000;

/// Reading the past takes milliseconds; memory holds thousands of the changes that are made meanwhile.
const ATTEMPTS: usize = 8;

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

    /// Looks at the state, at a tenant and at the mark of its slice, all at one revision. `None` if there is no such tenant.
    pub async fn look<T>(
        &self,
        live: &Live,
        store: &dyn Store,
        (id, environment): Whose<'_>,
        look: impl FnOnce(&State, &Subject<'_>, &Mark) -> T,
    ) -> Result<Option<T>, SliceError> {
        let key = (id.clone(), environment.clone());
        let mut known = self.known().get(&key).cloned();
        for _ in 0..ATTEMPTS {
            let (subject, flags_revision) = {
                let state = live.read();
                let Some(tenant) = state.tenant_by_id(id.as_str()) else { return Ok(None) };
                // Memory knows when a tenant changed after the start.
                known = known.filter(|known| Arc::ptr_eq(&known.tenant, tenant)).or_else(|| {
                    let changed = state.tenant_changed_at(id)?;
                    let tenant = Arc::clone(tenant);
                    Some(Known { tenant, examined: changed, revision: changed, mark: None })
                });
                if let Some(known) =
                    known.as_ref().filter(|known| state.remembers_changes_after(known.examined))
                {
                    let subject = state.subject(tenant, environment);
                    let newest = known.examine(&state, &subject)?;
                    let mark = match &newest.mark {
                        Some(mark) => mark.clone(),
                        None => Mark::of(&state.snapshot().slice(&subject, newest.revision)?),
                    };
                    let found = look(&state, &subject, &mark);
                    drop(state);
                    self.remember(key, Known { mark: Some(mark), ..newest }, known);
                    return Ok(Some(found));
                }
                let partner = tenant.partner_id.as_ref().and_then(|id| state.partner_slug(id)).cloned();
                let tenant = Arc::clone(tenant);
                let subject = OwnSubject { tenant, partner, environment: environment.clone() };
                (subject, state.flags_revision())
            };
            known = Some(from_store(live, store, subject, known, flags_revision).await?);
        }
        Err(StoreError::Unavailable("the flags change faster than their past can be read".to_owned()).into())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<(Id, Environment), Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, key: (Id, Environment), newest: Known, before: &Known) {
        if before.mark.is_some() && before.examined == newest.examined {
            return;
        }
        let mut all = self.known();
        if all.len() >= MAX_KNOWN {
            all.clear();
        }
        all.insert(key, newest);
    }
}

impl Known {
    /// The same after the changes in memory are examined too.
    fn examine(&self, state: &State, subject: &Subject<'_>) -> Result<Known, Error> {
        let examined = self.examined.max(state.flags_revision());
        for change in state.flag_changes().rev().take_while(|change| change.revision > self.examined) {
            if change.touches(subject)? {
                return Ok(Known { examined, revision: change.revision, mark: None, ..self.clone() });
            }
        }
        Ok(Known { examined, ..self.clone() })
    }
}

/// Reads from the store the past that memory does not have: up to a revision of the flags.
async fn from_store(
    live: &Live,
    store: &dyn Store,
    subject: OwnSubject,
    known: Option<Known>,
    flags_revision: u64,
) -> Result<Known, SliceError> {
    let (examined, revision) = match known {
        Some(known) => (known.examined, known.revision),
        None => {
            // The tenant has not changed since the start: its newest change is in the log.
            let below = Some(live.read().started_at() + 1);
            let (kind, id) = (Some("tenant".to_owned()), Some(subject.tenant.id.to_string()));
            let query = ChangeQuery { kind, id, below, limit: 1, ..ChangeQuery::default() };
            let newest = store.changes(query).await?;
            let changed = newest.first().map_or(0, |change| change.revision);
            (changed, changed)
        }
    };
    let touching = subject.newest_touching(store, examined, flags_revision).await?;
    let examined = examined.max(flags_revision);
    Ok(Known { tenant: subject.tenant, examined, revision: touching.unwrap_or(revision), mark: None })
}
