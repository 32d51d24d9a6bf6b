//! The route table of the server: every operation with its method, path, action and handler.
//! Summaries, parameters and bodies stay beside the handlers, one file per resource.

use dezky_core::access::Action::*;
use dezky_core::flags::ELSEWHERE;
use dezky_core::model::Revisioned;
use dezky_core::names::Slug;
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::authorize::Bound;
use crate::http::call::Call;
use crate::http::etag::etag;
use crate::http::operation::{Endpoint, delete, get, patch, post};
use crate::http::problem::Problem;
use crate::http::query::Parameter;
use crate::http::reply::Reply;
use crate::store::{Direction, Sort, SortKey};

mod audit;
mod audit_streams;
mod audit_views;
mod delivery;
mod evaluate;
mod flag_views;
mod flags;
mod keys;
mod me;
mod ofrep;
mod partners;
mod plans;
mod sign_in;
mod subjects;
mod subscriptions;
mod tenants;
mod users;

/// Every operation, one per line. The index of a row is its index in the metrics.
#[rustfmt::skip]
pub static ENDPOINTS: &[Endpoint] = &[
    get("/tenants", TenantList, Bound::Nothing, tenants::LIST),
    post("/tenants", TenantCreate, Bound::Nothing, tenants::CREATE),
    get("/tenants/{slug}", TenantRead, Bound::Tenant, tenants::READ),
    patch("/tenants/{slug}", TenantUpdate, Bound::Tenant, tenants::UPDATE),
    delete("/tenants/{slug}", TenantDelete, Bound::Tenant, tenants::TERMINATE),
    post("/tenants/{slug}/suspend", TenantSuspend, Bound::Tenant, tenants::SUSPEND),
    post("/tenants/{slug}/resume", TenantResume, Bound::Tenant, tenants::RESUME),
    post("/tenants/{slug}/activate", TenantReconcile, Bound::Tenant, tenants::ACTIVATE),
    get("/tenants/{slug}/users", TenantUsersRead, Bound::Tenant, tenants::MEMBERS),
    get("/tenants/{slug}/subject", FlagEvaluate, Bound::Tenant, subjects::READ),
    get("/subjects", SnapshotRead, Bound::Nothing, subjects::LIST),
    get("/partners", PartnerList, Bound::Nothing, partners::LIST),
    post("/partners", PartnerCreate, Bound::Nothing, partners::CREATE),
    get("/partners/{slug}", PartnerRead, Bound::Nothing, partners::READ),
    patch("/partners/{slug}", PartnerUpdate, Bound::Nothing, partners::UPDATE),
    delete("/partners/{slug}", PartnerDelete, Bound::Nothing, partners::TERMINATE),
    get("/partners/{slug}/tenants", PartnerRead, Bound::Nothing, partners::TENANTS),
    get("/users/me", UserMe, Bound::Nothing, me::READ),
    get("/users", UserList, Bound::Nothing, users::LIST),
    get("/users/{id}", UserRead, Bound::User, users::READ),
    patch("/users/{id}", UserUpdate, Bound::User, users::UPDATE),
    delete("/users/{id}", UserDelete, Bound::User, users::RETIRE),
    get("/subscriptions", SubscriptionList, Bound::Nothing, subscriptions::LIST),
    post("/subscriptions", SubscriptionCreate, Bound::Nothing, subscriptions::CREATE),
    // Shows the revenue of partners, so it has the rights of the partner list.
    get("/subscriptions/mrr", PartnerList, Bound::Nothing, subscriptions::REVENUE),
    get("/subscriptions/{id}", SubscriptionRead, Bound::Subscription, subscriptions::READ),
    patch("/subscriptions/{id}", SubscriptionUpdate, Bound::Subscription, subscriptions::UPDATE),
    delete("/subscriptions/{id}", SubscriptionDelete, Bound::Subscription, subscriptions::REMOVE),
    get("/flags", FlagList, Bound::Nothing, flags::LIST),
    post("/flags", FlagCreate, Bound::Nothing, flags::CREATE),
    post("/flags/evaluate", FlagEvaluate, Bound::TenantOfBody, evaluate::EVALUATE),
    get("/flags/{key}", FlagRead, Bound::Nothing, flags::READ),
    patch("/flags/{key}", FlagUpdate, Bound::Nothing, flags::UPDATE),
    delete("/flags/{key}", FlagDelete, Bound::Nothing, flags::REMOVE),
    post("/flags/{key}/kill", FlagUpdate, Bound::Nothing, flags::KILL),
    post("/flags/{key}/restore", FlagUpdate, Bound::Nothing, flags::RESTORE),
    post("/flags/plan", FlagPlan, Bound::Nothing, plans::PLAN),
    get("/flags/{key}/ladder", FlagPlan, Bound::Nothing, plans::LADDER),
    get("/flags/{key}/counts", FlagPlan, Bound::Nothing, plans::COUNTS),
    get("/flags/snapshot", SnapshotRead, Bound::Nothing, delivery::SNAPSHOT),
    get("/flags/slice", FlagEvaluate, Bound::TenantOfQuery, delivery::SLICE),
    get("/flags/stream", SnapshotStream, Bound::Nothing, delivery::STREAM_SNAPSHOT),
    get("/flags/slice/stream", FlagEvaluate, Bound::TenantOfQuery, delivery::STREAM_SLICE),
    get("/flags/reach", FlagPlan, Bound::Nothing, delivery::REACH),
    post("/ofrep/v1/evaluate/flags/{key}", FlagEvaluate, Bound::TargetingKey, ofrep::EVALUATE),
    post("/ofrep/v1/evaluate/flags", FlagEvaluate, Bound::TargetingKey, ofrep::EVALUATE_ALL),
    get("/ofrep/v1/stream", FlagEvaluate, Bound::TenantOfQuery, ofrep::STREAM),
    get("/keys", KeyList, Bound::Nothing, keys::LIST),
    post("/keys", KeyCreate, Bound::Nothing, keys::CREATE),
    get("/keys/{id}", KeyList, Bound::Nothing, keys::READ),
    post("/keys/{id}/rotate", KeyCreate, Bound::Nothing, keys::ROTATE),
    delete("/keys/{id}", KeyRevoke, Bound::Nothing, keys::REVOKE),
    get("/audit", AuditRead, Bound::TenantOfQueryIfAny, audit::LIST),
    get("/audit/export", AuditRead, Bound::Nothing, audit_streams::EXPORT),
    post("/audit/verify", AuditRead, Bound::Nothing, audit_streams::VERIFY),
];

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    /// The items of this page.
    items: Vec<T>,
    /// The cursor of the next page; null on the last one.
    next_cursor: Option<String>,
}

