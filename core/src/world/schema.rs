//! The JSON Schemas of plans, ladders and edits.

use alloc::vec::Vec;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;

use super::{
    Edit, EditStep, Ladder, LadderStep, PartnerTotal, Plan, PlanPair, PlanTotal, TenantMove, Warning,
};
use crate::flags::{State, scope_to_send};
use crate::limits::{MAX_EDITS, MAX_WARNINGS};
use crate::names::{Digest, FlagKey, Id, Percent, PlanKey, Prose, Slug};
use crate::schema::{Member, closed, list, object, or_null, schemas};

schemas! {
    Ladder: |generator| object([
        ("key", generator.subschema_for::<FlagKey>()),
        ("steps", generator.subschema_for::<Vec<LadderStep<'_>>>()),
    ], &[]);
    Plan: |generator| object([
        ("baseRevision", generator.subschema_for::<u64>()),
        ("digest", generator.subschema_for::<Digest>()),
        ("gained", generator.subschema_for::<Vec<PlanPair<'_>>>()),
        ("lost", generator.subschema_for::<Vec<PlanPair<'_>>>()),
        ("byPlan", generator.subschema_for::<Vec<PlanTotal<'_>>>()),
        ("byPartner", generator.subschema_for::<Vec<PartnerTotal<'_>>>()),
        ("warnings", list(generator.subschema_for::<Warning>(), MAX_WARNINGS)),
    ], &[]);
    // Clients send edits and never receive them: an optional member may be `null`, and unknown
    // members are rejected.
    Edit: |generator| {
        let mut steps = list(generator.subschema_for::<EditStep>(), MAX_EDITS);
        steps.insert("minItems".into(), 1.into());
        closed(object([("edits", steps)], &[]))
    };
    EditStep: |generator| {
        let flag = flag_to_put(generator);
        let key = generator.subschema_for::<FlagKey>();
        let patch = flag_patch(generator);
        let [tenant, plan, partner] = tenant_move(generator);
        json_schema!({ "oneOf": [
            closed(object([kind("putFlag"), ("flag", flag)], &[])),
            closed(object([kind("patchFlag"), ("key", key.clone()), ("patch", patch)], &[])),
            closed(object([kind("deleteFlag"), ("key", key)], &[])),
            moves_somewhere(object([kind("moveTenant"), tenant, plan, partner], &MOVE_OPTIONAL)),
        ] })
    };
    TenantMove: |generator| moves_somewhere(object(tenant_move(generator), &MOVE_OPTIONAL));
}

fn kind(word: &str) -> Member {
    ("kind", json_schema!({ "type": "string", "const": word }))
}

/// What `PATCH /flags/{key}` takes: `null` resets a member, and a state has nothing to be reset to.
fn flag_patch(generator: &mut SchemaGenerator) -> Schema {
    let members = [
        ("state", generator.subschema_for::<State>()),
        ("pct", or_null(generator.subschema_for::<Percent>())),
        ("scope", or_null(scope_to_send(generator))),
        ("description", or_null(generator.subschema_for::<Prose>())),
        ("planDigest", or_null(json_schema!({ "type": "string" }))),
    ];
    closed(object(members, &["state", "pct", "scope", "description", "planDigest"]))
}

fn flag_to_put(generator: &mut SchemaGenerator) -> Schema {
    let members = [
        ("key", generator.subschema_for::<FlagKey>()),
        ("state", generator.subschema_for::<State>()),
        ("pct", or_null(generator.subschema_for::<Percent>())),
        ("scope", or_null(scope_to_send(generator))),
    ];
    closed(object(members, &["pct", "scope"]))
}

const MOVE_OPTIONAL: [&str; 2] = ["plan", "partnerSlug"];

fn tenant_move(generator: &mut SchemaGenerator) -> [Member; 3] {
    [
        ("tenantId", generator.subschema_for::<Id>()),
        ("plan", or_null(generator.subschema_for::<PlanKey>())),
        ("partnerSlug", or_null(generator.subschema_for::<Slug>())),
    ]
}

/// A plan that is `null` is one that stays; a partner that is `null` is one that goes.
fn moves_somewhere(object: Schema) -> Schema {
    let mut object = closed(object);
    let somewhere = json!([
        { "properties": { "plan": { "type": "string" } }, "required": ["plan"] },
        { "required": ["partnerSlug"] },
    ]);
    object.insert("anyOf".into(), somewhere);
    object
}
