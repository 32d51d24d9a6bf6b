//! Who gains and who loses by an edit: the difference of evaluate-all before and after.

use alloc::vec::Vec;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::effect::{Effect, for_each_turn};
use super::totals::{self, PartnerTotal, PlanTotal};
use super::warnings::Warning;
use super::{Edit, World};
use crate::Error;
use crate::hash::Hasher;
use crate::names::{Digest, Environment, FlagKey};

/// What an edit turns on and off, and for whom: `{ baseRevision, digest, gained, lost, byPlan, byPartner, warnings }`.
///
/// ```
/// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
/// # let world = World::from_json(br#"{ "revision": 7, "environment": "production", "partners": [],
/// #     "tenants": [{ "id": "t1", "slug": "acme", "plan": "free" }], "flags": [{ "key": "a", "state": "off" }] }"#)?;
/// let flag = FlagRule { key: FlagKey::new("a")?, state: State::On, pct: Percent::ZERO, scope: Scope::default() };
/// let plan = world.plan(&Edit::flag(flag))?;
/// assert_eq!(plan.gained().len(), 1);
/// assert_eq!(plan.base_revision(), 7);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    world: World,
    digest: Digest,
    /// Keys, in order, of the flags that could be concerned.
    keys: Vec<FlagKey>,
    /// Numbers of a key and a tenant, in order.
    gained: Vec<(u32, u32)>,
    lost: Vec<(u32, u32)>,
    warnings: Vec<Warning>,
}

/// A flag that turns on or off for a tenant: `{ key, tenantId }`.
///
/// ```
/// let pair = dezky_core::world::PlanPair { key: "a", tenant_id: "t1" };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct PlanPair<'p> {
    /// The flag.
    #[cfg_attr(feature = "schema", schemars(with = "FlagKey"))]
    pub key: &'p str,
    /// The tenant.
    #[cfg_attr(feature = "schema", schemars(with = "crate::names::Id"))]
    pub tenant_id: &'p str,
}

