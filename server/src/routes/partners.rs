//! Partners, and what they bring.

use axum::http::StatusCode;
use dezky_core::{Action, Id, Partner, Tenant};
use schemars::JsonSchema;
use serde::Serialize;

use super::{CURSOR, LIMIT, Page, entity, not_reserved, stamp, touched};
use crate::app::new_id;
use crate::http::call::Call;
use crate::http::document::merged;
use crate::http::operation::{Body, Operation, delete, get, patch, post};

use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::store::{
    Customers, Direction, Money, PageStart, PartnerQuery, Record, RecordChange, Sort, SortKey, TenantFilter,
    TenantQuery,
};

const CREATED: Body = Body::whole::<Partner>(
    &["slug", "name", "domain", "marginPct", "contactInfo", "billingInfo"],
    &["slug", "name"],
);

const CHANGED: Body = Body::patch::<Partner>(&["name", "domain", "marginPct", "contactInfo", "billingInfo"]);

pub fn operations() -> Vec<Operation> {
    vec![
        get("/partners", Action::PartnerList, list)
            .says("The partners, with how many tenants each has and what those bring")
            .asks(&[LIMIT, CURSOR])
            .gives::<Page<PartnerRow>>(),
        post("/partners", Action::PartnerCreate, create)
            .says("A new partner")
            .takes(CREATED)
            .creates()
            .gives::<PartnerRow>(),
        get("/partners/{slug}", Action::PartnerRead, read).says("One partner").gives::<PartnerRow>(),
        patch("/partners/{slug}", Action::PartnerUpdate, update)
            .says("Changes a partner")
            .takes(CHANGED)
            .gives::<PartnerRow>(),
        delete("/partners/{slug}", Action::PartnerDelete, terminate)
            .says("Terminates a partner: its tenants stay with it, and no other can come")
            .gives::<PartnerRow>(),
        get("/partners/{slug}/tenants", Action::PartnerRead, tenants)
            .says("A partner's tenants, by slug")
            .asks(&[LIMIT, CURSOR])
            .gives::<Page<Tenant>>(),
    ]
}

/// A partner with what it brings.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PartnerRow {
    #[serde(flatten)]
    partner: Partner,
    /// How many tenants it has, terminated ones left out.
    customers: u64,
    /// The monthly recurring revenue of its tenants' subscriptions, whatever the tenants' status, in minor units per currency.
    mrr: Money,
}

impl PartnerRow {
    fn new(partner: Partner, brings: Option<Customers>) -> PartnerRow {
        let Customers { count, mrr } = brings.unwrap_or_default();
        PartnerRow { partner, customers: count, mrr }
    }
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let query = PartnerQuery { after: call.after()?, limit: call.query.limit()? + 1 };
    let found = call.app.store.partners(query).await?;
    let position =
        |partner: &Partner| PageStart { key: partner.slug().to_string(), id: partner.id().to_string() };
    let (partners, next_cursor) = call.page(found, position)?;
    let ids = partners.iter().map(|partner| partner.id().clone()).collect();
    let mut brings = call.app.store.customers(ids).await?;
    let row = |partner: Partner| {
        let brings = brings.remove(partner.id());
        PartnerRow::new(partner, brings)
    };
    Reply::json(&Page { items: partners.into_iter().map(row).collect(), next_cursor })
}

async fn create(call: Call) -> Result<Reply, Problem> {
    let partner: Partner = merged(&stamp(&new_id()?, &call), &call.body)?;
    not_reserved(partner.slug())?;
    let row = PartnerRow::new(partner.clone(), None);
    let reply = entity(&row, partner.revisioned)?.created(format!("/partners/{}", partner.slug()));
    let entry = RecordChange {
        action: "partner.create",
        before: None,
        after: Some(Record::Partner(Box::new(partner))),
    };
    call.write(vec![entry], Vec::new(), reply).await
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let partner = current(&call).await?;
    // No tag of the row as a whole: its figures change without the partner.
    shown(&call, partner).await
}

async fn update(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.judge_version(before.revisioned)?;
    let mut after: Partner = merged(&before, &call.body)?;
    if after == before {
        return shown(&call, before).await;
    }
    after.revisioned = touched(before.revisioned, &call);
    write(&call, "partner.update", before, after).await
}

async fn terminate(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.judge_version(before.revisioned)?;
    let mut after = before.clone();
    let now = touched(before.revisioned, &call).updated_at;
    after.terminate(now).map_err(|error| Problem::from(error).with_status(StatusCode::CONFLICT))?;
    write(&call, "partner.terminate", before, after).await
}

async fn tenants(call: Call) -> Result<Reply, Problem> {
    let filter = TenantFilter { partner: Some(id(&call)?), ..TenantFilter::default() };
    let sort = Sort { key: SortKey::Slug, direction: Direction::Ascending };
    let query = TenantQuery { filter, sort, after: call.after()?, limit: call.query.limit()? + 1 };
    let found = call.app.store.tenants(query).await?;
    let position =
        |tenant: &Tenant| PageStart { key: tenant.slug().to_string(), id: tenant.id().to_string() };
    let (items, next_cursor) = call.page(found, position)?;
    Reply::json(&Page { items, next_cursor })
}

async fn write(call: &Call, action: &'static str, before: Partner, after: Partner) -> Result<Reply, Problem> {
    let reply = shown(call, after.clone()).await?;
    let (before, after) = (Record::Partner(Box::new(before)), Record::Partner(Box::new(after)));
    call.write(vec![RecordChange { action, before: Some(before), after: Some(after) }], Vec::new(), reply)
        .await
}

async fn shown(call: &Call, partner: Partner) -> Result<Reply, Problem> {
    let mut brings = call.app.store.customers(vec![partner.id().clone()]).await?;
    let (brings, revisioned) = (brings.remove(partner.id()), partner.revisioned);
    entity(&PartnerRow::new(partner, brings), revisioned)
}

async fn current(call: &Call) -> Result<Partner, Problem> {
    call.app.store.partner(&id(call)?).await?.ok_or_else(Problem::not_found)
}

fn id(call: &Call) -> Result<Id, Problem> {
    call.app.live.read().partner(call.part("slug")).cloned().ok_or_else(Problem::not_found)
}
