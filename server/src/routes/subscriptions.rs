//! The handlers for subscriptions and their revenue.

use std::collections::BTreeMap;

use dezky_core::model::Subscription;
use dezky_core::names::Id;
use schemars::JsonSchema;
use serde::Serialize;

use super::{CURSOR, LIMIT, Page, TENANT, entity, stamp, touched};
use crate::app::new_id;
use crate::http::call::Call;
use crate::http::document::merged;
use crate::http::operation::{Body, Operation};
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::store::{Money, PageStart, Record, RecordChange, Require, Revenue, SubscriptionQuery};

const CREATED: Body = Body::whole::<Subscription>(
    &["tenantId", "plan", "status", "price", "stripe", "periods"],
    &["tenantId", "plan", "status", "price"],
);

const CHANGED: Body = Body::patch::<Subscription>(&["plan", "status", "price", "stripe", "periods"]);

pub const LIST: Operation = Operation::new(|call| Box::pin(list(call)))
    .summary("Lists the subscriptions that the caller may see, newest first")
    .query(&[TENANT, LIMIT, CURSOR])
    .returns::<Page<Subscription>>();

pub const CREATE: Operation = Operation::new(|call| Box::pin(create(call)))
    .summary("Creates a subscription")
    .body(CREATED)
    .creates()
    .returns::<Subscription>();

pub const REVENUE: Operation = Operation::new(|call| Box::pin(revenue(call)))
    .summary("Returns the monthly recurring revenue in minor units per currency: total, by plan, by partner")
    .returns::<Mrr>();

pub const READ: Operation =
    Operation::new(|call| Box::pin(read(call))).summary("Returns one subscription").returns::<Subscription>();

pub const UPDATE: Operation = Operation::new(|call| Box::pin(update(call)))
    .summary("Changes a subscription")
    .body(CHANGED)
    .if_match()
    .returns::<Subscription>();

pub const REMOVE: Operation = Operation::new(|call| Box::pin(remove(call)))
    .summary("Deletes a subscription; the change log keeps its last state")
    .if_match()
    .returns::<Subscription>();

/// The monthly recurring revenue, in minor units per currency.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Mrr {
    /// The total of all subscriptions that are active or past due.
    total: Money,
    /// The revenue by the plan of the subscription.
    by_plan: BTreeMap<String, Money>,
    /// The revenue by the slug of the tenant's partner.
    by_partner: BTreeMap<String, Money>,
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let visible = call.caller.visible_tenants();
    let tenant = call.query.get("tenant").map(|slug| {
        let state = call.app.live.read();
        state.visible_tenant(slug, visible.as_deref()).map(|tenant| tenant.id.clone())
    });
    let (after, limit) = (call.after()?, call.query.limit()? + 1);
    let found = match tenant {
        // A tenant that the caller may not see looks like a missing one.
        Some(None) => Vec::new(),
        tenant => {
            let query = SubscriptionQuery { tenant: tenant.flatten(), visible, after, limit };
            call.app.store.subscriptions(query).await?
        }
    };
    let position = |subscription: &Subscription| PageStart {
        key: subscription.revisioned.created_at.as_micros().to_string(),
        id: subscription.id.to_string(),
    };
    let (items, next_cursor) = call.page(found, position)?;
    Reply::json(&Page { items, next_cursor })
}

async fn create(call: Call) -> Result<Reply, Problem> {
    let subscription: Subscription = merged(&stamp(&new_id()?, &call), &call.body)?;
    let tenant = subscription.tenant_id.clone();
    if !call.app.live.read().is_live(&tenant) {
        return Err(Problem::invalid(
            "/tenantId",
            "unknown_tenant",
            "The tenant does not exist or is terminated",
        ));
    }
    let reply = entity(&subscription, subscription.revisioned)?
        .created(format!("/subscriptions/{}", subscription.id));
    let after = Some(Record::Subscription(Box::new(subscription)));
    let change = RecordChange { action: "subscription.create", before: None, after };
    call.write(vec![change], vec![Require::LiveTenants(vec![tenant])], reply).await
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let subscription = current(&call).await?;
    entity(&subscription, subscription.revisioned)
}

async fn update(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.check_version(before.revisioned)?;
    let mut after: Subscription = merged(&before, &call.body)?;
    if after == before {
        return entity(&before, before.revisioned);
    }
    after.revisioned = touched(before.revisioned, &call);
    let reply = entity(&after, after.revisioned)?;
    let (before, after) = (Record::Subscription(Box::new(before)), Record::Subscription(Box::new(after)));
    let change = RecordChange { action: "subscription.update", before: Some(before), after: Some(after) };
    call.write(vec![change], Vec::new(), reply).await
}

async fn remove(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.check_version(before.revisioned)?;
    let reply = Reply::json(&before)?;
    let before = Some(Record::Subscription(Box::new(before)));
    call.write(vec![RecordChange { action: "subscription.delete", before, after: None }], Vec::new(), reply)
        .await
}

async fn revenue(call: Call) -> Result<Reply, Problem> {
    let Revenue { total, by_plan, by_partner } = call.app.store.revenue().await?;
    let state = call.app.live.read();
    let named = |(id, money): (String, Money)| {
        let slug = Id::new(&id).ok().and_then(|id| state.partner_slug(&id).map(ToString::to_string));
        (slug.unwrap_or(id), money)
    };
    Reply::json(&Mrr { total, by_plan, by_partner: by_partner.into_iter().map(named).collect() })
}

async fn current(call: &Call) -> Result<Subscription, Problem> {
    let id = Id::new(call.part("id")).map_err(|_| Problem::not_found())?;
    call.app.store.subscription(&id).await?.ok_or_else(Problem::not_found)
}
