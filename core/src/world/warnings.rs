//! Warnings about flags and edits (specification sections 5.5 and 11.7).

use alloc::{format, string::String, vec::Vec};
use core::cell::OnceCell;

use serde::Serialize;

use super::World;
use crate::flags::{Axis, FlagRule};
use crate::limits::MAX_WARNINGS;
use crate::model::FlagWarning;
use crate::names::Environment;
use crate::text::{Index, nearest_name};

/// A warning: the flag or the edit is valid and seldom intended. `{ code, path, name?, nearest? }`.
///
/// ```
/// use dezky_core::flags::{Axis, FlagRule, Scope, State};
/// use dezky_core::model::FlagWarning;
/// use dezky_core::names::{FlagKey, Percent};
/// use dezky_core::world::World;
/// let world = World::from_json(br#"{
///     "revision": 7, "environment": "production", "partners": [], "flags": [],
///     "tenants": [{ "id": "t1", "slug": "acme", "plan": "business" }]
/// }"#)?;
/// let scope = Scope::default().with(Axis::Plans, ["bussiness"])?;
/// let key = FlagKey::new("a")?;
/// let flag = FlagRule { key, state: State::Targeted, pct: Percent::ZERO, scope };
/// let warnings = world.warnings(&flag, &[]);
/// assert_eq!(warnings[0].code, FlagWarning::UnknownName);
/// assert_eq!(warnings[0].path, "/scope/plans/0");
/// assert_eq!(warnings[0].nearest.as_deref(), Some("business"));
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct Warning {
    /// The code of the warning.
    pub code: FlagWarning,
    /// A JSON Pointer into the flag or the edit. The index of a value counts the sorted values of
    /// its axis.
    pub path: String,
    /// The name that does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The nearest existing name, if one is similar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

impl Warning {
    /// Returns a warning about an unknown name, with the nearest of the existing `names`.
    ///
    /// ```
    /// use dezky_core::world::Warning;
    /// let names = ["production"].into_iter();
    /// let warning = Warning::unknown_name("/environment", "prodution", names);
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

/// A collector of warnings that stops at the limit.
pub(super) struct Warnings<'w> {
    world: &'w World,
    /// The environments that exist besides the world's own. If the list is empty, no environment is
    /// checked.
    environments: &'w [Environment],
    /// An index of the registered tenants by slug, built at the first lookup.
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

    /// Adds the warnings about a flag at `path`.
    pub(super) fn flag(&mut self, flag: &FlagRule, path: &str) {
        if let Some(code) = FlagWarning::from_state_and_scope(flag.state, &flag.scope) {
            self.add(Warning { code, path: format!("{path}/scope"), name: None, nearest: None });
        }
        for axis in Axis::ALL {
            for (index, name) in flag.scope.values(axis).enumerate() {
                self.name(axis, name, || format!("{path}/scope/{}/{index}", axis.as_str()));
            }
        }
    }

    /// Adds a warning if the name does not exist.
    pub(super) fn name(&mut self, axis: Axis, name: &str, path: impl Fn() -> String) {
        if self.found.len() < MAX_WARNINGS && !self.exists(axis, name) {
            self.add(Warning::unknown_name(&path(), name, self.names(axis).into_iter()));
        }
    }

    fn add(&mut self, warning: Warning) {
        if self.found.len() < MAX_WARNINGS {
            self.found.push(warning);
        }
    }

    fn exists(&self, axis: Axis, name: &str) -> bool {
        let population = self.world.population();
        match axis {
            Axis::Plans => population.has_plan(name),
            Axis::TenantSlugs => {
                population.has_slug(self.slugs.get_or_init(|| population.index_slugs()), name)
            }
            Axis::PartnerSlugs => population.has_partner(name),
            Axis::Environments => {
                self.environments.is_empty() || self.names(axis).into_iter().any(|existing| existing == name)
            }
        }
    }

    /// Returns every existing name on an axis.
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
