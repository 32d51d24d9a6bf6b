//! Lookups in one revision of the state in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use dezky_core::flags::{Ruleset, Snapshot, Subject};
use dezky_core::model::{Flag, TenantStatus};
use dezky_core::names::{Environment, FlagKey, Id, Slug};
use dezky_core::world::WorldTenant;

use super::tenants::Tenants;
use super::{FlagChange, KeyEntry, RecentChanges, UserEntry};
use crate::keys::SecretHash;
use crate::store::identity_key;

/// The records in memory and the compiled flags, at one revision.
pub struct LiveState {
    /// The newest revision of the log.
    pub(crate) revision: u64,
    pub(super) environment: Environment,
    pub(super) tenants: Tenants,
    pub(super) partners: HashMap<Id, Slug>,
    pub(super) partner_slugs: HashMap<Slug, Id>,
    pub(super) users: HashMap<Id, Arc<UserEntry>>,
    pub(super) identities: HashMap<String, Arc<UserEntry>>,
    pub(super) keys: BTreeMap<Id, Arc<KeyEntry>>,
    pub(super) secrets: HashMap<SecretHash, Arc<KeyEntry>>,
    pub(super) flags: BTreeMap<FlagKey, Flag>,
    pub(super) killed: BTreeSet<FlagKey>,
    pub(super) snapshot: Snapshot,
    pub(super) ruleset: Ruleset,
    pub(super) population_revision: u64,
    pub(super) flags_revision: u64,
    pub(super) started_at: u64,
    pub(super) flag_changes: RecentChanges,
    pub(super) tenant_changes: HashMap<Id, u64>,
}

impl LiveState {
    /// Looks up a tenant by slug.
    pub(crate) fn tenant(&self, slug: &str) -> Option<&Arc<WorldTenant>> {
        self.tenants.by_slug(slug)
    }

    /// Looks up a tenant by id.
    pub fn tenant_by_id(&self, id: &str) -> Option<&Arc<WorldTenant>> {
        self.tenants.get(id)
    }

    /// Looks up a partner's id by slug.
    pub(crate) fn partner(&self, slug: &str) -> Option<&Id> {
        self.partner_slugs.get(slug)
    }

    /// Looks up a partner's slug by id.
    pub(crate) fn partner_slug(&self, id: &Id) -> Option<&Slug> {
        self.partners.get(id)
    }

    /// Looks up a tenant by slug among those that the caller may see. With `visible`, searches only
    /// these tenants, so the time reveals nothing about other tenants.
    pub(crate) fn visible_tenant(&self, slug: &str, visible: Option<&[Id]>) -> Option<&Arc<WorldTenant>> {
        match visible {
            None => self.tenant(slug),
            Some(own) => self.live_tenants(own).find(|tenant| tenant.slug.as_str() == slug),
        }
    }

    /// Looks up a partner by slug among the partners of the tenants that the caller may see, with
    /// the same care for timing.
    pub(crate) fn visible_partner(&self, slug: &str, visible: Option<&[Id]>) -> Option<&Id> {
        let Some(own) = visible else { return self.partner(slug) };
        let mut partners = self.live_tenants(own).filter_map(|tenant| tenant.partner_id.as_ref());
        partners.find(|id| self.partner_slug(id).is_some_and(|own| own.as_str() == slug))
    }

