//! What an edit or a flag says that is allowed and yet seldom meant.

use alloc::{format, string::String, vec::Vec};
use core::cell::OnceCell;

use serde::Serialize;

use super::World;
use crate::flags::Axis;
use crate::flags::FlagRule;
use crate::limits::MAX_WARNINGS;
use crate::model::FlagWarning;
use crate::names::Environment;
use crate::text::{Index, nearest_name};

/// Something that is allowed and yet seldom meant: `{ code, path, name?, nearest? }`.
///
/// ```
/// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
/// # let world = World::from_json(br#"{ "revision": 7, "environment": "production", "partners": [],
/// #     "tenants": [{ "id": "t1", "slug": "acme", "plan": "business" }], "flags": [] }"#)?;
/// let scope = Scope::default().with(Axis::Plans, ["bussiness"])?;
/// let flag = FlagRule { key: FlagKey::new("a")?, state: State::Targeted, pct: Percent::ZERO, scope };
/// let warnings = world.warnings(&flag, &[]);
/// assert_eq!((warnings[0].code, warnings[0].path.as_str()), (FlagWarning::UnknownName, "/scope/plans/0"));
/// assert_eq!(warnings[0].nearest.as_deref(), Some("business"));
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct Warning {
    /// What is seldom meant.
    pub code: FlagWarning,
    /// A JSON Pointer into the flag or the edit. Values on an axis are counted in their order in the canonical form: sorted.
    pub path: String,
    /// The name that nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The nearest name that somebody has, if any is near.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

impl Warning {
    /// A warning about a name that nobody has, and the nearest of the names that there are.
    ///
    /// ```
    /// let warning = dezky_core::world::Warning::unknown_name("/environment", "prodution", ["production"].into_iter());
    /// assert_eq!(warning.nearest.as_deref(), Some("production"));
    /// ```
    pub fn unknown_name<'n>(path: &str, name: &str, names: impl Iterator<Item = &'n str>) -> Warning {
        Warning {
            code: FlagWarning::UnknownName,
            path: path.into(),
            name: Some(name.into()),
            nearest: nearest_name(name, names).map(Into::into),
        }
    }
}

/// Collects warnings, as many as are reported.
pub(super) struct Warnings<'w> {
    world: &'w World,
    /// The environments that there are beside the world's own; empty where the world was not told of any, and judges none.
    environments: &'w [Environment],
    /// The registered tenants by slug, made when the first slug is looked up.
    slugs: OnceCell<Index>,
    found: Vec<Warning>,
}

impl<'w> Warnings<'w> {
    pub(super) fn new(world: &'w World, environments: &'w [Environment]) -> Warnings<'w> {
        Warnings { world, environments, slugs: OnceCell::new(), found: Vec::new() }
    }

    pub(super) fn finish(self) -> Vec<Warning> {
        self.found
    }

    /// Notes what is odd about a flag whose path is `path`.
    pub(super) fn flag(&mut self, flag: &FlagRule, path: &str) {
        if let Some(code) = FlagWarning::of(flag.state, &flag.scope) {
            self.add(Warning { code, path: format!("{path}/scope"), name: None, nearest: None });
        }
        for axis in Axis::ALL {
            for (index, name) in flag.scope.values(axis).enumerate() {
                self.name(axis, name, || format!("{path}/scope/{}/{index}", axis.as_str()));
            }
        }
    }

    /// Notes a name that nobody has.
    pub(super) fn name(&mut self, axis: Axis, name: &str, path: impl Fn() -> String) {
        if self.found.len() < MAX_WARNINGS && !self.is_known(axis, name) {
            self.add(Warning::unknown_name(&path(), name, self.names(axis).into_iter()));
        }
    }

    fn add(&mut self, warning: Warning) {
        if self.found.len() < MAX_WARNINGS {
            self.found.push(warning);
        }
    }

    fn is_known(&self, axis: Axis, name: &str) -> bool {
        let population = self.world.population();
        match axis {
            Axis::Plans => population.has_plan(name),
            Axis::TenantSlugs => {
                population.has_slug(self.slugs.get_or_init(|| population.index_slugs()), name)
            }
            Axis::PartnerSlugs => population.has_partner(name),
            Axis::Environments => {
                self.environments.is_empty() || self.names(axis).into_iter().any(|known| known == name)
            }
        }
    }

    /// Every name on an axis that somebody has.
    fn names(&self, axis: Axis) -> Vec<&'w str> {
        let population = self.world.population();
        match axis {
            Axis::Plans => population.plans().collect(),
            Axis::TenantSlugs => population.subjects().filter_map(|subject| subject.value(axis)).collect(),
            Axis::PartnerSlugs => population.partners().collect(),
            Axis::Environments => {
                let others = self.environments.iter().map(Environment::as_str);
                core::iter::once(self.world.environment().as_str()).chain(others).collect()
            }
        }
    }
}
