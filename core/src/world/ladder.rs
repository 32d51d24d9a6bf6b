//! The ladder and the counts of a flag (specification section 12).

use alloc::vec::Vec;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::World;
use crate::flags::{EvaluationQuery, Subject, rollout_position};
use crate::names::Percent;

/// The registered tenants in a flag's scope, in the order in which a rising percentage includes
/// them. Tenants with the same position are ordered by id.
///
/// ```
/// use dezky_core::world::World;
/// let world = World::from_json(br#"{
///     "revision": 1, "environment": "production", "partners": [],
///     "tenants": [{ "id": "t1", "slug": "acme", "plan": "free" }],
///     "flags": [{ "key": "flag-a", "state": "rollout" }]
/// }"#)?;
/// let ladder = world.ladder("flag-a")?;
/// assert_eq!(ladder.steps().next().map(|step| step.pct.hundredths()), Some(6335));
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ladder {
    world: World,
    flag: u32,
    /// The position and the number of each tenant.
    steps: Vec<(Percent, u32)>,
}

/// One tenant of a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct LadderStep<'w> {
    /// The id of the tenant.
    #[cfg_attr(feature = "schema", schemars(with = "crate::names::Id"))]
    pub tenant_id: &'w str,
    /// The tenant's position in the rollout of the flag.
    pub position: Percent,
    /// The smallest percentage that includes the tenant.
    pub pct: Percent,
}

impl Ladder {
    pub(super) fn new(world: &World, flag: u32) -> Ladder {
        let (compiled, population) = (world.compiled(), world.population());
        let key = compiled.key(flag);
        let in_scope =
            (0_u32..).zip(population.subjects()).filter(|(_, subject)| compiled.is_in_scope(flag, subject));
        let step = |(tenant, subject): (u32, Subject<'_>)| {
            (Percent::from_position(rollout_position(subject.tenant_id(), key)), tenant)
        };
        let mut steps: Vec<_> = in_scope.map(step).collect();
        // The numbers of tenants follow their ids, so equal positions sort by id.
        steps.sort_unstable();
        Ladder { world: world.clone(), flag, steps }
    }

    /// Returns the key of the flag.
    pub fn key(&self) -> &str {
        self.world.compiled().key(self.flag)
    }

    /// Returns the steps, beginning with the tenant that the smallest percentage includes.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = LadderStep<'_>> {
        self.steps.iter().map(|&(position, tenant)| LadderStep {
            tenant_id: self.world.population().tenant_id(tenant),
            position,
            pct: Percent::from_position(position.hundredths() + 1),
        })
    }
}

/// `{ key, steps }`
impl Serialize for Ladder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_struct("Ladder", 2)?;
        form.serialize_field("key", self.key())?;
        form.serialize_field("steps", &self.steps().collect::<Vec<_>>())?;
        form.end()
    }
}

/// The numbers of tenants that a flag concerns: `{ on, inScope, registered }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// The tenants for which the flag is on.
    pub on: usize,
    /// The tenants in the scope. An empty scope contains every tenant.
    pub in_scope: usize,
    /// All tenants that are registered.
    pub registered: usize,
}

impl Counts {
    pub(super) fn new(world: &World, flag: u32) -> Counts {
        let (compiled, population) = (world.compiled(), world.population());
        let mut counts = Counts { on: 0, in_scope: 0, registered: population.len() };
        for subject in population.subjects() {
            counts.on += usize::from(compiled.evaluate(flag, &mut EvaluationQuery::new(&subject)));
            counts.in_scope += usize::from(compiled.is_in_scope(flag, &subject));
        }
        counts
    }
}
