//! Patches of scopes, axis by axis.

use super::{Axis, Scope};
use crate::Error;
use crate::json::{Decode, Kind, Value};

/// A patch of a scope: replaces the axes that it names and keeps the others.
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
    /// For each axis, whether it is replaced.
    replaced: [bool; 4],
}

impl ScopePatch {
    /// Adds a replacement of the values on one axis.
    pub fn with<'v>(
        mut self,
        axis: Axis,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Result<ScopePatch, Error> {
        self.values = self.values.with(axis, values)?;
        self.replace(axis);
        Ok(self)
    }

    /// Applies the patch to a scope.
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

/// Creates a patch that replaces every axis.
impl From<Scope> for ScopePatch {
    fn from(values: Scope) -> ScopePatch {
        ScopePatch { values, replaced: [true; 4] }
    }
}

/// Decodes a patch. An axis that is `null` is replaced by an empty one.
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
