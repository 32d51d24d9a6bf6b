//! May they? Asked once for every request, before anything is read or written.

use std::sync::Arc;

use axum::extract::RawPathParams;
use axum::http::StatusCode;
use dezky_core::{
    AccessReason, Action, Code, Id, MachineKey, Principal, Resource, ResourceUser, Slug, WorldTenant, decide,
};
use serde_json::{Map, Value};

use super::context::{Context, bad_context};
use super::problem::Problem;
use super::query::Query;
use crate::app::App;
use crate::live::LiveState;

/// What an action is bound to, and where the request names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Nothing.
    Nothing,
    /// The tenant of the path's `{slug}`.
    Tenant,
    /// The tenant of the body's `tenantSlug`.
    TenantOfBody,
    /// The tenant of the query's `tenant`.
    TenantOfQuery,
    /// The same, where it is given.
    TenantOfQueryIfAny,
    /// The tenant of the context's targeting key: its id or its slug.
    TargetingKey,
    /// The user of the path's `{id}`.
    User,
    /// The tenant of the subscription of the path's `{id}`.
    Subscription,
}

/// What a request names, and where it names it.
pub struct Named<'r> {
    /// The path's parts.
    pub path: &'r RawPathParams,
    /// The query.
    pub query: &'r Query,
    /// The body's members.
    pub body: &'r Map<String, Value>,
    /// The evaluation's context.
    pub context: &'r Context,
}

/// What the action turned out to be about.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// The tenant.
    pub tenant: Option<Arc<WorldTenant>>,
    /// The user.
    pub user: Option<Id>,
    // The population's revision that the tenant is of.
    as_of: u64,
}

impl Target {
    /// The tenant as it is in this state. It is looked up again only if one has changed since it was.
    pub fn tenant_in<'s>(&'s self, state: &'s LiveState) -> Result<&'s Arc<WorldTenant>, Problem> {
        let tenant = self.tenant.as_ref().ok_or_else(Problem::not_found)?;
        match self.as_of == state.population_revision() {
            true => Ok(tenant),
            false => state.tenant_by_id(tenant.id.as_str()).ok_or_else(Problem::not_found),
        }
    }
}

/// A tenant, if there is one, and the population's revision that it is of.
struct Found(Option<Arc<WorldTenant>>, u64);

impl Found {
    fn by(app: &App, find: impl FnOnce(&LiveState) -> Option<&Arc<WorldTenant>>) -> Found {
        let state = app.live.read();
        Found(find(&state).cloned(), state.population_revision())
    }
}

