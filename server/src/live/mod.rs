//! What is held in memory: who is who, which tenants there are, and the compiled flags, all at one revision.

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use dezky_core::Error;
use dezky_core::flags::FlagRule;
use dezky_core::model::Flag;
use dezky_core::names::{Environment, Id, Slug};
use dezky_core::world::{World, WorldPartner, WorldTenant};

use crate::store::{Entry, KeyUse, Observer, Population, Record};

mod change;
mod flag_change;
mod known;
mod news;
mod release;
mod state;
mod tenants;

pub use flag_change::{FlagChange, MAX_RECENT_CHANGES, RecentChanges};
pub use known::{Known, KnownKey};
pub use news::{News, Subscription};
pub use release::{Coding, Mark, Release};
pub use state::State;

use release::Releases;

/// What the log calls the use of the kill switch.
pub const FLAG_KILL: &str = "flag.kill";

/// The state, shared by every request; changed by the store's writer alone, after each commit and before its acknowledgement.
#[derive(Clone)]
pub struct Live(Arc<Shared>);

struct Shared {
    state: RwLock<State>,
    world: Mutex<Option<CachedWorld>>,
    releases: Releases,
    news: News,
}

struct CachedWorld {
    population_revision: u64,
    world: World,
}

impl Live {
    /// An empty state.
    pub fn new(environment: Environment) -> Result<Live, Error> {
        Live::remembering(MAX_RECENT_CHANGES, environment)
    }

    /// An empty state that remembers this many changes of flags; older ones are read from the store.
    pub fn remembering(most_changes: usize, environment: Environment) -> Result<Live, Error> {
        let state = RwLock::new(State::new(environment, most_changes)?);
        let (releases, news) = (Releases::default(), News::default());
        Ok(Live(Arc::new(Shared { state, world: Mutex::new(None), releases, news })))
    }

    /// Takes in what the store has: once, before anything is written.
    pub fn load(&self, population: Population) -> Result<(), Error> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner).load(population)
    }

    /// The state now. Hold it briefly: a commit waits for it.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The population and its flags, for questions about all of it. Built when asked for, and kept until something of it changes.
    pub fn world(&self) -> Result<World, Error> {
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
                // Putting it together takes a while, and commits need the state.
                drop(state);
                let tenants = tenants.iter().map(|tenant| (**tenant).clone());
                let partners = partners.into_iter().map(|(id, slug)| WorldPartner { id, slug });
                World::new(revision, environment, tenants, partners, flags)?
            }
        };
        *cached = Some(CachedWorld { population_revision, world: world.clone() });
        Ok(world)
    }

    /// A world of the population as it is, for its names alone: its flags may be those of an earlier revision.
    pub fn names(&self) -> Result<World, Error> {
        let cached = self.0.world.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = self.read().population_revision();
        let known = cached.as_ref().filter(|cached| cached.population_revision == revision);
        let known = known.map(|cached| cached.world.clone());
        drop(cached);
        known.map_or_else(|| self.world(), Ok)
    }

    /// The snapshot of an environment as it leaves the server.
    pub fn release(&self, environment: &Environment) -> Arc<Release> {
        self.release_at(&self.read(), environment)
    }

    /// The same of a state that is being looked at.
    pub fn release_at(&self, state: &State, environment: &Environment) -> Arc<Release> {
        self.0.releases.of(&state.snapshot, environment)
    }

    /// For those who wait for changes.
    pub fn news(&self) -> &News {
        &self.0.news
    }

    /// The last uses of the machine keys that were used since this was last asked.
    pub fn newly_used_keys(&self) -> Vec<KeyUse> {
        self.read().keys.values().filter_map(|known| known.newly_used()).collect()
    }

    /// What the store's writer tells of each commit.
    pub fn observer(&self) -> Box<dyn Observer> {
        Box::new(self.clone())
    }
}

impl Observer for Live {
    fn committed(&mut self, entries: &[(u64, Entry)]) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        let (flags_revision, population_revision) = (state.flags_revision, state.population_revision);
        for (revision, entry) in entries {
            state.take(*revision, entry);
        }
        if state.flags_revision > flags_revision
            && let Err(error) = state.compile()
        {
            tracing::error!(%error, "the flags do not compile: the earlier ones stay in force");
        }
        let flags_changed = state.flags_revision > flags_revision;
        let population_changed = state.population_revision > population_revision;
        drop(state);
        for (_, entry) in entries {
            if let Some(Record::Tenant(tenant)) = &entry.after {
                self.0.news.tenant(tenant.id());
            }
        }
        if flags_changed {
            self.0.news.flags();
        }
        if population_changed {
            self.0.news.population();
        }
    }
}
