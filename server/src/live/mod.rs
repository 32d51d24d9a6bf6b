//! The state in memory: users, keys, tenants and compiled flags, all at one revision.

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use dezky_core::Error;
use dezky_core::flags::FlagRule;
use dezky_core::model::Flag;
use dezky_core::names::{Environment, Id, Slug};
use dezky_core::world::{World, WorldPartner, WorldTenant};

use crate::store::{InitialState, KeyUse, Observer, Record, RecordChange};

mod change;
mod entries;
mod flag_change;
mod notifier;
mod release;
mod state;
mod tenants;

pub use entries::{KeyEntry, UserEntry};
pub use flag_change::MAX_RECENT_CHANGES;
pub(crate) use flag_change::{FlagChange, RecentChanges};
pub(crate) use notifier::{ChangeNotifier, Listener};
pub use release::SnapshotVersion;
pub(crate) use release::{Coding, Release};
pub use state::LiveState;

use release::Releases;

/// The action of the kill switch in the log.
pub(crate) const FLAG_KILL: &str = "flag.kill";

/// The state that all requests share. Only the store's writer changes it, after each commit and
/// before the acknowledgement.
#[derive(Clone)]
pub struct Live(Arc<LiveShared>);

struct LiveShared {
    state: RwLock<LiveState>,
    world: Mutex<Option<CachedWorld>>,
    releases: Releases,
    notifier: ChangeNotifier,
}

struct CachedWorld {
    population_revision: u64,
    world: World,
}

impl Live {
    /// Creates an empty state.
    pub fn new(environment: Environment) -> Result<Live, Error> {
        Live::with_max_changes(MAX_RECENT_CHANGES, environment)
    }

    /// Creates an empty state that holds at most `max_changes` flag changes in memory. Slices read
    /// older changes from the store.
    pub fn with_max_changes(max_changes: usize, environment: Environment) -> Result<Live, Error> {
        let state = RwLock::new(LiveState::new(environment, max_changes)?);
        let (releases, notifier) = (Releases::default(), ChangeNotifier::default());
        Ok(Live(Arc::new(LiveShared { state, world: Mutex::new(None), releases, notifier })))
    }

    /// Fills the state from the store. Called once, before the first write.
    pub fn load(&self, initial: InitialState) -> Result<(), Error> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner).load(initial)
    }

    /// Locks the current state for reading. Commits wait for the lock, so hold it briefly.
    pub fn read(&self) -> RwLockReadGuard<'_, LiveState> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the world. Builds it on the first call after a change, and caches it.
    pub(crate) fn world(&self) -> Result<World, Error> {
        let mut cached = self.0.world.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.read();
        let (revision, population_revision) = (state.world_revision(), state.population_revision());
        let flags: Vec<FlagRule> = state.flags.values().map(Flag::rule).collect();
        let world = match cached.take().filter(|cached| cached.population_revision == population_revision) {
            Some(CachedWorld { world, .. }) if world.revision() == revision => world,
            Some(CachedWorld { world, .. }) => {
                drop(state);
                world.with_flags(revision, flags)?
            }
            None => {
                let tenants: Vec<Arc<WorldTenant>> = state.tenants.iter().cloned().collect();
                let partners: Vec<(Id, Slug)> = state.partners.clone().into_iter().collect();
                let environment = state.environment.clone();
                // Building a world takes long, and commits wait for the lock.
                drop(state);
                let tenants = tenants.iter().map(|tenant| (**tenant).clone());
                let partners = partners.into_iter().map(|(id, slug)| WorldPartner { id, slug });
                World::new(revision, environment, tenants, partners, flags)?
            }
        };
        *cached = Some(CachedWorld { population_revision, world: world.clone() });
        Ok(world)
    }

    /// Returns a world with the current population, for lookups of names. Its flags may be
    /// outdated.
    pub(crate) fn names(&self) -> Result<World, Error> {
        let cached = self.0.world.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = self.read().population_revision();
        let current = cached.as_ref().filter(|cached| cached.population_revision == revision);
        let current = current.map(|cached| cached.world.clone());
        drop(cached);
        current.map_or_else(|| self.world(), Ok)
    }

    /// The current snapshot of an environment, ready to send.
    pub(crate) fn release(&self, environment: &Environment) -> Arc<Release> {
        self.release_at(&self.read(), environment)
    }

    /// Like `release`, for a state that the caller has locked.
    pub(crate) fn release_at(&self, state: &LiveState, environment: &Environment) -> Arc<Release> {
        self.0.releases.get(&state.snapshot, environment)
    }

    /// The notifier of flag, tenant and population changes.
    pub(crate) fn notifier(&self) -> &ChangeNotifier {
        &self.0.notifier
    }

    /// Returns the last use of each machine key that was used since the previous call.
    pub(crate) fn take_new_key_uses(&self) -> Vec<KeyUse> {
        self.read().keys.values().filter_map(|entry| entry.take_new_use()).collect()
    }

    /// The observer through which the store's writer applies each commit.
    pub fn observer(&self) -> Box<dyn Observer> {
        Box::new(self.clone())
    }
}

impl Observer for Live {
    fn committed(&mut self, changes: &[(u64, RecordChange)]) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        let (flags_revision, population_revision) = (state.flags_revision, state.population_revision);
        for (revision, change) in changes {
            state.apply(*revision, change);
        }
        if state.flags_revision > flags_revision
            && let Err(error) = state.compile()
        {
            tracing::error!(%error, "cannot compile the flags: the previous flags stay in force");
        }
        let flags_changed = state.flags_revision > flags_revision;
        let population_changed = state.population_revision > population_revision;
        drop(state);
        for (_, change) in changes {
            if let Some(Record::Tenant(tenant)) = &change.after {
                self.0.notifier.notify_tenant(tenant.id());
            }
        }
        if flags_changed {
            self.0.notifier.notify_flags();
        }
        if population_changed {
            self.0.notifier.notify_population();
        }
    }
}
