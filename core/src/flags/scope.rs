//! Scopes: which tenants a rule can match, as lists of values on four axes.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::Subject;
use crate::json::{Decode, Value, deserialize_by_decoding};
use crate::names::{is_key, is_slug};
use crate::text::{IS_SMALL, Indexed, push_char, sort_indexed, split_line};
use crate::{Code, Error, limits::MAX_AXIS_VALUES};

/// One axis of a scope. Evaluation checks axes in the order of their declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Axis {
    /// The key of the tenant's plan.
    Plans,
    /// The tenant's own slug.
    TenantSlugs,
    /// The slug of the tenant's partner, if it has one.
    PartnerSlugs,
    /// The environment of the evaluation.
    Environments,
}

impl Axis {
    /// All axes, in the order in which evaluation checks them.
    pub const ALL: [Axis; 4] = [Axis::Plans, Axis::TenantSlugs, Axis::PartnerSlugs, Axis::Environments];

    /// The member name of the axis in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Axis::Plans => "plans",
            Axis::TenantSlugs => "tenantSlugs",
            Axis::PartnerSlugs => "partnerSlugs",
            Axis::Environments => "environments",
        }
    }

    /// The check for values of this axis.
    fn validator(self) -> fn(&str) -> bool {
        match self {
            Axis::Plans | Axis::Environments => is_key,
            Axis::TenantSlugs | Axis::PartnerSlugs => is_slug,
        }
    }

    /// Reads the values of this axis from a document.
    #[cfg_attr(not(target_family = "wasm"), inline)]
    pub(super) fn read(self, list: Value<'_>) -> Vec<Indexed<'_>> {
        let mut values = Vec::new();
        for item in list.list(MAX_AXIS_VALUES) {
            let value = item.checked(self.validator(), self.invalid_code());
            values.push((value.raw(), 0));
        }
        values
    }

    /// The code of the error for a malformed value of this axis.
    fn invalid_code(self) -> Code {
        match self {
            Axis::Plans => Code::InvalidPlan,
            Axis::TenantSlugs | Axis::PartnerSlugs => Code::InvalidSlug,
            Axis::Environments => Code::InvalidEnvironment,
        }
    }
}

/// The tenants that a rule can match: on each axis, sorted and distinct values.
///
/// A subject is in scope if every axis is empty or lists the subject's value.
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

/// The values of an axis, sorted and distinct, each followed by a line feed. One string instead of
/// a list, because a large snapshot has hundreds of thousands of values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Values(Box<str>);

impl Values {
    fn new(values: Vec<Indexed<'_>>) -> Values {
        let length = values.iter().map(|(value, _)| value.len() + 1).sum();
        let mut lines = String::with_capacity(if IS_SMALL { 0 } else { length });
        let mut last = None;
        for (value, _) in sort_indexed(values) {
            if last != Some(value) {
                lines.push_str(value);
                push_char(&mut lines, '\n');
            }
            last = Some(value);
        }
        Values(if IS_SMALL { (*lines).into() } else { lines.into() })
    }
}

/// An iterator over the lines of a string.
struct Lines<'a>(&'a str);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() { None } else { Some(split_line(&mut self.0)) }
    }
}

impl Scope {
    /// Replaces the values on one axis.
    ///
    /// ```
    /// use dezky_core::Code;
    /// use dezky_core::flags::{Axis, Scope};
    /// let error = Scope::default().with(Axis::Plans, ["business", "No plan"]).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::InvalidPlan, "/plans/1"));
    /// ```
    pub fn with<'v>(mut self, axis: Axis, values: impl IntoIterator<Item = &'v str>) -> Result<Scope, Error> {
        let mut problems = Vec::new();
        let list: Vec<Indexed<'_>> = values.into_iter().zip(0..).collect();
        for (value, index) in &list {
            if !axis.validator()(value) {
                problems.push(Error::new(axis.invalid_code(), format!("/{}/{index}", axis.as_str())));
            }
        }
        if list.len() > MAX_AXIS_VALUES {
            problems.push(Error::new(Code::TooManyItems, format!("/{}", axis.as_str())));
        }
        self.set(axis, list);
        Error::unless_clean(problems, self)
    }

    pub(super) fn set(&mut self, axis: Axis, values: Vec<Indexed<'_>>) {
        if let Some(slot) = self.axes.get_mut(axis as usize) {
            *slot = Values::new(values);
        }
    }

    /// Copies the values on one axis from another scope.
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

    /// The values on an axis, sorted and distinct.
    pub fn values(&self, axis: Axis) -> impl Iterator<Item = &str> {
        Lines(self.lines(axis))
    }

    pub(crate) fn is_open(&self, axis: Axis) -> bool {
        self.lines(axis).is_empty()
    }

    /// Returns whether every axis is empty. An empty scope matches every tenant in a rollout, and
    /// no tenant in state `targeted`.
    pub fn is_empty(&self) -> bool {
        self.axes.iter().all(|values| values.0.is_empty())
    }

    /// Returns whether every axis is empty or lists the subject's value. A subject without a value
    /// on an axis matches only an empty axis.
    ///
    /// A [`Ruleset`](crate::flags::Ruleset) evaluates a subject without an environment in the
    /// environment of its snapshot; this function does not.
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

    /// The first axis that excludes the subject.
    pub(crate) fn missed_axis(&self, subject: &Subject<'_>) -> Option<Axis> {
        let lists = |axis, value| self.values(axis).any(|listed| listed == value);
        let matches = |axis| subject.value(axis).is_some_and(|value| lists(axis, value));
        Axis::ALL.into_iter().find(|&axis| !self.is_open(axis) && !matches(axis))
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
