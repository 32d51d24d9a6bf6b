//! The plan of an edit: the difference between all flags before and after it (specification
//! sections 11.4 and 11.6).

use alloc::vec::Vec;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::effect::{Effect, for_each_turn};
use super::totals::{self, PartnerTotal, PlanTotal};
use super::warnings::Warning;
use super::{Edit, World};
use crate::Error;
use crate::hash::Hasher;
use crate::names::{Digest, Environment, FlagKey};

/// The flags that an edit turns on and off, and for which tenants:
/// `{ baseRevision, digest, gained, lost, byPlan, byPartner, warnings }`.
///
/// ```
/// use dezky_core::flags::State;
/// use dezky_core::model::FlagPatch;
/// use dezky_core::names::FlagKey;
/// use dezky_core::world::{Edit, World};
/// let world = World::from_json(br#"{
///     "revision": 7, "environment": "production", "partners": [],
///     "tenants": [{ "id": "t1", "slug": "acme", "plan": "free" }],
///     "flags": [{ "key": "a", "state": "off" }]
/// }"#)?;
/// let patch = FlagPatch { state: Some(State::On), ..FlagPatch::default() };
/// let plan = world.plan(&Edit::patch_flag(FlagKey::new("a")?, patch))?;
/// assert_eq!(plan.gained().len(), 1);
/// assert_eq!(plan.base_revision(), 7);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    world: World,
    digest: Digest,
    /// The keys of the flags that the edit can affect, sorted.
    keys: Vec<FlagKey>,
    /// Pairs of the index of a key and the number of a tenant, sorted.
    gained: Vec<(u32, u32)>,
    lost: Vec<(u32, u32)>,
    warnings: Vec<Warning>,
}

/// A flag and a tenant for which it turns on or off: `{ key, tenantId }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct PlanPair<'p> {
    /// The key of the flag.
    #[cfg_attr(feature = "schema", schemars(with = "FlagKey"))]
    pub key: &'p str,
    /// The id of the tenant.
    #[cfg_attr(feature = "schema", schemars(with = "crate::names::Id"))]
    pub tenant_id: &'p str,
}

impl Plan {
    /// Returns the pairs that turn on, sorted by key, then by tenant id.
    pub fn gained(&self) -> impl ExactSizeIterator<Item = PlanPair<'_>> {
        self.pairs(&self.gained)
    }

    /// Returns the pairs that turn off, sorted by key, then by tenant id.
    pub fn lost(&self) -> impl ExactSizeIterator<Item = PlanPair<'_>> {
        self.pairs(&self.lost)
    }

    /// Returns the number of pairs per subscription plan, as tenants have it at the base revision.
    pub fn by_plan(&self) -> Vec<PlanTotal<'_>> {
        totals::by_plan(self.world.population(), &self.gained, &self.lost)
    }

    /// Returns the number of pairs per partner, as tenants have it at the base revision. The row of
    /// tenants without a partner comes first.
    pub fn by_partner(&self) -> Vec<PartnerTotal<'_>> {
        totals::by_partner(self.world.population(), &self.gained, &self.lost)
    }

    /// Returns the revision of the world before the edit.
    pub fn base_revision(&self) -> u64 {
        self.world.revision()
    }

    /// Returns the hash of the edit and its effect. The base revision is not part of it, so an
    /// earlier plan is valid while its digest is the same.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns at most 20 warnings about the edit. The digest does not depend on them.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn pairs(&self, pairs: &[(u32, u32)]) -> impl ExactSizeIterator<Item = PlanPair<'_>> {
        pairs.iter().map(|&(key, tenant)| PlanPair {
            key: self.keys.get(key as usize).map_or("", FlagKey::as_str),
            tenant_id: self.world.population().tenant_id(tenant),
        })
    }

    /// Computes the digest of an edit in canonical form and of its effect.
    fn compute_digest(&self, canonical: &str) -> Digest {
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
    let mut effect = Effect::new(world, edit, environments)?;
    let warnings = core::mem::take(&mut effect.warnings);
    let changed: Vec<&FlagKey> = effect.flags.keys().copied().collect();
    // Every flag may turn for a tenant that moves, and only the flags that the edit names for the
    // others.
    let mut keys = changed.clone();
    if !effect.moves.is_empty() {
        keys.extend(world.flags().iter().map(|flag| &flag.key));
        keys.sort_unstable();
        keys.dedup();
    }
    let for_moved = effect.compile_pairs(world, &keys);
    let for_others = effect.compile_pairs(world, &changed);
    let index_of = |key: &&FlagKey| keys.binary_search(key).map_or(0, |index| index as u32);
    let indexes_of_changed: Vec<u32> = changed.iter().map(index_of).collect();

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
                turn(indexes_of_changed.get(changed as usize).copied().unwrap_or_default(), turned_on);
            }),
        }
    }
    gained.sort_unstable();
    lost.sort_unstable();
    plan.digest = plan.compute_digest(&effect.canonical);
    Ok(plan)
}
