//! The handlers for subjects: the documents that `forTenant` takes.

use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dezky_core::model::TenantStatus;
use dezky_core::names::{PlanKey, Slug};
use dezky_core::world::WorldTenant;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::delivery::POPULATION;
use super::{CURSOR, LIMIT, Page};
use crate::http::call::Call;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::live::LiveState;
use crate::store::{Direction, PageStart, Sort, SortKey, TenantFilter, TenantQuery};

pub const READ: Operation = Operation::new(|call| Box::pin(read(call)))
    .summary("Returns the subject of one tenant: the document that forTenant takes")
    .returns::<SubjectView>()
    .log_refusals_only();

pub const LIST: Operation = Operation::new(|call| Box::pin(list(call)))
    .summary(
        "Lists the subjects of all tenants by slug; terminated tenants are left out, so a page can \
         have fewer items than its limit",
    )
    .query(&[LIMIT, CURSOR])
    .returns::<Page<SubjectView>>();

/// The tenant that flags are evaluated for. The rules define the environment, so a subject has
/// none.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectView {
    tenant_id: dezky_core::names::Id,
    tenant_slug: Slug,
    plan: PlanKey,
    /// The slug of the tenant's partner, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    partner_slug: Option<Slug>,
}

impl SubjectView {
    /// Creates the subject of a tenant.
    pub fn new(state: &LiveState, tenant: &WorldTenant) -> SubjectView {
        let partner = tenant.partner_id.as_ref().and_then(|id| state.partner_slug(id));
        SubjectView {
            tenant_id: tenant.id.clone(),
            tenant_slug: tenant.slug.clone(),
            plan: tenant.plan.clone(),
            partner_slug: partner.cloned(),
        }
    }
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let subject = {
        let state = call.app.live.read();
        SubjectView::new(&state, call.target.tenant_in(&state)?)
    };
    conditional(&call, Reply::json(&subject)?)
}

async fn list(call: Call) -> Result<Reply, Problem> {
    // The revision is read before the page: a change in between causes another fetch instead of
    // being missed.
    let population = call.app.live.read().population_revision();
    let sort = Sort { key: SortKey::Slug, direction: Direction::Ascending };
    let (after, limit) = (call.after()?, call.query.limit()? + 1);
    let query = TenantQuery { filter: TenantFilter::default(), sort, after, limit };
    let found = call.app.store.tenants(query).await?;
    let position = |tenant: &dezky_core::model::Tenant| PageStart {
        key: tenant.slug().to_string(),
        id: tenant.id().to_string(),
    };
    let (tenants, next_cursor) = call.page(found, position)?;
    let items = {
        let state = call.app.live.read();
        let live = tenants.iter().filter(|tenant| tenant.status() != TenantStatus::Terminated);
        live.map(|tenant| SubjectView::new(&state, &WorldTenant::from(tenant))).collect()
    };
    let reply = Reply::json(&Page { items, next_cursor })?;
    Ok(conditional(&call, reply)?.with_header(POPULATION, HeaderValue::from(population)))
}

/// Tags the reply with the hash of its body; returns 304 if the client has that version.
fn conditional(call: &Call, reply: Reply) -> Result<Reply, Problem> {
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(reply.kept_body())));
    let reply = reply.tagged(&tag);
    Ok(if call.is_known(&tag) { reply.not_modified() } else { reply })
}