    fn live_tenants<'s>(&'s self, ids: &[Id]) -> impl Iterator<Item = &'s Arc<WorldTenant>> {
        let tenants = ids.iter().filter_map(|id| self.tenant_by_id(id.as_str()));
        tenants.filter(|tenant| tenant.status != TenantStatus::Terminated)
    }

    /// Looks up a user by id.
    pub(crate) fn user(&self, id: &str) -> Option<&Arc<UserEntry>> {
        self.users.get(id)
    }

    /// Looks up the user with this subject at this issuer.
    pub(crate) fn user_by_identity(&self, issuer: &str, subject: &str) -> Option<&Arc<UserEntry>> {
        self.identities.get(&identity_key(issuer, subject))
    }

    /// The compiled flags of the server's environment.
    pub(crate) fn ruleset(&self) -> &Ruleset {
        &self.ruleset
    }

    /// Looks up a flag, without its history.
    pub(crate) fn flag(&self, key: &FlagKey) -> Option<&Flag> {
        self.flags.get(key)
    }

    /// The snapshot of the server's environment.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The environment that the server evaluates by default.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Lists the server's environment and those of all machine keys.
    pub(crate) fn environments(&self) -> Vec<Environment> {
        let of_keys = self.keys.values().map(|entry| &entry.key.environment);
        let all: BTreeSet<&Environment> = of_keys.chain([&self.environment]).collect();
        all.into_iter().cloned().collect()
    }

    /// The newest revision that changed a flag.
    pub(crate) fn flags_revision(&self) -> u64 {
        self.flags_revision
    }

    /// Returns whether the kill switch made the flag's last change.
    pub(crate) fn is_killed(&self, key: &str) -> bool {
        self.killed.contains(key)
    }

    /// The newest revision at the server's start.
    pub(crate) fn started_at(&self) -> u64 {
        self.started_at
    }

    /// The flag changes in memory, oldest first.
    pub(crate) fn flag_changes(&self) -> impl DoubleEndedIterator<Item = &FlagChange> {
        self.flag_changes.iter()
    }

    /// Returns whether memory holds every flag change above this revision.
    pub(crate) fn remembers_changes_after(&self, revision: u64) -> bool {
        self.flag_changes.reaches_back_to(revision)
    }

    /// The revision of a tenant's last change, if the tenant changed since the server's start.
    pub(crate) fn tenant_changed_at(&self, id: &Id) -> Option<u64> {
        self.tenant_changes.get(id).copied()
    }

    /// Looks up a machine key by the hash of a secret.
    pub(crate) fn key_by_secret(&self, secret: &SecretHash) -> Option<&Arc<KeyEntry>> {
        self.secrets.get(secret)
    }

    /// Looks up a machine key by id.
    pub(crate) fn key(&self, id: &str) -> Option<&Arc<KeyEntry>> {
        self.keys.get(id)
    }

    /// Iterates over the machine keys in order of id, after the given id.
    pub(crate) fn keys_after(&self, id: Option<&Id>) -> impl Iterator<Item = &Arc<KeyEntry>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let after = id.map_or(Unbounded, Excluded);
        self.keys.range::<Id, _>((after, Unbounded)).map(|(_, entry)| entry)
    }

    /// The newest revision that changed a tenant, a partner or a flag.
    pub(crate) fn world_revision(&self) -> u64 {
        self.population_revision.max(self.flags_revision)
    }

    /// The newest revision that changed a tenant or a partner.
    pub(crate) fn population_revision(&self) -> u64 {
        self.population_revision
    }

    /// The subject of a tenant, for evaluation.
    pub fn subject<'s>(&'s self, tenant: &'s WorldTenant, environment: &'s Environment) -> Subject<'s> {
        let partner = tenant.partner_id.as_ref().and_then(|id| self.partners.get(id));
        Subject::from_names(&tenant.id, &tenant.slug, &tenant.plan, partner, Some(environment))
    }

    /// The number of records of each kind in memory.
    pub(crate) fn sizes(&self) -> [(&'static str, usize); 5] {
        [
            ("keys", self.keys.len()),
            ("tenants", self.tenants.len()),
            ("partners", self.partners.len()),
            ("users", self.users.len()),
            ("flags", self.flags.len()),
        ]
    }

    /// The issuers of the users' first sign-ins.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.users.values().filter_map(|entry| entry.issuer.as_deref())
    }

    /// Returns whether the tenant exists and is not terminated.
    pub(crate) fn is_live(&self, tenant: &Id) -> bool {
        self.tenants.get(tenant.as_str()).is_some_and(|row| row.status != TenantStatus::Terminated)
    }
}
