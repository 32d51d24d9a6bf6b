//! A change of a scope, axis by axis.

use super::{Axis, Scope};
use crate::Error;
use crate::json::{Decode, Kind, Value};

/// A change of a scope: the axes that it names are replaced, the others stay.
///
/// ```
/// use dezky_core::flags::{Axis, Scope, ScopePatch};
/// let scope = Scope::default().with(Axis::Plans, ["business"])?.with(Axis::PartnerSlugs, ["nordic"])?;
/// let patch = ScopePatch::default().with(Axis::Plans, ["free"])?;
/// assert_eq!(patch.merged(&scope), scope.with(Axis::Plans, ["free"])?);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopePatch {
    /// The new values of the axes that are replaced.
    values: Scope,
    /// By axis, whether it is replaced.
    replaced: [bool; 4],
}

impl ScopePatch {
    /// The same change, which also replaces the values on one axis.
    ///
    /// ```
    /// use dezky_core::flags::{Axis, Scope, ScopePatch};
    /// let scope = Scope::default().with(Axis::Plans, ["business"])?;
    /// assert!(ScopePatch::default().with(Axis::Plans, [])?.merged(&scope).is_empty());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn with<'v>(
        mut self,
        axis: Axis,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Result<ScopePatch, Error> {
        self.values = self.values.with(axis, values)?;
        self.replace(axis);
        Ok(self)
    }

    /// The scope after this change.
    ///
    /// ```
    /// use dezky_core::flags::{Scope, ScopePatch};
    /// assert!(ScopePatch::default().merged(&Scope::default()).is_empty());
    /// ```
    pub fn merged(&self, scope: &Scope) -> Scope {
        let mut merged = scope.clone();
        for (axis, is_replaced) in Axis::ALL.into_iter().zip(self.replaced) {
            if is_replaced {
                merged.copy_axis(axis, &self.values);
            }
        }
        merged
    }

    fn replace(&mut self, axis: Axis) {
        if let Some(slot) = self.replaced.get_mut(axis as usize) {
            *slot = true;
        }
    }
}

/// A change that replaces every axis.
impl From<Scope> for ScopePatch {
    fn from(values: Scope) -> ScopePatch {
        ScopePatch { values, replaced: [true; 4] }
    }
}

/// An axis that is `null` is emptied.
impl Decode for ScopePatch {
    fn decode(value: Value<'_>) -> ScopePatch {
        let object = value.object();
        let mut patch = ScopePatch::default();
        for axis in Axis::ALL {
            if let Some(list) = object.member_or_null(axis.as_str()) {
                patch.replace(axis);
                if list.kind() != Kind::Null {
                    patch.values.set(axis, axis.read(list));
                }
            }
        }
        patch
    }
}
