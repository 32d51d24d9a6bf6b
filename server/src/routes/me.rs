//! The handler for the profile of the caller, with the data of the first page of a portal.

use dezky_core::model::{Subscription, Tenant, User};
use dezky_core::world::WorldTenant;
use schemars::JsonSchema;
use serde::Serialize;

use super::sign_in::updated_record;
use super::subjects::SubjectView;
use crate::http::call::Call;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::store::{Direction, Sort, SortKey, SubscriptionQuery, TenantFilter, TenantQuery};

/// The maximum length of each list.
const FIRST_PAGE: usize = 200;

pub const READ: Operation = Operation::new(|call| Box::pin(read(call)))
    .summary(
        "Returns the caller's profile, tenants and subscriptions; creates or updates the caller's \
         record from the token",
    )
    .returns::<Me>();

/// The data for the first page of a portal.
#[derive(Debug, Serialize, JsonSchema)]
struct Me {
    /// The record of the caller.
    profile: User,
    /// The tenants of the caller by slug.
    tenants: Vec<Tenant>,
    /// The subscriptions of these tenants, newest first.
    subscriptions: Vec<Subscription>,
    /// The subjects of these tenants by slug: the documents that forTenant takes.
    subjects: Vec<SubjectView>,
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let profile = updated_record(&call).await?;
    let own = Some(profile.tenant_ids.clone());
    let filter = TenantFilter { visible: own.clone(), ..TenantFilter::default() };
    let sort = Sort { key: SortKey::Slug, direction: Direction::Ascending };
    let tenants =
        call.app.store.tenants(TenantQuery { filter, sort, after: None, limit: FIRST_PAGE }).await?;
    let query = SubscriptionQuery { tenant: None, visible: own, after: None, limit: FIRST_PAGE };
    let subscriptions = call.app.store.subscriptions(query).await?;
    let subjects = {
        let state = call.app.live.read();
        tenants.iter().map(|tenant| SubjectView::new(&state, &WorldTenant::from(tenant))).collect()
    };
    Reply::json(&Me { profile, tenants, subscriptions, subjects })
}
