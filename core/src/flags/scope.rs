//! Scopes: four axes, each a list of values, each possibly empty.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::Subject;
use crate::json::{Decode, Value, deserialize_by_decoding};
use crate::names::{is_key, is_slug};
use crate::text::{IS_SMALL, Placed, in_order, push_char, take_line};
use crate::{Code, Error, limits::MAX_AXIS_VALUES};

/// One axis of a scope. Axes are checked in this order.
///
/// ```
/// assert_eq!(dezky_core::flags::Axis::TenantSlugs.as_str(), "tenantSlugs");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Axis {
    /// The tenant's plan.
    Plans,
    /// The tenant's own slug.
    TenantSlugs,
    /// The slug of the tenant's partner, where it has one.
    PartnerSlugs,
    /// The environment that is evaluated in.
    Environments,
}

impl Axis {
    /// Every axis, in the order in which they are checked.
    ///
    /// ```
    /// assert_eq!(dezky_core::flags::Axis::ALL.len(), 4);
    /// ```
    pub const ALL: [Axis; 4] = [Axis::Plans, Axis::TenantSlugs, Axis::PartnerSlugs, Axis::Environments];

    /// The axis as documents spell it.
    ///
    /// ```
    /// assert_eq!(dezky_core::flags::Axis::Plans.as_str(), "plans");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Axis::Plans => "plans",
            Axis::TenantSlugs => "tenantSlugs",
            Axis::PartnerSlugs => "partnerSlugs",
            Axis::Environments => "environments",
        }
    }

    /// What a text looks like that can stand on this axis.
    fn form(self) -> fn(&str) -> bool {
        match self {
            Axis::Plans | Axis::Environments => is_key,
            Axis::TenantSlugs | Axis::PartnerSlugs => is_slug,
        }
    }

    /// Reads the list of an axis's values.
    #[cfg_attr(not(target_family = "wasm"), inline)]
    pub(super) fn read(self, list: Value<'_>) -> Vec<Placed<'_>> {
        let mut values = Vec::new();
        for item in list.list(MAX_AXIS_VALUES) {
            let value = item.checked(self.form(), self.refusal());
            values.push((value.raw(), 0));
        }
        values
    }

    /// What is wrong with one that cannot.
    fn refusal(self) -> Code {
        match self {
            Axis::Plans => Code::InvalidPlan,
            Axis::TenantSlugs | Axis::PartnerSlugs => Code::InvalidSlug,
            Axis::Environments => Code::InvalidEnvironment,
        }
    }
}

/// Whom a flag is for: on each axis sorted, distinct, well-formed values.
///
/// ```
/// use dezky_core::flags::{Axis, Scope, Subject};
/// let scope = Scope::default().with(Axis::Plans, ["business", "enterprise"])?;
/// let subject = Subject::new("t1", "acme", "business")?;
/// assert!(scope.matches(&subject));
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Scope {
    axes: [Values; 4],
}

/// An axis's values: sorted, distinct, each ended by a line feed. One text rather than a list of them, because a large snapshot
/// has hundreds of thousands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Values(Box<str>);

impl Values {
    fn new(values: Vec<Placed<'_>>) -> Values {
        let length = values.iter().map(|(value, _)| value.len() + 1).sum();
        let mut lines = String::with_capacity(if IS_SMALL { 0 } else { length });
        let mut last = None;
        for (value, _) in in_order(values) {
            if last != Some(value) {
                lines.push_str(value);
                push_char(&mut lines, '\n');
            }
            last = Some(value);
        }
        Values(if IS_SMALL { (*lines).into() } else { lines.into() })
    }
}

/// What is left of an axis's values.
struct Lines<'a>(&'a str);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() { None } else { Some(take_line(&mut self.0)) }
    }
}

impl Scope {
    /// The same scope with other values on one axis.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::flags::{Axis, Scope};
    /// let error = Scope::default().with(Axis::Plans, ["business", "No plan"]).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::InvalidPlan, "/plans/1"));
    /// ```
    pub fn with<'v>(mut self, axis: Axis, values: impl IntoIterator<Item = &'v str>) -> Result<Scope, Error> {
        let mut problems = Vec::new();
        let list: Vec<Placed<'_>> = values.into_iter().zip(0..).collect();
        for (value, index) in &list {
            if !axis.form()(value) {
                problems.push(Error::new(axis.refusal(), format!("/{}/{index}", axis.as_str())));
            }
        }
        if list.len() > MAX_AXIS_VALUES {
            problems.push(Error::new(Code::TooManyItems, format!("/{}", axis.as_str())));
        }
        self.set(axis, list);
        Error::unless_clean(problems, self)
    }

    pub(super) fn set(&mut self, axis: Axis, values: Vec<Placed<'_>>) {
        if let Some(slot) = self.axes.get_mut(axis as usize) {
            *slot = Values::new(values);
        }
    }

    /// Takes over the values that another scope has on one axis.
    pub(super) fn copy_axis(&mut self, axis: Axis, from: &Scope) {
        let at = axis as usize;
        if let (Some(slot), Some(values)) = (self.axes.get_mut(at), from.axes.get(at)) {
            slot.clone_from(values);
        }
    }

    fn lines(&self, axis: Axis) -> &str {
        match self.axes.get(axis as usize) {
            Some(values) => &values.0,
            None => "",
        }
    }

    /// The values on an axis, sorted.
    ///
    /// ```
    /// use dezky_core::flags::{Axis, Scope};
    /// let scope = Scope::default().with(Axis::Plans, ["pro", "free", "pro"])?;
    /// assert_eq!(scope.values(Axis::Plans).collect::<Vec<_>>(), ["free", "pro"]);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn values(&self, axis: Axis) -> impl Iterator<Item = &str> {
        Lines(self.lines(axis))
    }

    pub(crate) fn is_open(&self, axis: Axis) -> bool {
        self.lines(axis).is_empty()
    }

    /// Whether no axis has a value. As a rollout's scope that is everyone, as a target nobody.
    ///
    /// ```
    /// assert!(dezky_core::flags::Scope::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.axes.iter().all(|values| values.0.is_empty())
    }

    /// Whether every non-empty axis holds the subject's value. A value that the subject lacks is on no list.
    ///
    /// A [`Ruleset`](crate::flags::Ruleset) fills in its snapshot's environment where the subject names none; a scope by itself knows none.
    ///
    /// ```
    /// use dezky_core::flags::{Axis, Scope, Subject};
    /// let scope = Scope::default().with(Axis::PartnerSlugs, ["nordic"])?;
    /// assert!(!scope.matches(&Subject::new("t1", "acme", "business")?));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.missed_axis(subject).is_none()
    }

    /// The first axis that leaves the subject out.
    pub(crate) fn missed_axis(&self, subject: &Subject<'_>) -> Option<Axis> {
        let lists = |axis, value| self.values(axis).any(|listed| listed == value);
        let lets_in = |axis| subject.value(axis).is_some_and(|value| lists(axis, value));
        Axis::ALL.into_iter().find(|&axis| !self.is_open(axis) && !lets_in(axis))
    }
}

impl Decode for Scope {
    fn decode(value: Value<'_>) -> Scope {
        let object = value.object();
        let mut scope = Scope::default();
        for &axis in &Axis::ALL {
            if let Some(list) = object.member(axis.as_str()) {
                scope.set(axis, axis.read(list));
            }
        }
        scope
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_struct("Scope", 4)?;
        for axis in Axis::ALL {
            form.serialize_field(axis.as_str(), &self.values(axis).collect::<Vec<_>>())?;
        }
        form.end()
    }
}

deserialize_by_decoding!(Scope);
