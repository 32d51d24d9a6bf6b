//! In which order a rising percentage includes the tenants of a flag's scope, and how many have it now.

use alloc::vec::Vec;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::World;
use crate::flags::{Query, rollout_position};
use crate::names::Percent;

/// The tenants in a flag's scope by position, ties by id: at every percentage, exactly those below it are in the rollout.
///
/// ```
/// # use dezky_core::world::World;
/// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [],
/// #     "tenants": [{ "id": "t1", "slug": "acme", "plan": "free" }], "flags": [{ "key": "flag-a", "state": "rollout" }] }"#)?;
/// assert_eq!(world.ladder("flag-a")?.steps().len(), 1);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ladder {
    world: World,
    flag: u32,
    /// Position and tenant.
    steps: Vec<(Percent, u32)>,
}

/// One tenant's place on a ladder.
///
/// ```
/// use dezky_core::names::Percent;
/// use dezky_core::world::LadderStep;
/// let step = LadderStep { tenant_id: "t1", position: Percent::from_hundredths(6334)?, pct: Percent::from_hundredths(6335)? };
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct LadderStep<'w> {
    /// The tenant.
    #[cfg_attr(feature = "schema", schemars(with = "crate::names::Id"))]
    pub tenant_id: &'w str,
    /// Where it stands.
    pub position: Percent,
    /// The smallest percentage that includes it.
    pub pct: Percent,
}

impl Ladder {
    pub(super) fn new(world: &World, flag: u32) -> Ladder {
        let (compiled, population) = (world.compiled(), world.population());
        let key = compiled.key(flag);
        let in_scope =
            (0_u32..).zip(population.subjects()).filter(|(_, subject)| compiled.is_in_scope(flag, subject));
        let place = |(tenant, subject): (u32, crate::flags::Subject<'_>)| {
            (Percent::from_position(rollout_position(subject.tenant_id(), key)), tenant)
        };
        let mut steps: Vec<_> = in_scope.map(place).collect();
        // Tenants are numbered by id, so that ties fall as they should.
        steps.sort_unstable();
        Ladder { world: world.clone(), flag, steps }
    }

    /// The flag's key.
    ///
    /// ```
    /// # use dezky_core::world::World;
    /// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [], "tenants": [],
    /// #     "flags": [{ "key": "flag-a", "state": "rollout" }] }"#)?;
    /// assert_eq!(world.ladder("flag-a")?.key(), "flag-a");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn key(&self) -> &str {
        self.world.compiled().key(self.flag)
    }

    /// Its steps, the tenant that is included first first.
    ///
    /// ```
    /// # use dezky_core::world::World;
    /// # let world = World::from_json(br#"{ "revision": 1, "environment": "production", "partners": [], "tenants": [],
    /// #     "flags": [{ "key": "flag-a", "state": "rollout" }] }"#)?;
    /// assert_eq!(world.ladder("flag-a")?.steps().next(), None);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
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

/// How many tenants a flag concerns: `{ on, inScope, registered }`.
///
/// ```
/// use dezky_core::world::Counts;
/// let counts = Counts { on: 1, in_scope: 4, registered: 9 };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Those for whom it is on.
    pub on: usize,
    /// Those in its scope, an empty scope holding everyone.
    pub in_scope: usize,
    /// Everyone.
    pub registered: usize,
}

impl Counts {
    pub(super) fn new(world: &World, flag: u32) -> Counts {
        let (compiled, population) = (world.compiled(), world.population());
        let mut counts = Counts { on: 0, in_scope: 0, registered: population.len() };
        for subject in population.subjects() {
            counts.on += usize::from(compiled.evaluate(flag, &mut Query::new(&subject)));
            counts.in_scope += usize::from(compiled.is_in_scope(flag, &subject));
        }
        counts
    }
}
