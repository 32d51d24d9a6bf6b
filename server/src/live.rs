//! What is held in memory: who is who, which tenants there are, and the compiled flags, all at one revision.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use dezky_core::{
    Environment, Error, Flag, FlagKey, FlagRule, Id, Ruleset, Slug, Snapshot, Subject, TenantStatus, User,
    UserRecord, World, WorldPartner, WorldTenant,
};

use crate::store::{Entry, Observer, Population, Record, identity_of};

/// The state, shared by every request; changed by the store's writer alone, after each commit and before its acknowledgement.
#[derive(Clone)]
pub struct Live(Arc<Shared>);

struct Shared {
    state: RwLock<State>,
    world: Mutex<Option<CachedWorld>>,
}

/// One revision of everything.
pub struct State {
    /// The newest revision.
    pub revision: u64,
    environment: Environment,
    tenants: HashMap<Id, Arc<WorldTenant>>,
    slugs: HashMap<Slug, Arc<WorldTenant>>,
    partners: HashMap<Id, Slug>,
    partner_slugs: HashMap<Slug, Id>,
    users: HashMap<Id, Arc<Known>>,
    identities: HashMap<String, Arc<Known>>,
    flags: BTreeMap<FlagKey, Flag>,
    ruleset: Ruleset,
    population_revision: u64,
    flags_revision: u64,
}

/// A user, as decisions need one.
#[derive(Debug)]
pub struct Known {
    /// Their record's rights.
    pub record: UserRecord,
    /// Their e-mail address, for the log.
    pub email: dezky_core::Email,
    identity: Option<String>,
    issuer: Option<Box<str>>,
}

struct CachedWorld {
    population_revision: u64,
    world: World,
}

impl Live {
    /// With nothing in it yet.
    pub fn new(environment: Environment) -> Result<Live, Error> {
        let state = State {
            revision: 0,
            ruleset: Ruleset::new(Snapshot::new(0, environment.clone(), Vec::new())?),
            environment,
            tenants: HashMap::new(),
            slugs: HashMap::new(),
            partners: HashMap::new(),
            partner_slugs: HashMap::new(),
            users: HashMap::new(),
            identities: HashMap::new(),
            flags: BTreeMap::new(),
            population_revision: 0,
            flags_revision: 0,
        };
        Ok(Live(Arc::new(Shared { state: RwLock::new(state), world: Mutex::new(None) })))
    }

    /// Takes in what the store has: once, before anything is written.
    pub fn load(&self, population: Population) -> Result<(), Error> {
        let Population { revision, tenants, partners, users, flags } = population;
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        (state.revision, state.population_revision, state.flags_revision) = (revision, revision, revision);
        state.tenants.reserve(tenants.len());
        state.slugs.reserve(tenants.len());
        state.partners.reserve(partners.len());
        state.partner_slugs.reserve(partners.len());
        state.users.reserve(users.len());
        state.identities.reserve(users.len());
        tenants.into_iter().for_each(|tenant| state.put_tenant(tenant));
        partners.into_iter().for_each(|partner| state.put_partner(partner));
        users.iter().for_each(|user| state.put_user(user));
        state.flags = flags.into_iter().map(|flag| (flag.key().clone(), flag)).collect();
        state.compile()
    }