impl Plan {
    /// What turns on, by key, then tenant id.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let world = World::from_json(br#"{ "revision": 7, "environment": "production", "partners": [], "tenants": [],
    /// #     "flags": [{ "key": "a", "state": "off" }] }"#)?;
    /// assert_eq!(world.plan(&Edit::delete_flag(FlagKey::new("a")?))?.gained().len(), 0);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn gained(&self) -> impl ExactSizeIterator<Item = PlanPair<'_>> {
        self.pairs(&self.gained)
    }

    /// What turns off, by key, then tenant id.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let world = World::from_json(br#"{ "revision": 7, "environment": "production", "partners": [], "tenants": [],
    /// #     "flags": [{ "key": "a", "state": "off" }] }"#)?;
    /// assert_eq!(world.plan(&Edit::delete_flag(FlagKey::new("a")?))?.lost().len(), 0);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn lost(&self) -> impl ExactSizeIterator<Item = PlanPair<'_>> {
        self.pairs(&self.lost)
    }

    /// How many pairs there are per plan that tenants have at the base revision.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let world = World::from_json(br#"{ "revision": 7, "environment": "production", "partners": [], "tenants": [],
    /// #     "flags": [{ "key": "a", "state": "off" }] }"#)?;
    /// assert!(world.plan(&Edit::delete_flag(FlagKey::new("a")?))?.by_plan().is_empty());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn by_plan(&self) -> Vec<PlanTotal<'_>> {
        totals::by_plan(self.world.population(), &self.gained, &self.lost)
    }

    /// How many pairs there are per partner that tenants have at the base revision; those without one come first.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let world = World::from_json(br#"{ "revision": 7, "environment": "production", "partners": [], "tenants": [],
    /// #     "flags": [{ "key": "a", "state": "off" }] }"#)?;
    /// assert!(world.plan(&Edit::delete_flag(FlagKey::new("a")?))?.by_partner().is_empty());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn by_partner(&self) -> Vec<PartnerTotal<'_>> {
        totals::by_partner(self.world.population(), &self.gained, &self.lost)
    }

    /// The revision of the world that it was made from.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let world = World::from_json(br#"{ "revision": 7, "environment": "production", "partners": [], "tenants": [],
    /// #     "flags": [{ "key": "a", "state": "off" }] }"#)?;
    /// assert_eq!(world.plan(&Edit::delete_flag(FlagKey::new("a")?))?.base_revision(), 7);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn base_revision(&self) -> u64 {
        self.world.revision()
    }

    /// A hash of the edit and its effect, not of the base revision: an earlier plan holds while its digest is the same.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let world = World::from_json(br#"{ "revision": 7, "environment": "production", "partners": [], "tenants": [],
    /// #     "flags": [{ "key": "a", "state": "off" }] }"#)?;
    /// assert_eq!(world.plan(&Edit::delete_flag(FlagKey::new("a")?))?.digest().as_str().len(), 64);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What the edit says that is seldom meant, 20 at most. The digest does not depend on it.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let world = World::from_json(br#"{ "revision": 7, "environment": "production", "partners": [], "tenants": [],
    /// #     "flags": [{ "key": "a", "state": "off" }] }"#)?;
    /// let patch = FlagPatch { state: Some(State::Targeted), ..FlagPatch::default() };
    /// let plan = world.plan(&Edit::patch_flag(FlagKey::new("a")?, patch))?;
    /// assert_eq!(plan.warnings()[0].code, FlagWarning::TargetsNobody);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn pairs(&self, pairs: &[(u32, u32)]) -> impl ExactSizeIterator<Item = PlanPair<'_>> {
        pairs.iter().map(|&(key, tenant)| PlanPair {
            key: self.keys.get(key as usize).map_or("", FlagKey::as_str),
            tenant_id: self.world.population().tenant_id(tenant),
        })
    }

    /// The digest of an edit in its canonical form, and of its effect.
    fn digest_of(&self, canonical: &str) -> Digest {
        let mut hasher = Hasher::new();
        hasher.update(canonical);
        hasher.update("\n");
        let mut hash = |sign: &str, pair: PlanPair<'_>| {
            for piece in [sign, pair.key, ":", pair.tenant_id, "\n"] {
                hasher.update(piece);
            }
        };
        self.gained().for_each(|pair| hash("+", pair));
        self.lost().for_each(|pair| hash("-", pair));
        hasher.digest()
    }
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_struct("Plan", 7)?;
        form.serialize_field("baseRevision", &self.base_revision())?;
        form.serialize_field("digest", &self.digest)?;
        form.serialize_field("gained", &self.gained().collect::<Vec<_>>())?;
        form.serialize_field("lost", &self.lost().collect::<Vec<_>>())?;
        form.serialize_field("byPlan", &self.by_plan())?;
        form.serialize_field("byPartner", &self.by_partner())?;
        form.serialize_field("warnings", &self.warnings)?;
        form.end()
    }
}

pub(super) fn plan(world: &World, edit: &Edit, environments: &[Environment]) -> Result<Plan, Error> {
    let mut effect = Effect::of(world, edit, environments)?;
    let warnings = core::mem::take(&mut effect.warnings);
    let changed: Vec<&FlagKey> = effect.flags.keys().copied().collect();
    // Where a tenant moves, every flag may turn for it; where none does, only those that the edit names.
    let mut keys = changed.clone();
    if !effect.moves.is_empty() {
        keys.extend(world.flags().iter().map(|flag| &flag.key));
        keys.sort_unstable();
        keys.dedup();
    }
    let for_moved = effect.compile_pairs(world, &keys);
    let for_others = effect.compile_pairs(world, &changed);
    let number_of = |key: &&FlagKey| keys.binary_search(key).map_or(0, |number| number as u32);
    let numbers_of_changed: Vec<u32> = changed.iter().map(number_of).collect();

    let mut plan = Plan {
        world: world.clone(),
        digest: Digest::zero(),
        keys: keys.iter().map(|key| (*key).clone()).collect(),
        gained: Vec::new(),
        lost: Vec::new(),
        warnings,
    };
    let Plan { gained, lost, .. } = &mut plan;
    for (tenant, before) in (0_u32..).zip(world.population().subjects()) {
        let mut turn =
            |key, turned_on| if turned_on { gained.push((key, tenant)) } else { lost.push((key, tenant)) };
        match effect.moves.get(&tenant) {
            Some(after) => for_each_turn(&for_moved, &before, Some(after), &mut turn),
            None => for_each_turn(&for_others, &before, None, |changed, turned_on| {
                turn(numbers_of_changed.get(changed as usize).copied().unwrap_or_default(), turned_on);
            }),
        }
    }
    gained.sort_unstable();
    lost.sort_unstable();
    plan.digest = plan.digest_of(&effect.canonical);
    Ok(plan)
}
