//! The handlers for tenants.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use dezky_core::model::{Tenant, TenantStatus, User};
use dezky_core::{Error, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{CURSOR, LIMIT, Page, entity, not_reserved, sort_of, stamp, touched, users};
use crate::app::new_id;
use crate::http::call::Call;
use crate::http::document::merged;
use crate::http::limits::MAX_SEARCH_CHARACTERS;
use crate::http::operation::{Body, Operation};
use crate::http::problem::Problem;
use crate::http::query::Parameter;
use crate::http::reply::Reply;
use crate::store::{
    Direction, PageStart, Record, RecordChange, Require, Sort, SortKey, TenantFilter, TenantQuery, UserQuery,
};

const CREATED: Body = Body::whole::<Tenant>(
    &["slug", "name", "plan", "domains", "partnerId", "billingInfo"],
    &["slug", "name", "plan"],
);

const CHANGED: Body = Body::patch::<Tenant>(&["name", "plan", "domains", "partnerId", "billingInfo"]);

const LISTED: &[Parameter] = &[
    Parameter {
        name: "q",
        description: "A part of the slug or the name, ignoring case",
        schema: r#"{ "type": "string", "minLength": 1, "maxLength": 100 }"#,
    },
    Parameter {
        name: "status",
        description: "The status of the tenants",
        schema: r#"{ "enum": ["pending", "active", "suspended", "terminated"] }"#,
    },
    Parameter {
        name: "plan",
        description: "The plan of the tenants",
        schema: r#"{ "type": "string", "minLength": 1 }"#,
    },
    Parameter {
        name: "partner",
        description: "The slug of the tenants' partner",
        schema: r#"{ "type": "string", "minLength": 1 }"#,
    },
    Parameter {
        name: "sort",
        description: "The order of the tenants",
        schema: r#"{ "enum": ["slug", "-slug", "name", "-name", "createdAt", "-createdAt"], "default": "slug" }"#,
    },
    Parameter {
        name: "counts",
        description: "Adds the number of tenants of each status that match the other filters",
        schema: r#"{ "enum": ["true", "false"], "default": "false" }"#,
    },
    LIMIT,
    CURSOR,
];

pub const LIST: Operation = Operation::new(|call| Box::pin(list(call)))
    .summary("Lists the tenants that the caller may see")
    .query(LISTED)
    .returns::<TenantPage>();

pub const CREATE: Operation = Operation::new(|call| Box::pin(create(call)))
    .summary("Creates a tenant")
    .body(CREATED)
    .creates()
    .returns::<Tenant>();

pub const READ: Operation =
    Operation::new(|call| Box::pin(read(call))).summary("Returns one tenant").returns::<Tenant>();

pub const UPDATE: Operation = Operation::new(|call| Box::pin(update(call)))
    .summary("Changes a tenant; a partnerId of null detaches it from its partner")
    .body(CHANGED)
    .if_match()
    .returns::<Tenant>();

pub const TERMINATE: Operation =
    Operation::new(|call| Box::pin(step(call, "tenant.terminate", Tenant::terminate)))
        .summary("Terminates a tenant permanently; its data is kept")
        .if_match()
        .returns::<Tenant>();

pub const SUSPEND: Operation = Operation::new(|call| Box::pin(step(call, "tenant.suspend", Tenant::suspend)))
    .summary("Suspends an active tenant: its members can read everything and change nothing")
    .if_match()
    .returns::<Tenant>();

pub const RESUME: Operation = Operation::new(|call| Box::pin(step(call, "tenant.resume", Tenant::resume)))
    .summary("Ends the suspension of a tenant")
    .if_match()
    .returns::<Tenant>();

pub const ACTIVATE: Operation =
    Operation::new(|call| Box::pin(step(call, "tenant.activate", Tenant::activate)))
        .summary("Activates a pending tenant")
        .if_match()
        .returns::<Tenant>();

pub const MEMBERS: Operation = Operation::new(|call| Box::pin(members(call)))
    .summary("Lists the users of a tenant by last sign-in, newest first")
    .query(&[LIMIT, CURSOR])
    .returns::<Page<User>>();

/// One page of tenants, with totals if they were requested.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TenantPage {
    items: Vec<Tenant>,
    next_cursor: Option<String>,
    /// The number of tenants of each status that match the other filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<BTreeMap<&'static str, u64>>,
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let query = &call.query;
    let sort =
        query.read("sort", sort_of)?.unwrap_or(Sort { key: SortKey::Slug, direction: Direction::Ascending });
    let search =
        |text: &str| (1..=MAX_SEARCH_CHARACTERS).contains(&text.chars().count()).then(|| text.to_lowercase());
    let visible = call.caller.visible_tenants();
    let partner = query.get("partner").map(|slug| {
        let state = call.app.live.read();
        state.visible_partner(slug, visible.as_deref()).cloned()
    });
    let filter = TenantFilter {
        text: query.read("q", search)?,
        status: query.read("status", |word| {
            TenantStatus::ALL.iter().copied().find(|status| status.as_str() == word)
        })?,
        plan: query.get("plan").map(str::to_owned),
        partner: partner.clone().flatten(),
        visible,
    };
    let (limit, after) = (query.limit()? + 1, call.after()?);
    // A partner that does not exist, or has none of the caller's tenants.
    let is_empty = partner.is_some_and(|partner| partner.is_none());
    let found = match is_empty {
        true => Vec::new(),
        false => call.app.store.tenants(TenantQuery { filter: filter.clone(), sort, after, limit }).await?,
    };
    let counts = match query.is_set("counts")? {
        true if !is_empty => Some(call.app.store.tenant_totals(filter).await?),
        true => Some(TenantStatus::ALL.iter().map(|status| (status.as_str(), 0)).collect()),
        false => None,
    };
    let (items, next_cursor) = call.page(found, |tenant| position(tenant, sort))?;
    Reply::json(&TenantPage { items, next_cursor, counts })
}

