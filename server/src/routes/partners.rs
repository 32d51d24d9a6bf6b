//! The handlers for partners and their revenue.

use axum::http::StatusCode;
use dezky_core::model::{Partner, Tenant};
use dezky_core::names::Id;
use schemars::JsonSchema;
use serde::Serialize;

use super::{CURSOR, LIMIT, Page, entity, not_reserved, stamp, touched};
use crate::app::new_id;
use crate::http::call::Call;
use crate::http::document::merged;
use crate::http::operation::{Body, Operation};
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

pub const LIST: Operation = Operation::new(|call| Box::pin(list(call)))
    .summary("Lists the partners with the number and the recurring revenue of their tenants")
    .query(&[LIMIT, CURSOR])
    .returns::<Page<PartnerRow>>();

pub const CREATE: Operation = Operation::new(|call| Box::pin(create(call)))
    .summary("Creates a partner")
    .body(CREATED)
    .creates()
    .returns::<PartnerRow>();

pub const READ: Operation =
    Operation::new(|call| Box::pin(read(call))).summary("Returns one partner").returns::<PartnerRow>();

pub const UPDATE: Operation = Operation::new(|call| Box::pin(update(call)))
    .summary("Changes a partner")
    .body(CHANGED)
    .if_match()
    .returns::<PartnerRow>();

pub const TERMINATE: Operation = Operation::new(|call| Box::pin(terminate(call)))
    .summary("Terminates a partner: it keeps its tenants and cannot get new ones")
    .if_match()
    .returns::<PartnerRow>();

pub const TENANTS: Operation = Operation::new(|call| Box::pin(tenants(call)))
    .summary("Lists the tenants of a partner by slug")
    .query(&[LIMIT, CURSOR])
    .returns::<Page<Tenant>>();

/// A partner with the number and the revenue of its tenants.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PartnerRow {
    #[serde(flatten)]
    partner: Partner,
    /// The number of its tenants without terminated ones.
    customers: u64,
    /// The monthly recurring revenue of its tenants' subscriptions, whatever the status of the
    /// tenants, in minor units per currency.
    mrr: Money,
}

impl PartnerRow {
    fn new(partner: Partner, customers: Option<Customers>) -> PartnerRow {
        let Customers { count, mrr } = customers.unwrap_or_default();
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
    let mut customers = call.app.store.customers(ids).await?;
    let row = |partner: Partner| {
        let customers = customers.remove(partner.id());
        PartnerRow::new(partner, customers)
    };
    Reply::json(&Page { items: partners.into_iter().map(row).collect(), next_cursor })
}

async fn create(call: Call) -> Result<Reply, Problem> {
    let partner: Partner = merged(&stamp(&new_id()?, &call), &call.body)?;
    not_reserved(partner.slug())?;
    let row = PartnerRow::new(partner.clone(), None);
    let reply = entity(&row, partner.revisioned)?.created(format!("/partners/{}", partner.slug()));
    let change = RecordChange {
        action: "partner.create",
        before: None,
        after: Some(Record::Partner(Box::new(partner))),
    };
    call.write(vec![change], Vec::new(), reply).await
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let partner = current(&call).await?;
    // The tag covers the partner only: the figures of the row change without it.
    shown(&call, partner).await
}

async fn update(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.check_version(before.revisioned)?;
    let mut after: Partner = merged(&before, &call.body)?;
    if after == before {
        return shown(&call, before).await;
    }
    after.revisioned = touched(before.revisioned, &call);
    write(&call, "partner.update", before, after).await
}

async fn terminate(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.check_version(before.revisioned)?;
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
    let mut customers = call.app.store.customers(vec![partner.id().clone()]).await?;
    let (customers, revisioned) = (customers.remove(partner.id()), partner.revisioned);
    entity(&PartnerRow::new(partner, customers), revisioned)
}

async fn current(call: &Call) -> Result<Partner, Problem> {
    call.app.store.partner(&id(call)?).await?.ok_or_else(Problem::not_found)
}

fn id(call: &Call) -> Result<Id, Problem> {
    call.app.live.read().partner(call.part("slug")).cloned().ok_or_else(Problem::not_found)
}
