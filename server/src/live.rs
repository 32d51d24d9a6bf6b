//! What is held in memory: who is who, which tenants there are, and the compiled flags, all at one revision.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use dezky_core::{
    Environment, Error, Flag, FlagKey, FlagRule, Id, Ruleset, Slug, Snapshot, Subject, TenantStatus,
    Timestamp, User, UserRecord, World, WorldPartner, WorldTenant,
};

use crate::delivery::{FlagChange, News, Release, Releases};
use crate::keys::{Key, SecretHash};
use crate::store::{Entry, KeptKey, Observer, Population, Record, identity_of};

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
    keys: BTreeMap<Id, Arc<KnownKey>>,
    secrets: HashMap<SecretHash, Arc<KnownKey>>,
    flags: BTreeMap<FlagKey, Flag>,
    killed: BTreeSet<FlagKey>,
    snapshot: Snapshot,
    ruleset: Ruleset,
    population_revision: u64,
    flags_revision: u64,
    started_at: u64,
    flag_changes: Vec<FlagChange>,
    tenant_changes: HashMap<Id, u64>,
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

/// A machine key, and when it was last used.
#[derive(Debug)]
pub struct KnownKey {
    /// The key.
    pub key: Key,
    // In microseconds since 1970; 0 for never.
    used_at: AtomicI64,
    noted_at: AtomicI64,
}

impl KnownKey {
    fn new(key: Key, last_used_at: Option<Timestamp>) -> KnownKey {
        let used_at = last_used_at.map_or(0, Timestamp::as_micros);
        KnownKey { key, used_at: AtomicI64::new(used_at), noted_at: AtomicI64::new(used_at) }
    }

    /// It is being used.
    pub fn used(&self, now: Timestamp) {
        self.used_at.fetch_max(now.as_micros(), Ordering::Relaxed);
    }

    /// When it was last used, if ever.
    pub fn last_used_at(&self) -> Option<Timestamp> {
        match self.used_at.load(Ordering::Relaxed) {
            0 => None,
            micros => Timestamp::from_micros(micros).ok(),
        }
    }

    /// When it was last used, if that is not what was given out here before.
    fn newly_used(&self) -> Option<Timestamp> {
        let used_at = self.used_at.load(Ordering::Relaxed);
        let is_new = self.noted_at.swap(used_at, Ordering::Relaxed) != used_at;
        self.last_used_at().filter(|_| is_new)
    }
}

struct CachedWorld {
    population_revision: u64,
    world: World,
}

impl Live {
    /// With nothing in it yet.
    pub fn new(environment: Environment) -> Result<Live, Error> {
        let snapshot = Snapshot::new(0, environment.clone(), Vec::new())?;
        let state = State {
            revision: 0,
            ruleset: Ruleset::new(snapshot.clone()),
            snapshot,
            environment,
            tenants: HashMap::new(),
            slugs: HashMap::new(),
            partners: HashMap::new(),
            partner_slugs: HashMap::new(),
            users: HashMap::new(),
            identities: HashMap::new(),
            keys: BTreeMap::new(),
            secrets: HashMap::new(),
            flags: BTreeMap::new(),
            killed: BTreeSet::new(),
            population_revision: 0,
            flags_revision: 0,
            started_at: 0,
            flag_changes: Vec::new(),
            tenant_changes: HashMap::new(),
        };
        let (releases, news) = (Releases::default(), News::default());
        Ok(Live(Arc::new(Shared { state: RwLock::new(state), world: Mutex::new(None), releases, news })))
    }

