//! The decision itself, in the order that makes the reason the same everywhere.

use AccessReason::*;

use super::action::Rule;
use super::{
    AccessReason, Action, Decision, MachineKey, Person, Principal, Resource, ResourceTenant, Role, UserRecord,
};
use crate::{Id, TenantStatus};

/// The fields of a tenant that its own owners and admins may change.
const TENANT_ADMIN_FIELDS: [&str; 3] = ["name", "billingInfo", "domains"];

/// Whether a principal may do something, and why. Total, and denied unless a rule allows it.
///
/// An action that is bound to a tenant or a user is denied where the resource names none; documents in which one is missing are
/// refused by [`AccessRequest`](crate::AccessRequest) before they come here.
///
/// ```
/// use dezky_core::{AccessReason, Action, Id, Person, Principal, Resource, Role, TenantStatus, UserRecord, decide};
/// let record = UserRecord {
///     id: Id::new("u1")?, active: true, platform_admin: false, role: Role::Member, tenant_ids: vec![Id::new("t1")?],
/// };
/// let member = Principal::Person(Person::new("auth0|7", ["dezky-portal"], Some(record)));
/// let tenant = Resource::tenant(Id::new("t1")?, TenantStatus::Active);
/// assert_eq!(decide(&member, Action::TenantRead, &tenant).reason, AccessReason::AllowedMember);
/// assert_eq!(decide(&member, Action::TenantSuspend, &tenant).reason, AccessReason::DeniedOperatorAudience);
/// # Ok::<(), dezky_core::Error>(())
/// ```
pub fn decide(principal: &Principal, action: Action, resource: &Resource) -> Decision {
    let reason = match principal {
        Principal::Key(key) => decide_key(key, action, resource),
        Principal::Person(person) => decide_person(person, action, resource),
    };
    reason.into()
}

fn is(tenant: Option<&ResourceTenant>, status: TenantStatus) -> bool {
    tenant.is_some_and(|tenant| tenant.status == status)
}

fn decide_key(key: &MachineKey, action: Action, resource: &Resource) -> AccessReason {
    let tenant = resource.tenant.as_ref();
    if is(tenant, TenantStatus::Terminated) {
        return DeniedTenantTerminated;
    }
    let covered = match (action, key) {
        (Action::FlagEvaluate, MachineKey::Server) => tenant.is_some(),
        (Action::FlagEvaluate, MachineKey::Tenant(own)) => tenant.is_some_and(|tenant| tenant.id == *own),
        (Action::SnapshotRead | Action::SnapshotStream, MachineKey::Server) => true,
        (_, MachineKey::Server | MachineKey::Tenant(_)) => false,
    };
    if covered { AllowedKey } else { DeniedKeyScope }
}

fn decide_person(person: &Person, action: Action, resource: &Resource) -> AccessReason {
    let user = match (&person.user, action.rule()) {
        (Some(user), _) if !user.active => return DeniedInactiveUser,
        (_, Rule::OwnProfile) => return AllowedSelf,
        (None, _) => return DeniedNoUser,
        (Some(user), _) => user,
    };
    let tenant = resource.tenant.as_ref();
    match action.rule() {
        Rule::OwnProfile => AllowedSelf,
        Rule::Operator => operator_only(person, user),
        Rule::OperatorUnlessLastAdmin => unless_last_admin(operator_only(person, user), resource),
        Rule::Evaluate if is(tenant, TenantStatus::Terminated) => DeniedTenantTerminated,
        Rule::Evaluate | Rule::ReadTenant => read_tenant(user, tenant),
        Rule::UpdateTenant => update_tenant(person, user, tenant),
        Rule::EveryUser => {
            if user.platform_admin {
                AllowedPlatformAdmin
            } else {
                AllowedMember
            }
        }
        Rule::PlatformAdmin => {
            if user.platform_admin {
                AllowedPlatformAdmin
            } else {
                DeniedNotPlatformAdmin
            }
        }
        Rule::ReadUser => read_user(user, resource),
        Rule::ReadAudit => read_audit(person, user, tenant),
    }
}

fn operator_only(person: &Person, user: &UserRecord) -> AccessReason {
    if !person.has_operator_audience() {
        return DeniedOperatorAudience;
    }
    if user.platform_admin { AllowedOperator } else { DeniedNotPlatformAdmin }
}

/// Without a user to act on there is nobody whose removal could be judged.
fn unless_last_admin(reason: AccessReason, resource: &Resource) -> AccessReason {
    match &resource.user {
        _ if !reason.allows() => reason,
        Some(user) if !user.last_active_admin => reason,
        Some(_) | None => DeniedLastAdmin,
    }
}

/// Platform admins may read every tenant, also one that is terminated; members their own until it is.
fn read_tenant(user: &UserRecord, tenant: Option<&ResourceTenant>) -> AccessReason {
    match tenant {
        Some(_) if user.platform_admin => AllowedPlatformAdmin,
        Some(tenant) if !user.is_member(&tenant.id) => DeniedNotMember,
        Some(tenant) if tenant.status == TenantStatus::Terminated => DeniedTenantTerminated,
        Some(_) => AllowedMember,
        None => DeniedNotMember,
    }
}

/// What is left to somebody who is no operator and no member: an admin lacks only the audience.
fn not_a_member(user: &UserRecord) -> AccessReason {
    if user.platform_admin { DeniedOperatorAudience } else { DeniedNotMember }
}

fn update_tenant(person: &Person, user: &UserRecord, tenant: Option<&ResourceTenant>) -> AccessReason {
    let is_own = |field: &String| TENANT_ADMIN_FIELDS.contains(&field.as_str());
    match tenant {
        None => not_a_member(user),
        Some(_) if person.is_operator() => AllowedOperator,
        Some(tenant) if !user.is_member(&tenant.id) => not_a_member(user),
        Some(_) if user.role == Role::Member => DeniedRole,
        Some(tenant) if tenant.status == TenantStatus::Terminated => DeniedTenantTerminated,
        Some(tenant) if tenant.status == TenantStatus::Suspended => DeniedTenantSuspended,
        Some(tenant) if !tenant.fields.iter().all(is_own) => DeniedField,
        Some(_) => AllowedTenantAdmin,
    }
}

fn read_user(user: &UserRecord, resource: &Resource) -> AccessReason {
    let shares = |other: &[Id]| other.iter().any(|tenant| user.is_member(tenant));
    match &resource.user {
        Some(other) if other.id == user.id => AllowedSelf,
        Some(_) if user.platform_admin => AllowedPlatformAdmin,
        Some(other) if !shares(&other.tenant_ids) => DeniedNotMember,
        Some(_) if user.role == Role::Member => DeniedRole,
        Some(_) => AllowedTenantAdmin,
        None => DeniedNotMember,
    }
}

fn read_audit(person: &Person, user: &UserRecord, tenant: Option<&ResourceTenant>) -> AccessReason {
    match tenant {
        _ if person.is_operator() => AllowedOperator,
        Some(tenant) if !user.is_member(&tenant.id) => not_a_member(user),
        Some(_) if user.role == Role::Member => DeniedRole,
        Some(_) => AllowedTenantAdmin,
        None => not_a_member(user),
    }
}