    /// The state now. Hold it briefly: a commit waits for it.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The population and its flags, for questions about all of it. Built when asked for, and kept until something of it changes.
    pub fn world(&self) -> Result<World, Error> {
        let mut cached = self.0.world.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.read();
        let (revision, population_revision) = (state.world_revision(), state.population_revision);
        let flags: Vec<FlagRule> = state.flags.values().map(Flag::rule).collect();
        let world = match cached.take().filter(|cached| cached.population_revision == population_revision) {
            Some(CachedWorld { world, .. }) if world.revision() == revision => world,
            Some(CachedWorld { world, .. }) => {
                drop(state);
                world.with_flags(revision, flags)?
            }
            None => {
                let tenants: Vec<Arc<WorldTenant>> = state.tenants.values().cloned().collect();
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

    /// What the store's writer tells of each commit.
    pub fn observer(&self) -> Box<dyn Observer> {
        Box::new(self.clone())
    }
}

impl Observer for Live {
    fn committed(&mut self, entries: &[(u64, Entry)]) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut flags_changed = false;
        for (revision, entry) in entries {
            state.revision = *revision;
            match (&entry.before, &entry.after) {
                (_, Some(Record::Tenant(tenant))) => {
                    state.put_tenant(WorldTenant::from(&**tenant));
                    state.population_revision = *revision;
                }
                (_, Some(Record::Partner(partner))) => {
                    state.put_partner(WorldPartner::from(&**partner));
                    state.population_revision = *revision;
                }
                (_, Some(Record::User(user))) => state.put_user(user),
                (_, Some(Record::Flag(flag))) => {
                    state.flags.insert(flag.key().clone(), (**flag).clone());
                    (flags_changed, state.flags_revision) = (true, *revision);
                }
                (Some(Record::Flag(flag)), None) => {
                    state.flags.remove(flag.key());
                    (flags_changed, state.flags_revision) = (true, *revision);
                }
                (Some(Record::User(user)), None) => state.remove_user(&user.id),
                // Tenants and partners are never removed; subscriptions are not held here.
                _ => {}
            }
        }
        if flags_changed && let Err(error) = state.compile() {
            tracing::error!(%error, "the flags do not compile: the earlier ones stay in force");
        }
    }
}

impl State {
    /// The tenant of this slug.
    pub fn tenant(&self, slug: &str) -> Option<&Arc<WorldTenant>> {
        self.slugs.get(slug)
    }

    /// The tenant of this id.
    pub fn tenant_by_id(&self, id: &str) -> Option<&Arc<WorldTenant>> {
        self.tenants.get(id)
    }

    /// The partner of this slug.
    pub fn partner(&self, slug: &str) -> Option<&Id> {
        self.partner_slugs.get(slug)
    }

    /// The slug of this partner.
    pub fn partner_slug(&self, id: &Id) -> Option<&Slug> {
        self.partners.get(id)
    }

    /// The user of this id.
    pub fn user(&self, id: &str) -> Option<&Arc<Known>> {
        self.users.get(id)
    }

    /// The user whom an issuer calls so.
    pub fn user_of(&self, issuer: &str, subject: &str) -> Option<&Arc<Known>> {
        self.identities.get(&identity_of(issuer, subject))
    }

    /// The compiled flags.
    pub fn ruleset(&self) -> &Ruleset {
        &self.ruleset
    }

    /// The newest revision that changed a tenant, a partner or a flag.
    pub fn world_revision(&self) -> u64 {
        self.population_revision.max(self.flags_revision)
    }

    /// What flags are evaluated for.
    pub fn subject<'s>(&'s self, tenant: &'s WorldTenant) -> Result<Subject<'s>, Error> {
        let subject = Subject::new(tenant.id.as_str(), tenant.slug.as_str(), tenant.plan.as_str())?;
        match tenant.partner_id.as_ref().and_then(|id| self.partners.get(id)) {
            Some(partner) => subject.partner(partner.as_str()),
            None => Ok(subject),
        }
    }

    /// How many there are: tenants, of them terminated ones, partners, users, flags.
    pub fn sizes(&self) -> [(&'static str, usize); 4] {
        [
            ("tenants", self.tenants.len()),
            ("partners", self.partners.len()),
            ("users", self.users.len()),
            ("flags", self.flags.len()),
        ]
    }

    /// The issuers by whom users were first recognised.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.users.values().filter_map(|known| known.issuer.as_deref())
    }

    /// Whether any tenant that is not terminated is there under this id.
    pub fn is_live(&self, tenant: &Id) -> bool {
        self.tenants.get(tenant).is_some_and(|row| row.status != TenantStatus::Terminated)
    }

    fn put_tenant(&mut self, row: WorldTenant) {
        let row = Arc::new(row);
        self.slugs.insert(row.slug.clone(), Arc::clone(&row));
        self.tenants.insert(row.id.clone(), row);
    }

    fn put_partner(&mut self, partner: WorldPartner) {
        self.partner_slugs.insert(partner.slug.clone(), partner.id.clone());
        self.partners.insert(partner.id, partner.slug);
    }

    fn put_user(&mut self, user: &User) {
        self.remove_user(&user.id);
        let identity = user.subject.as_ref().map(|own| identity_of(own.issuer.as_str(), own.sub.as_str()));
        let issuer = user.subject.as_ref().map(|own| own.issuer.as_str().into());
        let known = Arc::new(Known {
            issuer,
            record: UserRecord::from(user),
            email: user.email.clone(),
            identity: identity.clone(),
        });
        if let Some(identity) = identity {
            self.identities.insert(identity, Arc::clone(&known));
        }
        self.users.insert(user.id.clone(), known);
    }

    fn remove_user(&mut self, id: &Id) {
        if let Some(identity) = self.users.remove(id).and_then(|known| known.identity.clone()) {
            self.identities.remove(&identity);
        }
    }

    fn compile(&mut self) -> Result<(), Error> {
        let rules = self.flags.values().map(Flag::rule).collect();
        self.ruleset = Ruleset::new(Snapshot::new(self.flags_revision, self.environment.clone(), rules)?);
        Ok(())
    }
}
