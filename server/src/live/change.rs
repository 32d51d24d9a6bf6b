//! Builds the state from the store, and applies each commit to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use dezky_core::Error;
use dezky_core::flags::{Ruleset, Snapshot};
use dezky_core::model::{Flag, User};
use dezky_core::names::{Environment, Id};
use dezky_core::world::{WorldPartner, WorldTenant};

use super::tenants::Tenants;
use super::{FLAG_KILL, FlagChange, KeyEntry, LiveState, RecentChanges, UserEntry};
use crate::store::{InitialState, Record, RecordChange, StoredKey};

impl LiveState {
    /// Creates an empty state that holds at most `max_changes` flag changes.
    pub(super) fn new(environment: Environment, max_changes: usize) -> Result<LiveState, Error> {
        let snapshot = Snapshot::new(0, environment.clone(), Vec::new())?;
        Ok(LiveState {
            revision: 0,
            ruleset: Ruleset::new(snapshot.clone()),
            snapshot,
            environment,
            tenants: Tenants::default(),
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
            flag_changes: RecentChanges::new(max_changes),
            tenant_changes: HashMap::new(),
        })
    }

    /// Fills the empty state with the records of the store.
    pub(super) fn load(&mut self, initial: InitialState) -> Result<(), Error> {
        let InitialState { revision, tenants, partners, users, keys, flags, flags_revision, killed } =
            initial;
        (self.revision, self.population_revision, self.started_at) = (revision, revision, revision);
        (self.flags_revision, self.killed) = (flags_revision, killed);
        self.flag_changes.begin(flags_revision);
        self.tenants.reserve(tenants.len());
        self.partners.reserve(partners.len());
        self.partner_slugs.reserve(partners.len());
        self.users.reserve(users.len());
        self.identities.reserve(users.len());
        tenants.into_iter().for_each(|tenant| self.tenants.put(tenant));
        partners.into_iter().for_each(|partner| self.put_partner(partner));
        users.iter().for_each(|user| self.put_user(user));
        for StoredKey { key, last_used_at, last_used_from } in keys {
            self.put_key(KeyEntry::new(key, last_used_at, last_used_from));
        }
        self.flags = flags.into_iter().map(|flag| (flag.key().clone(), flag)).collect();
        self.compile()
    }

    /// Applies one committed change.
    pub(super) fn apply(&mut self, revision: u64, change: &RecordChange) {
        self.revision = revision;
        match (&change.before, &change.after) {
            (_, Some(Record::Tenant(tenant))) => {
                self.tenants.put(WorldTenant::from(&**tenant));
                self.tenant_changes.insert(tenant.id().clone(), revision);
                self.population_revision = revision;
            }
            (_, Some(Record::Partner(partner))) => {
                self.put_partner(WorldPartner::from(&**partner));
                self.population_revision = revision;
            }
            (_, Some(Record::User(user))) => self.put_user(user),
            (_, Some(Record::Key(key))) => {
                let key = (**key).clone();
                self.put_key(match self.keys.get(&key.id) {
                    Some(entry) => entry.with_key(key),
                    None => KeyEntry::new(key, None, None),
                });
            }
            (before, Some(Record::Flag(flag))) => {
                let before = match before {
                    Some(Record::Flag(before)) => Some(&**before),
                    _ => None,
                };
                self.change_flag(revision, before, Some(flag));
                self.flags.insert(flag.key().clone(), (**flag).clone());
                if change.action == FLAG_KILL {
                    self.killed.insert(flag.key().clone());
                }
            }
            (Some(Record::Flag(flag)), None) => {
                self.change_flag(revision, Some(flag), None);
                self.flags.remove(flag.key());
            }
            (Some(Record::User(user)), None) => self.remove_user(&user.id),
            (Some(Record::Key(key)), None) => self.remove_key(&key.id),
            // Tenants and partners are never removed, and subscriptions are not in memory.
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

    fn put_key(&mut self, entry: KeyEntry) {
        self.remove_key(&entry.key.id);
        let entry = Arc::new(entry);
        for hash in entry.key.hashes() {
            self.secrets.insert(*hash, Arc::clone(&entry));
        }
        self.keys.insert(entry.key.id.clone(), entry);
    }

    fn remove_key(&mut self, id: &Id) {
        for hash in self.keys.remove(id).iter().flat_map(|entry| entry.key.hashes()) {
            self.secrets.remove(hash);
        }
    }

    fn put_partner(&mut self, partner: WorldPartner) {
        self.partner_slugs.insert(partner.slug.clone(), partner.id.clone());
        self.partners.insert(partner.id, partner.slug);
    }

    fn put_user(&mut self, user: &User) {
        self.remove_user(&user.id);
        let entry = Arc::new(UserEntry::new(user));
        if let Some(identity) = &entry.identity {
            self.identities.insert(identity.clone(), Arc::clone(&entry));
        }
        self.users.insert(user.id.clone(), entry);
    }

    fn remove_user(&mut self, id: &Id) {
        if let Some(identity) = self.users.remove(id).and_then(|entry| entry.identity.clone()) {
            self.identities.remove(&identity);
        }
    }

    /// Compiles the flags into a new snapshot and ruleset.
    pub(super) fn compile(&mut self) -> Result<(), Error> {
        let rules = self.flags.values().map(Flag::rule).collect();
        self.snapshot = Snapshot::new(self.flags_revision, self.environment.clone(), rules)?;
        self.ruleset = Ruleset::new(self.snapshot.clone());
        Ok(())
    }
}
