//! Authorization: decides for every request whether its caller may perform the action.

use std::sync::Arc;

use axum::extract::RawPathParams;
use axum::http::StatusCode;
use dezky_core::Code;
use dezky_core::access::{AccessReason, Action, MachineKey, Principal, Resource, ResourceUser, decide};
use dezky_core::names::{Id, Slug};
use dezky_core::world::WorldTenant;
use serde_json::{Map, Value};

use super::context::{Context, bad_context};
use super::problem::Problem;
use super::query::Query;
use crate::app::App;
use crate::live::LiveState;

/// The resource that an action is bound to, and the part of the request that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The action concerns no single resource.
    Nothing,
    /// The tenant that `{slug}` in the path names.
    Tenant,
    /// The tenant that `tenantSlug` in the body names.
    TenantOfBody,
    /// The tenant that `tenant` in the query names.
    TenantOfQuery,
    /// Like `TenantOfQuery`, but the parameter is optional.
    TenantOfQueryIfAny,
    /// The tenant whose id or slug is the targeting key of the context.
    TargetingKey,
    /// The user that `{id}` in the path names.
    User,
    /// The tenant of the subscription that `{id}` in the path names.
    Subscription,
}

/// The parts of a request that can name a resource.
pub struct RequestData<'r> {
    pub path: &'r RawPathParams,
    pub query: &'r Query,
    pub body: &'r Map<String, Value>,
    pub context: &'r Context,
}

/// The resource that the action concerns.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// The tenant, as of `population_revision`.
    pub tenant: Option<Arc<WorldTenant>>,
    /// The id of the user.
    pub user: Option<Id>,
    population_revision: u64,
}

impl Target {
    /// Returns the tenant of this state. The lookup repeats only if a tenant or partner changed
    /// since.
    pub fn tenant_in<'s>(&'s self, state: &'s LiveState) -> Result<&'s Arc<WorldTenant>, Problem> {
        let tenant = self.tenant.as_ref().ok_or_else(Problem::not_found)?;
        match self.population_revision == state.population_revision() {
            true => Ok(tenant),
            false => state.tenant_by_id(tenant.id.as_str()).ok_or_else(Problem::not_found),
        }
    }
}

/// A tenant, if it exists, and the population revision of the lookup.
struct FoundTenant(Option<Arc<WorldTenant>>, u64);

impl FoundTenant {
    fn find(app: &App, find: impl FnOnce(&LiveState) -> Option<&Arc<WorldTenant>>) -> FoundTenant {
        let state = app.live.read();
        FoundTenant(find(&state).cloned(), state.population_revision())
    }
}

/// Refuses what needs no lookup: operator actions and callers without any rights. A refusal at
/// this point reveals nothing about existing resources.
pub fn refuse_early(principal: &Principal, action: Action) -> Result<(), Problem> {
    // The decision is the same for every user, unless only the action can tell.
    let user = action.needs_user().then(|| Id::new("_").ok()).flatten();
    let user = user.map(|id| ResourceUser { id, tenant_ids: Vec::new(), last_active_admin: false });
    let placeholder = Resource { tenant: None, user };
    let decision = decide(principal, action, &placeholder);
    let is_final = match decision.reason {
        AccessReason::DeniedNoUser | AccessReason::DeniedInactiveUser => true,
        _ => !action.needs_tenant() && action != Action::UserRead && action != Action::AuditRead,
    };
    if decision.allowed || !is_final { Ok(()) } else { Err(Problem::denied(decision.reason)) }
}

/// Authorizes the action and returns the resource that it concerns.
pub async fn authorize(
    app: &App,
    principal: &Principal,
    (action, bound): (Action, Bound),
    data: RequestData<'_>,
) -> Result<Target, Problem> {
    match bound {
        Bound::Nothing => {
            require(principal, action, &Resource::default())?;
            Ok(Target::default())
        }
        Bound::Tenant => {
            let tenant = FoundTenant::find(app, |state| state.tenant(data.part("slug")));
            authorize_tenant(principal, action, tenant, data.body)
        }
        Bound::TenantOfBody => {
            let slug = data.body.get("tenantSlug").and_then(Value::as_str).map(Slug::new);
            let Some(Ok(slug)) = slug else {
                return Err(Problem::invalid("/tenantSlug", "invalid_slug", Code::InvalidSlug.message()));
            };
            let tenant = FoundTenant::find(app, |state| state.tenant(slug.as_str()));
            authorize_tenant(principal, action, tenant, data.body)
        }
        Bound::TargetingKey => {
            let name = &data.context.targeting_key;
            let tenant =
                FoundTenant::find(app, |state| state.tenant_by_id(name).or_else(|| state.tenant(name)));
            authorize_evaluation(principal, action, tenant)
        }
        Bound::TenantOfQuery => {
            let Some(slug) = data.query.get("tenant") else {
                let detail = "The query needs tenant, the slug of a tenant";
                return Err(
                    Problem::invalid("?tenant", "missing", detail).with_status(StatusCode::BAD_REQUEST)
                );
            };
            let tenant = FoundTenant::find(app, |state| state.tenant(slug));
            authorize_tenant(principal, action, tenant, data.body)
        }
        Bound::TenantOfQueryIfAny => match data.query.get("tenant") {
            None => {
                require(principal, action, &Resource::default())?;
                Ok(Target::default())
            }
            Some(slug) => {
                let tenant = FoundTenant::find(app, |state| state.tenant(slug));
                authorize_tenant(principal, action, tenant, data.body)
            }
        },
        Bound::Subscription => {
            let tenant = match Id::new(data.part("id")) {
                Ok(id) => app.store.subscription_tenant(&id, visible_tenants(principal)).await?,
                Err(_) => None,
            };
            let tenant = FoundTenant::find(app, |state| state.tenant_by_id(tenant?.as_str()));
            authorize_tenant(principal, action, tenant, data.body)
        }
        Bound::User => authorize_user(app, principal, action, data.part("id")),
    }
}

