//! Tenants.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use dezky_core::{Action, Error, Tenant, TenantStatus, Timestamp, User};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{CURSOR, LIMIT, Page, entity, not_reserved, sort_of, stamp, touched, users};
use crate::app::new_id;
use crate::http::authorize::Bound;
use crate::http::call::Call;
use crate::http::document::merged;
use crate::http::limits::MAX_SEARCH_CHARACTERS;
use crate::http::operation::{Body, Operation, delete, get, patch, post};
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
        about: "Part of the slug or the name, in any case",
        schema: r#"{ "type": "string", "minLength": 1, "maxLength": 100 }"#,
    },
    Parameter {
        name: "status",
        about: "Of this status",
        schema: r#"{ "enum": ["pending", "active", "suspended", "terminated"] }"#,
    },
    Parameter { name: "plan", about: "On this plan", schema: r#"{ "type": "string", "minLength": 1 }"# },
    Parameter {
        name: "partner",
        about: "Brought by the partner of this slug",
        schema: r#"{ "type": "string", "minLength": 1 }"#,
    },
    Parameter {
        name: "sort",
        about: "In which order",
        schema: r#"{ "enum": ["slug", "-slug", "name", "-name", "createdAt", "-createdAt"], "default": "slug" }"#,
    },
    Parameter {
        name: "counts",
        about: "Whether to count the tenants of each status that the other filters let through",
        schema: r#"{ "enum": ["true", "false"], "default": "false" }"#,
    },
    LIMIT,
    CURSOR,
];

pub fn operations() -> Vec<Operation> {
    vec![
        get("/tenants", Action::TenantList, list)
            .says("The tenants that the caller may see")
            .asks(LISTED)
            .gives::<TenantPage>(),
        post("/tenants", Action::TenantCreate, create)
            .says("A new tenant")
            .takes(CREATED)
            .creates()
            .gives::<Tenant>(),
        get("/tenants/{slug}", Action::TenantRead, read)
            .says("One tenant")
            .bound_to(Bound::Tenant)
            .gives::<Tenant>(),
        patch("/tenants/{slug}", Action::TenantUpdate, update)
            .says("Changes a tenant; a partnerId of null detaches it from its partner")
            .bound_to(Bound::Tenant)
            .takes(CHANGED)
            .gives::<Tenant>(),
        delete("/tenants/{slug}", Action::TenantDelete, |call| {
            step(call, "tenant.terminate", Tenant::terminate)
        })
        .says("Terminates a tenant, for good; nothing is deleted")
        .bound_to(Bound::Tenant)
        .gives::<Tenant>(),
        post("/tenants/{slug}/suspend", Action::TenantSuspend, |call| {
            step(call, "tenant.suspend", Tenant::suspend)
        })
        .says("Suspends an active tenant: its members may look at everything and change nothing")
        .bound_to(Bound::Tenant)
        .if_match()
        .gives::<Tenant>(),
        post("/tenants/{slug}/resume", Action::TenantResume, |call| {
            step(call, "tenant.resume", Tenant::resume)
        })
        .says("Ends a suspension")
        .bound_to(Bound::Tenant)
        .if_match()
        .gives::<Tenant>(),
        post("/tenants/{slug}/activate", Action::TenantReconcile, |call| {
            step(call, "tenant.activate", Tenant::activate)
        })
        .says("Makes a pending tenant active")
        .bound_to(Bound::Tenant)
        .if_match()
        .gives::<Tenant>(),
        get("/tenants/{slug}/users", Action::TenantUsersRead, members)
            .says("A tenant's users, by last sign-in, newest first")
            .bound_to(Bound::Tenant)
            .asks(&[LIMIT, CURSOR])
            .gives::<Page<User>>(),
    ]
}

/// A page of tenants, with totals where they were asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TenantPage {
    items: Vec<Tenant>,
    next_cursor: Option<String>,
    /// How many tenants of each status the other filters let through.
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
    // A partner that is not there, or brought none of the caller's tenants.
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
        // No outside system has to be set up first.
        members.insert("status".to_owned(), json!(TenantStatus::Active));
    }
    let tenant: Tenant = merged(&blank, &call.body)?;
    not_reserved(tenant.slug())?;
    let requires = tenant.partner_id.clone().map(Require::ActivePartner).into_iter().collect();
    let reply = entity(&tenant, tenant.revisioned)?.created(format!("/tenants/{}", tenant.slug()));
    let entry =
        RecordChange { action: "tenant.create", before: None, after: Some(Record::Tenant(Box::new(tenant))) };
    call.write(vec![entry], requires, reply).await
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let tenant = current(&call).await?;
    entity(&tenant, tenant.revisioned)
}

async fn update(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.judge_version(before.revisioned)?;
    let mut after: Tenant = merged(&before, &call.body)?;
    if after == before {
        return entity(&before, before.revisioned);
    }
    if before.status() == TenantStatus::Terminated {
        return Err(Problem::conflict(
            "invalid_transition",
            "/status",
            "A terminated tenant changes no more",
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
    call.judge_version(before.revisioned)?;
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
