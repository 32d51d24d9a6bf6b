//! The world: every tenant, partner and flag at one revision (specification section 10).
//!
//! A world answers questions about all tenants: the plan of an edit (section 11), the
//! ladder and the counts of a flag (section 12), and the fingerprint (section 9).

use alloc::{sync::Arc, vec::Vec};

mod canonical;
mod edit;
mod effect;
mod ladder;
mod members;
mod plan;
mod population;
#[cfg(feature = "schema")]
mod schema;
mod totals;
mod warnings;

pub use edit::{Edit, EditStep, PartnerMove, TenantMove};
pub use ladder::{Counts, Ladder, LadderStep};
pub use members::{WorldPartner, WorldTenant};
pub use plan::{Plan, PlanPair};
pub use totals::{PartnerTotal, PlanTotal};
pub use warnings::Warning;

use population::Population;
use warnings::Warnings;

use crate::flags::{Compiled, Fingerprint, FlagRule, sort_by_key};
use crate::json::{decode_bytes, decode_objects};
use crate::limits::{MAX_FLAGS, MAX_PARTNERS, MAX_REVISION, MAX_TENANTS, MAX_WORLD_BYTES};
use crate::names::{Digest, Environment, FlagKey};
use crate::{Code, Error};

/// Every tenant, partner and flag at one revision. A world is immutable; cloning copies a pointer.
///
/// ```
/// use dezky_core::world::{Edit, World};
/// let world = World::from_json(br#"{
///     "revision": 481, "environment": "production",
///     "partners": [{ "id": "p1", "slug": "nordic" }],
///     "tenants": [
///         { "id": "t1", "slug": "acme", "plan": "business", "partnerId": "p1" },
///         { "id": "t2", "slug": "umbrella", "plan": "free" }
///     ],
///     "flags": [
///         { "key": "beta", "state": "targeted", "scope": { "plans": ["business"] } }
///     ]
/// }"#)?;
/// let edit = Edit::from_json(br#"{ "edits": [
///     { "kind": "patchFlag", "key": "beta", "patch": { "scope": { "plans": ["free"] } } }
/// ] }"#)?;
/// let plan = world.plan(&edit)?;
/// assert_eq!(plan.gained().map(|pair| pair.tenant_id).collect::<Vec<_>>(), ["t2"]);
/// assert_eq!(plan.lost().map(|pair| pair.tenant_id).collect::<Vec<_>>(), ["t1"]);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct World(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    revision: u64,
    /// The rules of the flags, sorted by key.
    flags: Vec<FlagRule>,
    compiled: Compiled,
    population: Arc<Population>,
}

impl World {
    /// Creates a world from tenants, partners and flags, in any order.
    ///
    /// Terminated tenants are not registered, but their ids and slugs stay taken.
    pub fn new<T: Into<WorldTenant>, P: Into<WorldPartner>, F: Into<FlagRule>>(
        revision: u64,
        environment: Environment,
        tenants: impl IntoIterator<Item = T>,
        partners: impl IntoIterator<Item = P>,
        flags: impl IntoIterator<Item = F>,
    ) -> Result<World, Error> {
        World::assemble(WorldDocument {
            revision,
            environment,
            partners: partners.into_iter().map(Into::into).collect(),
            tenants: tenants.into_iter().map(Into::into).collect(),
            flags: flags.into_iter().map(Into::into).collect(),
        })
    }

    /// Reads a world document and reports every problem with its code and path. Unknown members are
    /// ignored, because a newer server may have added them.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::world::World;
    /// let error = World::from_json(br#"{
    ///     "revision": 1, "environment": "production", "partners": [], "flags": [],
    ///     "tenants": [{ "id": "t1", "slug": "acme", "plan": "free", "partnerId": "p9" }]
    /// }"#).unwrap_err();
    /// assert_eq!(error.code, Code::UnknownPartner);
    /// assert_eq!(error.path, "/tenants/0/partnerId");
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<World, Error> {
        World::assemble(decode_bytes(bytes, MAX_WORLD_BYTES)?)
    }

