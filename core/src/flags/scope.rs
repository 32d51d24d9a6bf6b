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
    axes: [Values; 4],
}

/// An axis's values: sorted, distinct, one a line. One text rather than a list of them, because a large snapshot has hundreds of
/// thousands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Values {
    lines: Box<str>,
    count: usize,
}

impl Values {
    fn new(mut values: Vec<&str>) -> Values {
        values.sort_unstable();
        values.dedup();
        Values { lines: values.join("\n").into(), count: values.len() }
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        self.lines.split('\n').take(self.count)
    }
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
        let list: Vec<&str> = values.into_iter().collect();
        for (index, value) in list.iter().enumerate() {
            if let Some(code) = axis.refusal(value) {
                problems.push(Error::new(code, format!("/{}/{index}", axis.as_str())));
            }
        }
        if list.len() > MAX_AXIS_VALUES {
            problems.push(Error::new(Code::TooManyItems, format!("/{}", axis.as_str())));
        }
        self.set(axis, list);
        Error::unless_clean(problems, self)
    }

    fn set(&mut self, axis: Axis, values: Vec<&str>) {
        if let Some(slot) = self.axes.get_mut(axis as usize) {
            *slot = Values::new(values);
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
    pub fn values(&self, axis: Axis) -> impl Iterator<Item = &str> {
        self.axes.get(axis as usize).into_iter().flat_map(Values::iter)
    }

    pub(crate) fn is_open(&self, axis: Axis) -> bool {
        self.axes.get(axis as usize).is_none_or(|values| values.count == 0)
    }

    /// Whether no axis has a value. As a rollout's scope that is everyone, as a target nobody.
    ///
    /// ```
    /// assert!(dezky_core::Scope::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        Axis::ALL.into_iter().all(|axis| self.is_open(axis))
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
        let lists = |axis, value| self.values(axis).any(|listed| listed == value);
        Axis::ALL
            .into_iter()
            .all(|axis| self.is_open(axis) || subject.value(axis).is_some_and(|value| lists(axis, value)))
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

fn decode_axis<'d>(axis: Axis, list: Value<'d>, problems: &mut Problems) -> Option<Vec<&'d str>> {
    let mut values = Some(Vec::new());
    for item in list.list(MAX_AXIS_VALUES, problems)? {
        let text = item.text(problems);
        let refusal = text.and_then(|text| axis.refusal(text));
        if let Some(code) = refusal {
            problems.form(code, item);
        }
        match (&mut values, text, refusal) {
            (Some(values), Some(text), None) => values.push(text),
            _ => values = None,
        }
    }
    values
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