fn position(tenant: &Tenant, sort: Sort) -> PageStart {
    let key = match sort.key {
        SortKey::Slug => tenant.slug().to_string(),
        SortKey::Name => tenant.name.as_str().to_lowercase(),
        SortKey::CreatedAt => tenant.revisioned.created_at.as_micros().to_string(),
    };
    PageStart { key, id: tenant.id().to_string() }
}

async fn create(call: Call) -> Result<Reply, Problem> {
    let id = new_id()?;
    let mut blank = stamp(&id, &call);
    if let Some(members) = blank.as_object_mut() {
        // A new tenant is active at once, because no external system has to be set up.
        members.insert("status".to_owned(), json!(TenantStatus::Active));
    }
    let tenant: Tenant = merged(&blank, &call.body)?;
    not_reserved(tenant.slug())?;
    let requires = tenant.partner_id.clone().map(Require::ActivePartner).into_iter().collect();
    let reply = entity(&tenant, tenant.revisioned)?.created(format!("/tenants/{}", tenant.slug()));
    let change =
        RecordChange { action: "tenant.create", before: None, after: Some(Record::Tenant(Box::new(tenant))) };
    call.write(vec![change], requires, reply).await
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let tenant = current(&call).await?;
    entity(&tenant, tenant.revisioned)
}

async fn update(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.check_version(before.revisioned)?;
    let mut after: Tenant = merged(&before, &call.body)?;
    if after == before {
        return entity(&before, before.revisioned);
    }
    if before.status() == TenantStatus::Terminated {
        return Err(Problem::conflict(
            "invalid_transition",
            "/status",
            "A terminated tenant cannot be changed",
        ));
    }
    let is_attached = after.partner_id != before.partner_id;
    let requires =
        after.partner_id.clone().filter(|_| is_attached).map(Require::ActivePartner).into_iter().collect();
    after.revisioned = touched(before.revisioned, &call);
    write(&call, "tenant.update", before, after, requires).await
}

async fn step(
    call: Call,
    action: &'static str,
    step: fn(&mut Tenant, Timestamp) -> Result<(), Error>,
) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.check_version(before.revisioned)?;
    let mut after = before.clone();
    let now = touched(before.revisioned, &call).updated_at;
    step(&mut after, now).map_err(|error| Problem::from(error).with_status(StatusCode::CONFLICT))?;
    write(&call, action, before, after, Vec::new()).await
}

async fn write(
    call: &Call,
    action: &'static str,
    before: Tenant,
    after: Tenant,
    requires: Vec<Require>,
) -> Result<Reply, Problem> {
    let reply = entity(&after, after.revisioned)?;
    let (before, after) = (Record::Tenant(Box::new(before)), Record::Tenant(Box::new(after)));
    call.write(vec![RecordChange { action, before: Some(before), after: Some(after) }], requires, reply).await
}

async fn current(call: &Call) -> Result<Tenant, Problem> {
    call.app.store.tenant(&call.tenant_id()?).await?.ok_or_else(Problem::not_found)
}

async fn members(call: Call) -> Result<Reply, Problem> {
    let query =
        UserQuery { tenant: Some(call.tenant_id()?), after: call.after()?, limit: call.query.limit()? + 1 };
    users::page(&call, query).await
}
