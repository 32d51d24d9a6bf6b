//! Subscriptions, and what they bring.

use std::collections::BTreeMap;

use dezky_core::{Action, Id, Subscription};
use schemars::JsonSchema;
use serde::Serialize;

use super::{CURSOR, LIMIT, Page, TENANT, entity, stamp, touched};
use crate::app::new_id;
use crate::http::authorize::Bound;
use crate::http::call::Call;
use crate::http::document::merged;
use crate::http::operation::{Body, Operation, delete, get, patch, post};

use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::store::{Money, PageStart, Record, RecordChange, Require, Revenue, SubscriptionQuery};

const CREATED: Body = Body::whole::<Subscription>(
    &["tenantId", "plan", "status", "price", "stripe", "periods"],
    &["tenantId", "plan", "status", "price"],
);

const CHANGED: Body = Body::patch::<Subscription>(&["plan", "status", "price", "stripe", "periods"]);

pub fn operations() -> Vec<Operation> {
    vec![
        get("/subscriptions", Action::SubscriptionList, list)
            .says("The subscriptions that the caller may see, newest first")
            .asks(&[TENANT, LIMIT, CURSOR])
            .gives::<Page<Subscription>>(),
        post("/subscriptions", Action::SubscriptionCreate, create)
            .says("A new subscription")
            .takes(CREATED)
            .creates()
            .gives::<Subscription>(),
        // It shows what partners bring, so it is for those who may list them.
        get("/subscriptions/mrr", Action::PartnerList, revenue)
            .says("Monthly recurring revenue, in minor units per currency: in all, by plan, by partner")
            .gives::<Mrr>(),
        get("/subscriptions/{id}", Action::SubscriptionRead, read)
            .says("One subscription")
            .bound_to(Bound::Subscription)
            .gives::<Subscription>(),
        patch("/subscriptions/{id}", Action::SubscriptionUpdate, update)
            .says("Changes a subscription")
            .bound_to(Bound::Subscription)
            .takes(CHANGED)
            .gives::<Subscription>(),
        delete("/subscriptions/{id}", Action::SubscriptionDelete, remove)
            .says("Removes a subscription; the log keeps what it was")
            .bound_to(Bound::Subscription)
            .gives::<Subscription>(),
    ]
}

/// Monthly recurring revenue, in minor units per currency.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Mrr {
    /// Of all subscriptions that are active or past due.
    total: Money,
    /// By the plan that the subscription is for.
    by_plan: BTreeMap<String, Money>,
    /// By the slug of the partner who brought the tenant.
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
        // A tenant that the caller may not see answers as one that is not there.
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
            "There is no such tenant, or it is terminated",
        ));
    }
    let reply = entity(&subscription, subscription.revisioned)?
        .created(format!("/subscriptions/{}", subscription.id));
    let after = Some(Record::Subscription(Box::new(subscription)));
    let entry = RecordChange { action: "subscription.create", before: None, after };
    call.write(vec![entry], vec![Require::LiveTenants(vec![tenant])], reply).await
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let subscription = current(&call).await?;
    entity(&subscription, subscription.revisioned)
}

async fn update(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.judge_version(before.revisioned)?;
    let mut after: Subscription = merged(&before, &call.body)?;
    if after == before {
        return entity(&before, before.revisioned);
    }
    after.revisioned = touched(before.revisioned, &call);
    let reply = entity(&after, after.revisioned)?;
    let (before, after) = (Record::Subscription(Box::new(before)), Record::Subscription(Box::new(after)));
    let entry = RecordChange { action: "subscription.update", before: Some(before), after: Some(after) };
    call.write(vec![entry], Vec::new(), reply).await
}

async fn remove(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.judge_version(before.revisioned)?;
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