    /// Returns a world with the same population, other flags and another revision. Both worlds
    /// share the population.
    ///
    /// ```
    /// use dezky_core::flags::{FlagRule, Scope, State};
    /// use dezky_core::names::{FlagKey, Percent};
    /// use dezky_core::world::World;
    /// # let world = World::from_json(br#"{
    /// #     "revision": 1, "environment": "production", "partners": [], "flags": [],
    /// #     "tenants": [{ "id": "t1", "slug": "acme", "plan": "free" }]
    /// # }"#)?;
    /// let (key, scope) = (FlagKey::new("a")?, Scope::default());
    /// let flag = FlagRule { key, state: State::On, pct: Percent::ZERO, scope };
    /// let next = world.with_flags(2, [flag])?;
    /// assert_eq!((next.revision(), next.counts("a")?.on), (2, 1));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn with_flags(
        &self,
        revision: u64,
        flags: impl IntoIterator<Item = impl Into<FlagRule>>,
    ) -> Result<World, Error> {
        let found = check_revision(revision).err();
        let flags = flags.into_iter().map(Into::into).collect();
        World::from_parts(revision, self.environment(), Arc::clone(&self.0.population), flags, found)
    }

    fn assemble(document: WorldDocument) -> Result<World, Error> {
        let WorldDocument { revision, environment, partners, tenants, flags } = document;
        let mut problems: Vec<Error> = check_revision(revision).err().into_iter().collect();
        let population = Population::new(tenants, partners, &mut problems);
        let found = Error::unless_clean(problems, ()).err();
        World::from_parts(revision, &environment, Arc::new(population), flags, found)
    }

    /// Creates a world, unless the flags have a problem or `found` already holds one.
    fn from_parts(
        revision: u64,
        environment: &Environment,
        population: Arc<Population>,
        mut flags: Vec<FlagRule>,
        mut found: Option<Error>,
    ) -> Result<World, Error> {
        sort_by_key(&mut flags, &mut found);
        if let Some(error) = found {
            return Err(error);
        }
        let compiled = Compiled::new(environment, &flags.iter().collect::<Vec<_>>());
        Ok(World(Arc::new(Inner { revision, flags, compiled, population })))
    }

    /// Returns the plan of an edit: the flags that it turns on and off, and for which tenants.
    pub fn plan(&self, edit: &Edit) -> Result<Plan, Error> {
        plan::plan(self, edit, &[])
    }

    /// Like `plan`, and also warns about environments that are neither the world's own nor in
    /// `environments`.
    ///
    /// ```
    /// use dezky_core::flags::{Axis, FlagRule, Scope, State};
    /// use dezky_core::names::{Environment, FlagKey, Percent};
    /// use dezky_core::world::{Edit, World};
    /// # let world = World::from_json(br#"{
    /// #     "revision": 1, "environment": "production", "partners": [], "tenants": [], "flags": []
    /// # }"#)?;
    /// let scope = Scope::default().with(Axis::Environments, ["stagin"])?;
    /// let key = FlagKey::new("a")?;
    /// let flag = FlagRule { key, state: State::Targeted, pct: Percent::ZERO, scope };
    /// let environments = [Environment::new("staging")?];
    /// let plan = world.plan_with_environments(&Edit::put_flag(flag), &environments)?;
    /// assert_eq!(plan.warnings()[0].nearest.as_deref(), Some("staging"));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn plan_with_environments(&self, edit: &Edit, environments: &[Environment]) -> Result<Plan, Error> {
        plan::plan(self, edit, environments)
    }

    /// Returns the warnings about a flag, with paths from the flag.
    ///
    /// A subscription plan or tenant slug exists if a registered tenant has it, a partner slug if a
    /// partner has it. An environment exists if it is the world's own or in `environments`. An
    /// empty list turns the check of environments off.
    pub fn warnings(&self, flag: &FlagRule, environments: &[Environment]) -> Vec<Warning> {
        let mut warnings = Warnings::new(self, environments);
        warnings.flag(flag, "");
        warnings.finish()
    }

    /// Returns the ladder of a flag: the tenants in its scope, in the order in which a rising
    /// percentage includes them. The state of the flag has no effect on it.
    pub fn ladder(&self, key: &str) -> Result<Ladder, Error> {
        Ok(Ladder::new(self, self.find(key)?))
    }

    /// Returns the numbers of tenants for which a flag is on, in its scope, and in total.
    pub fn counts(&self, key: &str) -> Result<Counts, Error> {
        Ok(Counts::new(self, self.find(key)?))
    }

    /// Returns the fingerprint of every flag for every registered tenant.
    pub fn fingerprint(&self) -> Digest {
        let mut fingerprint = Fingerprint::new(&self.0.compiled);
        self.0.population.subjects().for_each(|subject| fingerprint.add(&subject));
        fingerprint.digest()
    }

    /// Returns the revision of the world.
    pub fn revision(&self) -> u64 {
        self.0.revision
    }

    /// Returns the environment of the world.
    pub fn environment(&self) -> &Environment {
        self.0.compiled.environment()
    }

    /// Returns the number of registered tenants.
    pub fn registered(&self) -> usize {
        self.0.population.len()
    }

    fn find(&self, key: &str) -> Result<u32, Error> {
        self.0.compiled.find(key).ok_or_else(|| Error::new(Code::UnknownFlag, "/key"))
    }

    fn compiled(&self) -> &Compiled {
        &self.0.compiled
    }

    fn flags(&self) -> &[FlagRule] {
        &self.0.flags
    }

    /// Returns the rule of a flag.
    fn flag(&self, key: &FlagKey) -> Option<&FlagRule> {
        let index = self.flags().binary_search_by(|flag| flag.key.cmp(key)).ok()?;
        self.flags().get(index)
    }

    fn population(&self) -> &Population {
        &self.0.population
    }
}

fn check_revision(revision: u64) -> Result<(), Error> {
    match revision > MAX_REVISION {
        true => Err(Error::new(Code::InvalidRevision, "/revision")),
        false => Ok(()),
    }
}

/// The content of a world document, before its check.
struct WorldDocument {
    revision: u64,
    environment: Environment,
    partners: Vec<WorldPartner>,
    tenants: Vec<WorldTenant>,
    flags: Vec<FlagRule>,
}

decode_objects! {
    WorldDocument {
        revision: required_revision("revision", 0),
        environment: required("environment"),
        partners: required_list("partners", MAX_PARTNERS),
        tenants: required_list("tenants", MAX_TENANTS),
        flags: required_list("flags", MAX_FLAGS),
    }
}