/// What can be refused without looking at anything: what only operators may do, and callers without rights at all. So existence does not show.
pub fn refuse_early(principal: &Principal, action: Action) -> Result<(), Problem> {
    // Whichever user it is, the answer is the same, unless it is theirs to give: of that only the action knows.
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

/// What the request is about, once it is certain that the caller may do it.
pub async fn authorize(
    app: &App,
    principal: &Principal,
    (action, bound): (Action, Bound),
    named: Named<'_>,
) -> Result<Target, Problem> {
    match bound {
        Bound::Nothing => {
            judge(principal, action, &Resource::default())?;
            Ok(Target::default())
        }
        Bound::Tenant => {
            let tenant = Found::by(app, |state| state.tenant(named.part("slug")));
            about_tenant(principal, action, tenant, named.body)
        }
        Bound::TenantOfBody => {
            let slug = named.body.get("tenantSlug").and_then(Value::as_str).map(Slug::new);
            let Some(Ok(slug)) = slug else {
                return Err(Problem::invalid("/tenantSlug", "invalid_slug", Code::InvalidSlug.message()));
            };
            let tenant = Found::by(app, |state| state.tenant(slug.as_str()));
            about_tenant(principal, action, tenant, named.body)
        }
        Bound::TargetingKey => {
            let name = &named.context.targeting_key;
            let tenant = Found::by(app, |state| state.tenant_by_id(name).or_else(|| state.tenant(name)));
            about_target(principal, action, tenant)
        }
        Bound::TenantOfQuery => {
            let Some(slug) = named.query.get("tenant") else {
                let detail = "The slug of the tenant is needed";
                return Err(
                    Problem::invalid("?tenant", "missing", detail).with_status(StatusCode::BAD_REQUEST)
                );
            };
            let tenant = Found::by(app, |state| state.tenant(slug));
            about_tenant(principal, action, tenant, named.body)
        }
        Bound::TenantOfQueryIfAny => match named.query.get("tenant") {
            None => {
                judge(principal, action, &Resource::default())?;
                Ok(Target::default())
            }
            Some(slug) => {
                let tenant = Found::by(app, |state| state.tenant(slug));
                about_tenant(principal, action, tenant, named.body)
            }
        },
        Bound::Subscription => {
            let tenant = match Id::new(named.part("id")) {
                Ok(id) => app.store.subscription_tenant(&id, visible_tenants(principal)).await?,
                Err(_) => None,
            };
            let tenant = Found::by(app, |state| state.tenant_by_id(tenant?.as_str()));
            about_tenant(principal, action, tenant, named.body)
        }
        Bound::User => about_user(app, principal, action, named.part("id")),
    }
}

/// The tenants that a caller may see: their own; `None` for platform admins, who see all.
fn visible_tenants(principal: &Principal) -> Option<Vec<Id>> {
    match principal {
        Principal::Person(person) => match &person.user {
            Some(user) if user.platform_admin => None,
            user => Some(user.as_ref().map(|user| user.tenant_ids.clone()).unwrap_or_default()),
        },
        Principal::Key(_) => Some(Vec::new()),
    }
}

impl Named<'_> {
    fn part(&self, name: &str) -> &str {
        self.path.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }
}

fn judge(principal: &Principal, action: Action, resource: &Resource) -> Result<(), Problem> {
    let decision = decide(principal, action, resource);
    if decision.allowed { Ok(()) } else { Err(Problem::denied(decision.reason)) }
}

fn about_tenant(
    principal: &Principal,
    action: Action,
    Found(tenant, as_of): Found,
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
        return Ok(Target { tenant: Some(tenant), user: None, as_of });
    }
    match decide(principal, Action::TenantRead, &resource).allowed {
        true => Err(Problem::denied(decision.reason)),
        false => Err(Problem::not_found()),
    }
}

/// The tenant for whom flags are evaluated. What one may not ask about looks like what is not there.
fn about_target(
    principal: &Principal,
    action: Action,
    Found(tenant, as_of): Found,
) -> Result<Target, Problem> {
    let decision = tenant
        .as_ref()
        .map(|tenant| decide(principal, action, &Resource::tenant(tenant.id.clone(), tenant.status)));
    if decision.is_some_and(|decision| decision.allowed) {
        return Ok(Target { tenant, user: None, as_of });
    }
    match principal {
        // Scope is decided first, so this says something only of the key's own tenant.
        Principal::Key(MachineKey::Tenant(_)) => {
            let reason = decision.map_or(AccessReason::DeniedKeyScope, |decision| decision.reason);
            Err(Problem::denied(reason))
        }
        Principal::Person(person) if !person.user.as_ref().is_some_and(|user| user.platform_admin) => {
            Err(Problem::denied(AccessReason::DeniedNotMember))
        }
        _ => Err(bad_context(
            "The targeting key is not the id or slug of a tenant that flags are evaluated for",
        )),
    }
}

fn about_user(app: &App, principal: &Principal, action: Action, id: &str) -> Result<Target, Problem> {
    let state = app.live.read();
    let Some(known) = state.user(id) else { return Err(Problem::not_found()) };
    let user = ResourceUser {
        id: known.record.id.clone(),
        tenant_ids: known.record.tenant_ids.clone(),
        // Whether this very change removes the last one is judged where it is written.
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