const LIMIT: Parameter = Parameter {
    name: "limit",
    description: "The maximum number of items on a page",
    schema: r#"{ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }"#,
};

const CURSOR: Parameter = Parameter {
    name: "cursor",
    description: "The nextCursor of the previous page, with the same filter and order",
    schema: r#"{ "type": "string" }"#,
};

const TENANT: Parameter =
    Parameter { name: "tenant", description: "The slug of a tenant", schema: r#"{ "type": "string" }"# };

/// Replies with a record and its entity tag.
fn entity(record: &impl Serialize, revisioned: Revisioned) -> Result<Reply, Problem> {
    Ok(Reply::json(record)?.tagged(&etag(revisioned)))
}

/// Rejects the slug that slices use for all other tenants.
fn not_reserved(slug: &Slug) -> Result<(), Problem> {
    match slug.as_str() {
        ELSEWHERE => {
            Err(Problem::invalid("/slug", "reserved_slug", "Slices use this slug for all other tenants"))
        }
        _ => Ok(()),
    }
}

/// Returns the times and the version of a record after a change.
fn touched(revisioned: Revisioned, call: &Call) -> Revisioned {
    let updated_at = call.now.max(revisioned.updated_at);
    Revisioned { updated_at, version: revisioned.version + 1, ..revisioned }
}

/// Returns the members that the server adds to the document of a new record.
fn stamp(id: &dezky_core::names::Id, call: &Call) -> serde_json::Value {
    serde_json::json!({ "id": id, "createdAt": call.now, "updatedAt": call.now, "version": 1 })
}

fn sort_of(text: &str) -> Option<Sort> {
    let (direction, name) = match text.strip_prefix('-') {
        Some(name) => (Direction::Descending, name),
        None => (Direction::Ascending, text),
    };
    let key = match name {
        "slug" => SortKey::Slug,
        "name" => SortKey::Name,
        "createdAt" => SortKey::CreatedAt,
        _ => return None,
    };
    Some(Sort { key, direction })
}
