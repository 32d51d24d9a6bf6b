//! Finds slices: the part of a snapshot that one tenant's decisions depend on. A slice's revision
//! changes only when these decisions or the tenant change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use dezky_core::Error;
use dezky_core::flags::Subject;
use dezky_core::names::{Environment, Id};
use dezky_core::world::WorldTenant;

use super::error::SliceError;
use super::past::OwnedSubject;
use crate::live::{Live, LiveState, SnapshotVersion};
use crate::store::{ChangeQuery, Store, StoreError};

/// The tenant and the environment of a slice.
pub type SliceKey<'k> = (&'k Id, &'k Environment);

/// One tenant's slice in the form that clients receive.
#[derive(Debug, Clone)]
pub struct Slice {
    /// The revision and digest of the slice.
    pub version: SnapshotVersion,
    /// The canonical JSON document of the slice.
    pub body: Bytes,
}

/// Finds slices, and caches their revisions.
#[derive(Debug, Default)]
pub struct Slices {
    examined: Mutex<HashMap<(Id, Environment), ExaminedSlice>>,
}

/// A cached revision of a slice, with the revision up to which flag changes were examined.
#[derive(Debug, Clone)]
struct ExaminedSlice {
    /// The tenant at that time. A changed tenant is another `Arc`.
    tenant: Arc<WorldTenant>,
    /// All flag changes up to this revision are examined.
    examined: u64,
    /// The newest examined revision that changed the slice or the tenant.
    revision: u64,
    /// The version of the slice, if the slice was built at that revision.
    version: Option<SnapshotVersion>,
}

/// The capacity of the cache, which is emptied when it is full.
const MAX_CACHED: usize = 200_000;

/// The number of attempts to catch up with new flag changes. One read of the store takes
/// milliseconds, and memory holds thousands of changes, so more than two attempts are rare.
const ATTEMPTS: usize = 8;

impl Slices {
    /// Returns the version of a tenant's current slice; `None` for an unknown tenant.
    pub async fn version(
        &self,
        live: &Live,
        store: &dyn Store,
        key: SliceKey<'_>,
    ) -> Result<Option<SnapshotVersion>, SliceError> {
        self.look(live, store, key, |_, _, version| version.clone()).await
    }

    /// Returns a tenant's current slice; `None` for an unknown tenant.
    pub async fn slice(
        &self,
        live: &Live,
        store: &dyn Store,
        key: SliceKey<'_>,
    ) -> Result<Option<Slice>, SliceError> {
        let found = self.look(live, store, key, |state, subject, version| {
            let slice = state.snapshot().slice(subject, version.revision)?;
            Ok::<Slice, Error>(Slice { version: version.clone(), body: slice.to_canonical_json().into() })
        });
        Ok(found.await?.transpose()?)
    }

    /// Calls `look` with the state, the subject and the version of its slice, all at one revision.
    /// Returns `None` for an unknown tenant.
    pub async fn look<T>(
        &self,
        live: &Live,
        store: &dyn Store,
        (id, environment): SliceKey<'_>,
        look: impl FnOnce(&LiveState, &Subject<'_>, &SnapshotVersion) -> T,
    ) -> Result<Option<T>, SliceError> {
        let key = (id.clone(), environment.clone());
        let mut cached = self.examined().get(&key).cloned();
        for _ in 0..ATTEMPTS {
            let (subject, flags_revision) = {
                let state = live.read();
                let Some(tenant) = state.tenant_by_id(id.as_str()) else { return Ok(None) };
                // Memory holds the revision of every tenant that changed since the start.
                cached = cached.filter(|cached| Arc::ptr_eq(&cached.tenant, tenant)).or_else(|| {
                    let changed = state.tenant_changed_at(id)?;
                    let tenant = Arc::clone(tenant);
                    Some(ExaminedSlice { tenant, examined: changed, revision: changed, version: None })
                });
                if let Some(cached) =
                    cached.as_ref().filter(|cached| state.remembers_changes_after(cached.examined))
                {
                    let subject = state.subject(tenant, environment);
                    let newest = cached.examine(&state, &subject)?;
                    let version = match &newest.version {
                        Some(version) => version.clone(),
                        None => SnapshotVersion::new(&state.snapshot().slice(&subject, newest.revision)?),
                    };
                    let found = look(&state, &subject, &version);
                    drop(state);
                    self.remember(key, ExaminedSlice { version: Some(version), ..newest }, cached);
                    return Ok(Some(found));
                }
                let partner = tenant.partner_id.as_ref().and_then(|id| state.partner_slug(id)).cloned();
                let tenant = Arc::clone(tenant);
                let subject = OwnedSubject { tenant, partner, environment: environment.clone() };
                (subject, state.flags_revision())
            };
            cached = Some(from_store(live, store, subject, cached, flags_revision).await?);
        }
        Err(StoreError::Unavailable("flags change faster than their past can be read".to_owned()).into())
    }

    fn examined(&self) -> std::sync::MutexGuard<'_, HashMap<(Id, Environment), ExaminedSlice>> {
        self.examined.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, key: (Id, Environment), newest: ExaminedSlice, before: &ExaminedSlice) {
        if before.version.is_some() && before.examined == newest.examined {
            return;
        }
        let mut all = self.examined();
        if all.len() >= MAX_CACHED {
            all.clear();
        }
        all.insert(key, newest);
    }
}

impl ExaminedSlice {
    /// Examines the newer changes in memory too.
    fn examine(&self, state: &LiveState, subject: &Subject<'_>) -> Result<ExaminedSlice, Error> {
        let examined = self.examined.max(state.flags_revision());
        for change in state.flag_changes().rev().take_while(|change| change.revision > self.examined) {
            if change.affects(subject)? {
                return Ok(ExaminedSlice {
                    examined,
                    revision: change.revision,
                    version: None,
                    ..self.clone()
                });
            }
        }
        Ok(ExaminedSlice { examined, ..self.clone() })
    }
}

/// Examines the changes up to a revision in the store, for changes that memory does not hold.
async fn from_store(
    live: &Live,
    store: &dyn Store,
    subject: OwnedSubject,
    cached: Option<ExaminedSlice>,
    flags_revision: u64,
) -> Result<ExaminedSlice, SliceError> {
    let (examined, revision) = match cached {
        Some(cached) => (cached.examined, cached.revision),
        None => {
            // The tenant has not changed since the start, so the log below that point has its
            // newest change.
            let below = Some(live.read().started_at() + 1);
            let (kind, id) = (Some("tenant".to_owned()), Some(subject.tenant.id.to_string()));
            let query = ChangeQuery { kind, id, below, limit: 1, ..ChangeQuery::default() };
            let newest = store.changes(query).await?;
            let changed = newest.first().map_or(0, |change| change.revision);
            (changed, changed)
        }
    };
    let newest = subject.newest_change(store, examined, flags_revision).await?;
    let examined = examined.max(flags_revision);
    Ok(ExaminedSlice {
        tenant: subject.tenant,
        examined,
        revision: newest.unwrap_or(revision),
        version: None,
    })
}
