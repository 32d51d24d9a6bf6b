//! Everything that the server can be asked, a file a resource.

use dezky_core::flags::ELSEWHERE;
use dezky_core::model::Revisioned;
use dezky_core::names::Slug;
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::call::Call;
use crate::http::etag::etag;
use crate::http::operation::Operation;
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

/// Every operation.
pub fn operations() -> Vec<Operation> {
    [
        tenants::operations(),
        subjects::operations(),
        partners::operations(),
        users::operations(),
        subscriptions::operations(),
        flags::operations(),
        plans::operations(),
        delivery::operations(),
        ofrep::operations(),
        keys::operations(),
        audit::operations(),
        audit_streams::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    /// What is on it.
    items: Vec<T>,
    /// Where the next page starts; null on the last one.
    next_cursor: Option<String>,
}

const LIMIT: Parameter = Parameter {
    name: "limit",
    about: "How many items a page has at most",
    schema: r#"{ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }"#,
};

const CURSOR: Parameter = Parameter {
    name: "cursor",
    about: "The nextCursor of the page before, with the same filter and order",
    schema: r#"{ "type": "string" }"#,
};

const TENANT: Parameter =
    Parameter { name: "tenant", about: "The slug of a tenant", schema: r#"{ "type": "string" }"# };

/// A record, with its tag.
fn entity(record: &impl Serialize, revisioned: Revisioned) -> Result<Reply, Problem> {
    Ok(Reply::json(record)?.tagged(&etag(revisioned)))
}

/// Refuses the one slug that slices use for everybody else.
fn not_reserved(slug: &Slug) -> Result<(), Problem> {
    match slug.as_str() {
        ELSEWHERE => {
            Err(Problem::invalid("/slug", "reserved_slug", "This slug stands for everybody else in slices"))
        }
        _ => Ok(()),
    }
}

/// What a record's times and version become by a change.
fn touched(revisioned: Revisioned, call: &Call) -> Revisioned {
    let updated_at = call.now.max(revisioned.updated_at);
    Revisioned { updated_at, version: revisioned.version + 1, ..revisioned }
}

/// The members that a new record's document has beside those that its maker gives.
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
