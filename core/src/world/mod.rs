//! The known population: every tenant, partner and flag at one revision, and the exact answers that follow.

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

use crate::flags::FlagRule;
use crate::flags::{Compiled, Fingerprint, sort_by_key};
use crate::json::{decode_bytes, decode_objects};
use crate::limits::{MAX_FLAGS, MAX_PARTNERS, MAX_REVISION, MAX_TENANTS, MAX_WORLD_BYTES};
use crate::names::{Digest, Environment, FlagKey};
use crate::{Code, Error};

/// Every tenant, partner and flag at one revision. Immutable; cloning it copies a pointer.
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
///     "flags": [{ "key": "jmap_native_v2", "state": "targeted", "scope": { "plans": ["business"] } }]
/// }"#)?;
/// let edit = Edit::from_json(br#"{ "edits": [
///     { "kind": "putFlag", "flag": { "key": "jmap_native_v2", "state": "targeted", "scope": { "plans": ["free"] } } }
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
    /// Sorted by key.
    flags: Vec<FlagRule>,
    compiled: Compiled,
    population: Arc<Population>,
}

impl World {
    /// A world of these tenants, partners and flags, in any order. Partners give tenants their partner's slug; tenants that are terminated keep
    /// their id and slug taken and are otherwise left out.
    ///
    /// ```
    /// use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let partner = Partner::new(Id::new("p1")?, Slug::new("nordic")?, Label::new("Nordic AB")?, Timestamp::EPOCH);
    /// let tenant = Tenant::new(Id::new("t1")?, Slug::new("acme")?, Label::new("Acme")?, PlanKey::new("free")?, Timestamp::EPOCH);
    /// let flags: Vec<FlagRule> = Vec::new();
    /// let world = World::new(1, Environment::new("production")?, [&tenant], [&partner], flags)?;
    /// assert_eq!(world.registered(), 1);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn new<T: Into<WorldTenant>, P: Into<WorldPartner>, F: Into<FlagRule>>(
        revision: u64,
        environment: Environment,
        tenants: impl IntoIterator<Item = T>,
        partners: impl IntoIterator<Item = P>,
        flags: impl IntoIterator<Item = F>,
    ) -> Result<World, Error> {
        World::assemble(Form {
            revision,
            environment,
            partners: partners.into_iter().map(Into::into).collect(),
            tenants: tenants.into_iter().map(Into::into).collect(),
            flags: flags.into_iter().map(Into::into).collect(),
        })
    }

    /// Reads a world document: every problem is reported with its code and path. Members that nobody knows are ignored, because a newer
    /// server may have added them.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::world::World;
    /// let error = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [], "flags": [],
    ///     "tenants": [{ "id": "t1", "slug": "acme", "plan": "free", "partnerId": "p9" }] }"#).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::UnknownPartner, "/tenants/0/partnerId"));
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<World, Error> {
        World::assemble(decode_bytes(bytes, MAX_WORLD_BYTES)?)
    }

    /// The same population with other flags at another revision. The population is shared, not copied.
    ///
    /// ```
    /// use dezky_core::flags::{FlagRule, Scope, State};
    /// use dezky_core::names::{FlagKey, Percent};
    /// use dezky_core::world::World;
    /// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [], "flags": [],
    /// #     "tenants": [{ "id": "t1", "slug": "acme", "plan": "free" }] }"#)?;
    /// let flag = FlagRule { key: FlagKey::new("a")?, state: State::On, pct: Percent::ZERO, scope: Scope::default() };
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
        World::of(revision, self.environment(), Arc::clone(&self.0.population), flags, found)
    }

    fn assemble(form: Form) -> Result<World, Error> {
        let Form { revision, environment, partners, tenants, flags } = form;
        let mut problems: Vec<Error> = check_revision(revision).err().into_iter().collect();
        let population = Population::new(tenants, partners, &mut problems);
        let found = Error::unless_clean(problems, ()).err();
        World::of(revision, &environment, Arc::new(population), flags, found)
    }

    /// A world of these parts, where nothing is wrong with the flags nor was found before.
    fn of(
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

    /// What an edit would turn on and off, and for whom, exactly.
    ///
    /// ```
    /// # use dezky_core::Code;
    /// # use dezky_core::names::FlagKey;
    /// # use dezky_core::world::{Edit, World};
    /// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [], "tenants": [], "flags": [] }"#)?;
    /// let error = world.plan(&Edit::delete_flag(FlagKey::new("no_such_flag")?)).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::UnknownFlag, "/edits/0/key"));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn plan(&self, edit: &Edit) -> Result<Plan, Error> {
        plan::plan(self, edit, &[])
    }

    /// Like `plan`, and warns also of environments that are neither the world's own nor one of these.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [], "tenants": [], "flags": [] }"#)?;
    /// let scope = Scope::default().with(Axis::Environments, ["stagin"])?;
    /// let flag = FlagRule { key: FlagKey::new("a")?, state: State::Targeted, pct: Percent::ZERO, scope };
    /// let plan = world.plan_among(&Edit::flag(flag), &[Environment::new("staging")?])?;
    /// assert_eq!(plan.warnings()[0].nearest.as_deref(), Some("staging"));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn plan_among(&self, edit: &Edit, environments: &[Environment]) -> Result<Plan, Error> {
        plan::plan(self, edit, environments)
    }

    /// What of a flag is seldom meant, with paths from the flag. A plan exists if a registered tenant has it, a tenant if it is
    /// registered, a partner if it is listed. An environment exists if it is the world's own or one of these; where there are none of
    /// these, environments are not judged.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [], "tenants": [], "flags": [] }"#)?;
    /// let scope = Scope::default().with(Axis::Plans, ["free"])?;
    /// let flag = FlagRule { key: FlagKey::new("a")?, state: State::On, pct: Percent::ZERO, scope };
    /// let codes: Vec<_> = world.warnings(&flag, &[]).into_iter().map(|warning| warning.code).collect();
    /// assert_eq!(codes, [FlagWarning::ScopeIgnored, FlagWarning::UnknownName]);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn warnings(&self, flag: &FlagRule, environments: &[Environment]) -> Vec<Warning> {
        let mut warnings = Warnings::new(self, environments);
        warnings.flag(flag, "");
        warnings.finish()
    }

    /// For one flag, the tenants in its scope in the order in which a rising percentage includes them, whatever its state.
    ///
    /// ```
    /// # use dezky_core::world::World;
    /// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [],
    /// #     "tenants": [{ "id": "t1", "slug": "acme", "plan": "free" }], "flags": [{ "key": "flag-a", "state": "rollout" }] }"#)?;
    /// assert_eq!(world.ladder("flag-a")?.steps().next().map(|step| step.pct.hundredths()), Some(6335));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn ladder(&self, key: &str) -> Result<Ladder, Error> {
        Ok(Ladder::new(self, self.find(key)?))
    }

    /// For one flag, how many tenants have it on, are in its scope, and are registered at all.
    ///
    /// ```
    /// # use dezky_core::world::World;
    /// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [],
    /// #     "tenants": [{ "id": "t1", "slug": "acme", "plan": "free" }], "flags": [{ "key": "flag-a", "state": "on" }] }"#)?;
    /// assert_eq!(world.counts("flag-a")?.on, 1);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn counts(&self, key: &str) -> Result<Counts, Error> {
        Ok(Counts::new(self, self.find(key)?))
    }

    /// The fingerprint of every flag for every registered tenant.
    ///
    /// ```
    /// # use dezky_core::world::World;
    /// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [], "tenants": [], "flags": [] }"#)?;
    /// assert_eq!(world.fingerprint().as_str().len(), 64);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn fingerprint(&self) -> Digest {
        let mut fingerprint = Fingerprint::new(&self.0.compiled);
        self.0.population.subjects().for_each(|subject| fingerprint.add(&subject));
        fingerprint.digest()
    }

    /// The revision that it shows.
    ///
    /// ```
    /// # use dezky_core::world::World;
    /// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [], "tenants": [], "flags": [] }"#)?;
    /// assert_eq!(world.revision(), 1);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn revision(&self) -> u64 {
        self.0.revision
    }

    /// The environment that it is.
    ///
    /// ```
    /// # use dezky_core::world::World;
    /// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [], "tenants": [], "flags": [] }"#)?;
    /// assert_eq!(world.environment().as_str(), "production");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn environment(&self) -> &Environment {
        self.0.compiled.environment()
    }

    /// How many tenants are registered: all but the terminated ones.
    ///
    /// ```
    /// # use dezky_core::world::World;
    /// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [], "tenants": [], "flags": [] }"#)?;
    /// assert_eq!(world.registered(), 0);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
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

    /// The rule of one flag.
    fn flag(&self, key: &FlagKey) -> Option<&FlagRule> {
        let at = self.flags().binary_search_by(|flag| flag.key.cmp(key)).ok()?;
        self.flags().get(at)
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

/// A world document.
struct Form {
    revision: u64,
    environment: Environment,
    partners: Vec<WorldPartner>,
    tenants: Vec<WorldTenant>,
    flags: Vec<FlagRule>,
}

decode_objects! {
    Form {
        revision: required_revision("revision", 0),
        environment: required("environment"),
        partners: required_list("partners", MAX_PARTNERS),
        tenants: required_list("tenants", MAX_TENANTS),
        flags: required_list("flags", MAX_FLAGS),
    }
}
