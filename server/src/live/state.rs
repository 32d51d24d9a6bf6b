//! One revision of everything that is held in memory, and what can be read of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use dezky_core::flags::{Ruleset, Snapshot, Subject};
use dezky_core::model::{Flag, TenantStatus};
use dezky_core::names::{Environment, FlagKey, Id, Slug};
use dezky_core::world::WorldTenant;

use super::tenants::Tenants;
use super::{FlagChange, Known, KnownKey, RecentChanges};
use crate::keys::SecretHash;
use crate::store::identity_of;

/// One revision of everything.
pub struct State {
    /// The newest revision.
    pub revision: u64,
    pub(super) environment: Environment,
    pub(super) tenants: Tenants,
    pub(super) partners: HashMap<Id, Slug>,
    pub(super) partner_slugs: HashMap<Slug, Id>,
    pub(super) users: HashMap<Id, Arc<Known>>,
    pub(super) identities: HashMap<String, Arc<Known>>,
    pub(super) keys: BTreeMap<Id, Arc<KnownKey>>,
    pub(super) secrets: HashMap<SecretHash, Arc<KnownKey>>,
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

impl State {
    /// The tenant of this slug.
    pub fn tenant(&self, slug: &str) -> Option<&Arc<WorldTenant>> {
        self.tenants.of_slug(slug)
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

    /// The tenant of this slug, if the caller may see it. For a caller who may see only some tenants (`visible`)
    /// this looks at those alone, so it does the same work whether or not another tenant has the slug.
    pub fn visible_tenant(&self, slug: &str, visible: Option<&[Id]>) -> Option<&Arc<WorldTenant>> {
        match visible {
            None => self.tenant(slug),
            Some(own) => self.live_tenants(own).find(|tenant| tenant.slug.as_str() == slug),
        }
    }

    /// The partner of this slug, if it brought a tenant that the caller may see; found in the same way.
    pub fn visible_partner(&self, slug: &str, visible: Option<&[Id]>) -> Option<&Id> {
        let Some(own) = visible else { return self.partner(slug) };
        let mut partners = self.live_tenants(own).filter_map(|tenant| tenant.partner_id.as_ref());
        partners.find(|id| self.partner_slug(id).is_some_and(|own| own.as_str() == slug))
    }

    fn live_tenants<'s>(&'s self, ids: &[Id]) -> impl Iterator<Item = &'s Arc<WorldTenant>> {
        let tenants = ids.iter().filter_map(|id| self.tenant_by_id(id.as_str()));
        tenants.filter(|tenant| tenant.status != TenantStatus::Terminated)
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

    /// The environments that there are: the server's own and those of the machine keys.
    pub fn environments(&self) -> Vec<Environment> {
        let of_keys = self.keys.values().map(|known| &known.key.environment);
        let all: BTreeSet<&Environment> = of_keys.chain([&self.environment]).collect();
        all.into_iter().cloned().collect()
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

    /// The newest changes of flags, oldest first.
    pub fn flag_changes(&self) -> impl DoubleEndedIterator<Item = &FlagChange> {
        self.flag_changes.iter()
    }

    /// True if memory has every change of a flag above this revision.
    pub fn remembers_changes_after(&self, revision: u64) -> bool {
        self.flag_changes.reaches_back_to(revision)
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

    /// The newest revision that changed a tenant or a partner.
    pub fn population_revision(&self) -> u64 {
        self.population_revision
    }

    /// What flags are evaluated for.
    pub fn subject<'s>(&'s self, tenant: &'s WorldTenant, environment: &'s Environment) -> Subject<'s> {
        let partner = tenant.partner_id.as_ref().and_then(|id| self.partners.get(id));
        Subject::from_names(&tenant.id, &tenant.slug, &tenant.plan, partner, Some(environment))
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
        self.tenants.get(tenant.as_str()).is_some_and(|row| row.status != TenantStatus::Terminated)
    }
}
