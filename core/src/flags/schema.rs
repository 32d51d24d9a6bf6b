//! The JSON Schemas of scopes and reasons.

use schemars::{Schema, SchemaGenerator};

use super::{Axis, Reason, Scope};
use crate::limits::MAX_AXIS_VALUES;
use crate::names::{Environment, PlanKey, Slug};
use crate::schema::{Member, closed, list, object, one_of, or_null, schemas};

schemas! {
    Axis: |_| one_of(Axis::ALL.map(Axis::as_str));
    Reason: |_| one_of(Reason::ALL.map(Reason::as_str));
    Scope: |generator| object(axes(generator), &[]);
}

fn axes(generator: &mut SchemaGenerator) -> [Member; 4] {
    Axis::ALL.map(|axis| {
        let value = match axis {
            Axis::Plans => generator.subschema_for::<PlanKey>(),
            Axis::TenantSlugs | Axis::PartnerSlugs => generator.subschema_for::<Slug>(),
            Axis::Environments => generator.subschema_for::<Environment>(),
        };
        (axis.as_str(), list(value, MAX_AXIS_VALUES))
    })
}

/// The schema of a scope in an edit, where `null` empties an axis.
pub(crate) fn scope_to_send(generator: &mut SchemaGenerator) -> Schema {
    let axes = axes(generator).map(|(axis, values)| (axis, or_null(values)));
    closed(object(axes, &Axis::ALL.map(Axis::as_str)))
}