/// Returns the tenants that a caller may see; `None` for platform admins, who see all.
fn visible_tenants(principal: &Principal) -> Option<Vec<Id>> {
    match principal {
        Principal::Person(person) => match &person.user {
            Some(user) if user.platform_admin => None,
            user => Some(user.as_ref().map(|user| user.tenant_ids.clone()).unwrap_or_default()),
        },
        Principal::Key(_) => Some(Vec::new()),
    }
}

impl RequestData<'_> {
    fn part(&self, name: &str) -> &str {
        self.path.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }
}

fn require(principal: &Principal, action: Action, resource: &Resource) -> Result<(), Problem> {
    let decision = decide(principal, action, resource);
    if decision.allowed { Ok(()) } else { Err(Problem::denied(decision.reason)) }
}

fn authorize_tenant(
    principal: &Principal,
    action: Action,
    FoundTenant(tenant, population_revision): FoundTenant,
    body: &Map<String, Value>,
) -> Result<Target, Problem> {
    let Some(tenant) = tenant else { return Err(Problem::not_found()) };
    let fields = body.keys().cloned().collect();
    let mut resource = Resource::tenant(tenant.id.clone(), tenant.status);
    if let Some(tenant) = &mut resource.tenant {
        tenant.fields = fields;
    }
    let decision = decide(principal, action, &resource);
    if decision.allowed {
        return Ok(Target { tenant: Some(tenant), user: None, population_revision });
    }
    match decide(principal, Action::TenantRead, &resource).allowed {
        true => Err(Problem::denied(decision.reason)),
        false => Err(Problem::not_found()),
    }
}

/// Authorizes an evaluation. A tenant that the caller may not evaluate for looks like a missing
/// one.
fn authorize_evaluation(
    principal: &Principal,
    action: Action,
    FoundTenant(tenant, population_revision): FoundTenant,
) -> Result<Target, Problem> {
    let decision = tenant
        .as_ref()
        .map(|tenant| decide(principal, action, &Resource::tenant(tenant.id.clone(), tenant.status)));
    if decision.is_some_and(|decision| decision.allowed) {
        return Ok(Target { tenant, user: None, population_revision });
    }
    match principal {
        // The scope of the key is decided first, so the reason only concerns its own tenant.
        Principal::Key(MachineKey::Tenant(_)) => {
            let reason = decision.map_or(AccessReason::DeniedKeyScope, |decision| decision.reason);
            Err(Problem::denied(reason))
        }
        Principal::Person(person) if !person.user.as_ref().is_some_and(|user| user.platform_admin) => {
            Err(Problem::denied(AccessReason::DeniedNotMember))
        }
        _ => {
            Err(bad_context("The targeting key is not the id or slug of a tenant that can be evaluated for"))
        }
    }
}

fn authorize_user(app: &App, principal: &Principal, action: Action, id: &str) -> Result<Target, Problem> {
    let state = app.live.read();
    let Some(known) = state.user(id) else { return Err(Problem::not_found()) };
    let user = ResourceUser {
        id: known.record.id.clone(),
        tenant_ids: known.record.tenant_ids.clone(),
        // The commit checks whether the change removes the last active admin.
        last_active_admin: false,
    };
    let resource = Resource { tenant: None, user: Some(user) };
    let decision = decide(principal, action, &resource);
    if decision.allowed {
        return Ok(Target { user: Some(known.record.id.clone()), ..Target::default() });
    }
    match decide(principal, Action::UserRead, &resource).allowed {
        true => Err(Problem::denied(decision.reason)),
        false => Err(Problem::not_found()),
    }
}
