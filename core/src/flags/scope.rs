//! Scopes: four axes, each a list of values, each possibly empty.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::Subject;
use crate::json::{Decode, Problems, Value, deserialize_by_decoding};
use crate::names::{is_key, is_slug};
use crate::{Code, Error, limits::MAX_AXIS_VALUES};

/// One axis of a scope. Axes are checked in this order.
///
/// ```
/// assert_eq!(dezky_core::Axis::TenantSlugs.as_str(), "tenantSlugs");
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
    /// assert_eq!(dezky_core::Axis::ALL.len(), 4);
    /// ```
    pub const ALL: [Axis; 4] = [Axis::Plans, Axis::TenantSlugs, Axis::PartnerSlugs, Axis::Environments];

    /// The axis as documents spell it.
    ///
    /// ```
    /// assert_eq!(dezky_core::Axis::Plans.as_str(), "plans");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Axis::Plans => "plans",
            Axis::TenantSlugs => "tenantSlugs",
            Axis::PartnerSlugs => "partnerSlugs",
            Axis::Environments => "environments",
        }
    }

    /// What is wrong with a text that cannot stand on this axis.
    fn refusal(self, text: &str) -> Option<Code> {
        let (well_formed, code) = match self {
            Axis::Plans => (is_key(text), Code::InvalidPlan),
            Axis::TenantSlugs | Axis::PartnerSlugs => (is_slug(text), Code::InvalidSlug),
            Axis::Environments => (is_key(text), Code::InvalidEnvironment),
        };
        (!well_formed).then_some(code)
    }
}

/// Whom a flag is for: on each axis sorted, distinct, well-formed values.
///
/// ```
/// use dezky_core::{Axis, Scope, Subject};
/// let scope = Scope::default().with(Axis::Plans, ["business", "enterprise"])?;
/// let subject = Subject::new("t1", "acme", "business")?;
/// assert!(scope.matches(&subject));
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Scope {
    axes: [Vec<Box<str>>; 4],
}

impl Scope {
    /// The same scope with other values on one axis.
    ///
    /// ```
    /// use dezky_core::{Axis, Code, Scope};
    /// let error = Scope::default().with(Axis::Plans, ["business", "No plan"]).unwrap_err();
    /// assert_eq!((error.code, error.path.as_str()), (Code::InvalidPlan, "/plans/1"));
    /// ```
    pub fn with<'v>(mut self, axis: Axis, values: impl IntoIterator<Item = &'v str>) -> Result<Scope, Error> {
        let mut problems = Vec::new();
        let mut list: Vec<Box<str>> = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            match axis.refusal(value) {
                Some(code) => problems.push(Error::new(code, format!("/{}/{index}", axis.as_str()))),
                None => list.push(value.into()),
            }
        }
        if list.len() > MAX_AXIS_VALUES {
            problems.push(Error::new(Code::TooManyItems, format!("/{}", axis.as_str())));
        }
        self.set(axis, list);
        Error::unless_clean(problems, self)
    }

    fn set(&mut self, axis: Axis, mut values: Vec<Box<str>>) {
        values.sort_unstable();
        values.dedup();
        if let Some(slot) = self.axes.get_mut(axis as usize) {
            *slot = values;
        }
    }

    /// The values on an axis, sorted.
    ///
    /// ```
    /// use dezky_core::{Axis, Scope};
    /// let scope = Scope::default().with(Axis::Plans, ["pro", "free", "pro"])?;
    /// assert_eq!(scope.values(Axis::Plans).collect::<Vec<_>>(), ["free", "pro"]);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn values(&self, axis: Axis) -> impl ExactSizeIterator<Item = &str> {
        self.axes.get(axis as usize).map_or(&[][..], Vec::as_slice).iter().map(|value| &**value)
    }

    /// Whether no axis has a value. As a rollout's scope that is everyone, as a target nobody.
    ///
    /// ```
    /// assert!(dezky_core::Scope::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.axes.iter().all(Vec::is_empty)
    }

    /// Whether every non-empty axis holds the subject's value. A value that the subject lacks is on no list.
    ///
    /// A [`Ruleset`](crate::Ruleset) fills in its snapshot's environment where the subject names none; a scope by itself knows none.
    ///
    /// ```
    /// use dezky_core::{Axis, Scope, Subject};
    /// let scope = Scope::default().with(Axis::PartnerSlugs, ["nordic"])?;
    /// assert!(!scope.matches(&Subject::new("t1", "acme", "business")?));
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        Axis::ALL.into_iter().zip(&self.axes).all(|(axis, values)| {
            let listed = |value: &str| values.binary_search_by(|listed| (**listed).cmp(value)).is_ok();
            values.is_empty() || subject.value(axis).is_some_and(listed)
        })
    }
}

impl Decode for Scope {
    fn decode(value: Value<'_>, problems: &mut Problems) -> Option<Scope> {
        let object = value.object(problems)?;
        let mut scope = Some(Scope::default());
        for axis in Axis::ALL {
            let Some(list) = object.value().member(axis.as_str()) else { continue };
            let values = decode_axis(axis, list, problems);
            match (&mut scope, values) {
                (Some(scope), Some(values)) => scope.set(axis, values),
                _ => scope = None,
            }
        }
        scope
    }
}

fn decode_axis(axis: Axis, list: Value<'_>, problems: &mut Problems) -> Option<Vec<Box<str>>> {
    let mut values = Some(Vec::new());
    for item in list.list(MAX_AXIS_VALUES, problems)? {
        let text = item.text(problems);
        let refusal = text.and_then(|text| axis.refusal(text));
        if let Some(code) = refusal {
            problems.form(code, item);
        }
        match (&mut values, text, refusal) {
            (Some(values), Some(text), None) => values.push(text.into()),
            _ => values = None,
        }
    }
    values
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_struct("Scope", 4)?;
        for (axis, values) in Axis::ALL.into_iter().zip(&self.axes) {
            form.serialize_field(axis.as_str(), values)?;
        }
        form.end()
    }
}

deserialize_by_decoding!(Scope);
