//! The caller themselves, with what a portal shows first.

use dezky_core::{Subscription, Tenant, User, WorldTenant};
use schemars::JsonSchema;
use serde::Serialize;

use super::sign_in::in_step;
use super::subjects::SubjectView;
use crate::http::call::Call;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::store::{Direction, Sort, SortKey, SubscriptionQuery, TenantFilter, TenantQuery};

/// What a portal's first page shows at most of each list; the lists themselves have the rest.
const FIRST_PAGE: usize = 200;

pub const READ: Operation = Operation::new(|call| Box::pin(read(call)))
    .summary(
        "Returns the caller's profile, tenants and subscriptions; creates or updates the caller's \
         record from the token",
    )
    .returns::<Me>();

/// What a portal needs for its first page.
#[derive(Debug, Serialize, JsonSchema)]
struct Me {
    /// The caller.
    profile: User,
    /// Their tenants, by slug.
    tenants: Vec<Tenant>,
    /// Their tenants' subscriptions, newest first.
    subscriptions: Vec<Subscription>,
    /// Their tenants' subjects, by slug: the documents that forTenant takes.
    subjects: Vec<SubjectView>,
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let profile = in_step(&call).await?;
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