    /// Takes in what the store has: once, before anything is written.
    pub fn load(&self, population: Population) -> Result<(), Error> {
        let Population { revision, tenants, partners, users, keys, flags, flags_revision, killed } =
            population;
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        (state.revision, state.population_revision, state.started_at) = (revision, revision, revision);
        (state.flags_revision, state.killed) = (flags_revision, killed);
        state.tenants.reserve(tenants.len());
        state.slugs.reserve(tenants.len());
        state.partners.reserve(partners.len());
        state.partner_slugs.reserve(partners.len());
        state.users.reserve(users.len());
        state.identities.reserve(users.len());
        tenants.into_iter().for_each(|tenant| state.put_tenant(tenant));
        partners.into_iter().for_each(|partner| state.put_partner(partner));
        users.iter().for_each(|user| state.put_user(user));
        keys.into_iter()
            .for_each(|KeptKey { key, last_used_at }| state.put_key(KnownKey::new(key, last_used_at)));
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

    /// The machine keys that were used since this was last asked, and when.
    pub fn newly_used_keys(&self) -> Vec<(Id, Timestamp)> {
        let used = |(id, known): (&Id, &Arc<KnownKey>)| Some((id.clone(), known.newly_used()?));
        self.read().keys.iter().filter_map(used).collect()
    }

    /// What the store's writer tells of each commit.
    pub fn observer(&self) -> Box<dyn Observer> {
        Box::new(self.clone())
    }
}

impl Observer for Live {
    fn committed(&mut self, entries: &[(u64, Entry)]) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        let flags_revision = state.flags_revision;
        for (revision, entry) in entries {
            state.take(*revision, entry);
        }
        if state.flags_revision > flags_revision
            && let Err(error) = state.compile()
        {
            tracing::error!(%error, "the flags do not compile: the earlier ones stay in force");
        }
        let flags_changed = (state.flags_revision > flags_revision).then_some(state.flags_revision);
        drop(state);
        for (_, entry) in entries {
            if let Some(Record::Tenant(tenant)) = &entry.after {
                self.0.news.tenant(tenant.id());
            }
        }
        if let Some(revision) = flags_changed {
            self.0.news.flags(revision);
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

    /// One flag, without its history.
    pub fn flag(&self, key: &FlagKey) -> Option<&Flag> {
        self.flags.get(key)
    }

    /// The flags as a document, in the server's environment.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The environment that the server is for.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The newest revision that changed a flag.
    pub fn flags_revision(&self) -> u64 {
        self.flags_revision
    }

    /// Whether a flag that is off was turned off by the kill switch.
    pub fn is_killed(&self, key: &str) -> bool {
        self.killed.contains(key)
    }

    /// The newest revision at the server's start.
    pub fn started_at(&self) -> u64 {
        self.started_at
    }

    /// What changed of the flags since then, oldest first.
    pub fn flag_changes(&self) -> &[FlagChange] {
        &self.flag_changes
    }

    /// The revision that last changed a tenant, if that was since then.
    pub fn tenant_changed_at(&self, id: &Id) -> Option<u64> {
        self.tenant_changes.get(id).copied()
    }

    /// The machine key with this secret.
    pub fn key_of(&self, secret: &SecretHash) -> Option<&Arc<KnownKey>> {
        self.secrets.get(secret)
    }

    /// The machine key of this id.
    pub fn key(&self, id: &str) -> Option<&Arc<KnownKey>> {
        self.keys.get(id)
    }

    /// The machine keys by id, those after one id.
    pub fn keys_after(&self, id: Option<&Id>) -> impl Iterator<Item = &Arc<KnownKey>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let after = id.map_or(Unbounded, Excluded);
        self.keys.range::<Id, _>((after, Unbounded)).map(|(_, known)| known)
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

    /// How many there are of each kind.
    pub fn sizes(&self) -> [(&'static str, usize); 5] {
        [
            ("keys", self.keys.len()),
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

    fn take(&mut self, revision: u64, entry: &Entry) {
        self.revision = revision;
        match (&entry.before, &entry.after) {
            (_, Some(Record::Tenant(tenant))) => {
                self.put_tenant(WorldTenant::from(&**tenant));
                self.tenant_changes.insert(tenant.id().clone(), revision);
                self.population_revision = revision;
            }
            (_, Some(Record::Partner(partner))) => {
                self.put_partner(WorldPartner::from(&**partner));
                self.population_revision = revision;
            }
            (_, Some(Record::User(user))) => self.put_user(user),
            (_, Some(Record::Key(key))) => self.put_key(KnownKey::new((**key).clone(), None)),
            (before, Some(Record::Flag(flag))) => {
                let before = match before {
                    Some(Record::Flag(before)) => Some(&**before),
                    _ => None,
                };
                self.change_flag(revision, before, Some(flag));
                self.flags.insert(flag.key().clone(), (**flag).clone());
                if entry.action == FLAG_KILL {
                    self.killed.insert(flag.key().clone());
                }
            }
            (Some(Record::Flag(flag)), None) => {
                self.change_flag(revision, Some(flag), None);
                self.flags.remove(flag.key());
            }
            (Some(Record::User(user)), None) => self.remove_user(&user.id),
            (Some(Record::Key(key)), None) => {
                self.keys.remove(&key.id);
                self.secrets.remove(&key.hash);
            }
            // Tenants and partners are never removed; subscriptions are not held here.
            _ => {}
        }
    }

    fn change_flag(&mut self, revision: u64, before: Option<&Flag>, after: Option<&Flag>) {
        let rule = |flag: &Flag| Arc::new(flag.rule());
        self.flag_changes.push(FlagChange { revision, before: before.map(rule), after: after.map(rule) });
        if let Some(flag) = before.or(after) {
            self.killed.remove(flag.key());
        }
        self.flags_revision = revision;
    }

    fn put_key(&mut self, known: KnownKey) {
        let known = Arc::new(known);
        self.secrets.insert(known.key.hash, Arc::clone(&known));
        self.keys.insert(known.key.id.clone(), known);
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
        self.snapshot = Snapshot::new(self.flags_revision, self.environment.clone(), rules)?;
        self.ruleset = Ruleset::new(self.snapshot.clone());
        Ok(())
    }
}
