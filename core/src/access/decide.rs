//! The decision itself, in the order that makes the reason the same everywhere.

use AccessReason::*;

use super::action::Rule;
use super::case::{Asker, Case, OwnedCase, Standing};
use super::{AccessReason, Action, Decision, Principal, Resource};
use crate::model::Role;
use crate::model::TenantStatus;

/// The fields of a tenant that its own owners and admins may change.
const TENANT_ADMIN_FIELDS: [&str; 3] = ["name", "billingInfo", "domains"];

/// Whether a principal may do something, and why. Total, and denied unless a rule allows it.
///
/// An action that is bound to a tenant or a user is denied where the resource names none; documents in which one is missing are
/// refused by [`AccessRequest`](crate::access::AccessRequest) before they come here.
///
/// ```
/// use dezky_core::access::{AccessReason, Action, Person, Principal, Resource, UserRecord, decide};
/// use dezky_core::model::{Role, TenantStatus};
/// use dezky_core::names::Id;
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
    decide_case(&OwnedCase { principal, resource }, action).into()
}

/// The rules.
pub(super) fn decide_case(case: &impl Case, action: Action) -> AccessReason {
    match case.asker() {
        Asker::ServerKey => decide_key(case, action, true),
        Asker::TenantKey => decide_key(case, action, false),
        Asker::Person(user) => decide_person(case, action, Some(user)),
        Asker::Stranger => decide_person(case, action, None),
    }
}

fn decide_key(case: &impl Case, action: Action, is_server: bool) -> AccessReason {
    let status = case.tenant_status();
    let is_in_scope = match action {
        Action::FlagEvaluate => status.is_some() && (is_server || case.has_tenant_key()),
        Action::SnapshotRead | Action::SnapshotStream => is_server,
        _ => false,
    };
    match status {
        _ if !is_in_scope => DeniedKeyScope,
        Some(TenantStatus::Terminated) => DeniedTenantTerminated,
        _ => AllowedKey,
    }
}

fn decide_person(case: &impl Case, action: Action, user: Option<Standing>) -> AccessReason {
    let user = match (user, action.rule()) {
        (Some(user), _) if !user.active => return DeniedInactiveUser,
        (_, Rule::OwnProfile) => return AllowedSelf,
        (None, _) => return DeniedNoUser,
        (Some(user), _) => user,
    };
    let is_admin = user.platform_admin;
    match action.rule() {
        Rule::OwnProfile => AllowedSelf,
        Rule::Operator => operator_only(case, user),
        Rule::OperatorUnlessLastAdmin => unless_last_admin(operator_only(case, user), case),
        Rule::Evaluate if case.tenant_status() == Some(TenantStatus::Terminated) => DeniedTenantTerminated,
        Rule::Evaluate | Rule::ReadTenant => read_tenant(case, user),
        Rule::UpdateTenant => update_tenant(case, user),
        Rule::EveryUser if is_admin => AllowedPlatformAdmin,
        Rule::EveryUser => AllowedMember,
        Rule::ReadFlags if is_admin => AllowedPlatformAdmin,
        Rule::ReadFlags if case.has_a_tenant() => AllowedMember,
        Rule::ReadFlags => DeniedNotMember,
        Rule::PlatformAdmin if is_admin => AllowedPlatformAdmin,
        Rule::PlatformAdmin => DeniedNotPlatformAdmin,
        Rule::ReadUser => read_user(case, user),
        Rule::ReadAudit => read_audit(case, user),
    }
}

/// For a person whose record is active.
fn is_operator(case: &impl Case, user: Standing) -> bool {
    user.platform_admin && case.has_operator_audience()
}

fn operator_only(case: &impl Case, user: Standing) -> AccessReason {
    if !case.has_operator_audience() {
        return DeniedOperatorAudience;
    }
    if user.platform_admin { AllowedOperator } else { DeniedNotPlatformAdmin }
}

/// Without a user to act on there is nobody whose removal could be judged.
fn unless_last_admin(reason: AccessReason, case: &impl Case) -> AccessReason {
    if reason.allows() && case.removes_last_admin() != Some(false) { DeniedLastAdmin } else { reason }
}

/// Platform admins may read every tenant, also one that is terminated; members their own until it is.
fn read_tenant(case: &impl Case, user: Standing) -> AccessReason {
    match case.tenant_status() {
        None => DeniedNotMember,
        Some(_) if user.platform_admin => AllowedPlatformAdmin,
        Some(_) if !case.is_member() => DeniedNotMember,
        Some(TenantStatus::Terminated) => DeniedTenantTerminated,
        Some(_) => AllowedMember,
    }
}

/// What is left to somebody who is no operator and no member: an admin lacks only the audience.
fn not_a_member(user: Standing) -> AccessReason {
    if user.platform_admin { DeniedOperatorAudience } else { DeniedNotMember }
}

fn update_tenant(case: &impl Case, user: Standing) -> AccessReason {
    match case.tenant_status() {
        None => not_a_member(user),
        Some(_) if is_operator(case, user) => AllowedOperator,
        Some(_) if !case.is_member() => not_a_member(user),
        Some(_) if user.role == Role::Member => DeniedRole,
        Some(TenantStatus::Terminated) => DeniedTenantTerminated,
        Some(TenantStatus::Suspended) => DeniedTenantSuspended,
        Some(_) if !case.changes_only(&TENANT_ADMIN_FIELDS) => DeniedField,
        Some(_) => AllowedTenantAdmin,
    }
}

fn read_user(case: &impl Case, user: Standing) -> AccessReason {
    match case.removes_last_admin() {
        None => DeniedNotMember,
        Some(_) if case.is_self() => AllowedSelf,
        Some(_) if user.platform_admin => AllowedPlatformAdmin,
        Some(_) if !case.shares_a_tenant() => DeniedNotMember,
        Some(_) if user.role == Role::Member => DeniedRole,
        Some(_) => AllowedTenantAdmin,
    }
}

fn read_audit(case: &impl Case, user: Standing) -> AccessReason {
    if is_operator(case, user) {
        AllowedOperator
    } else if !case.is_member() {
        not_a_member(user)
    } else if user.role == Role::Member {
        DeniedRole
    } else if case.tenant_status() == Some(TenantStatus::Terminated) {
        DeniedTenantTerminated
    } else {
        AllowedTenantAdmin
    }
}
