//! The rules of authorization (specification section 13.3). The order of the checks determines the
//! reason, so it is part of the contract.

use AccessReason::*;

use super::action::Rule;
use super::facts::{AccessFacts, Caller, OwnedFacts, UserRights};
use super::{AccessReason, Action, Decision, Principal, Resource};
use crate::model::{Role, TenantStatus};

/// The fields of a tenant that its owners and admins may change.
const TENANT_ADMIN_FIELDS: [&str; 3] = ["name", "billingInfo", "domains"];

/// Decides whether a principal may perform an action on a resource, and returns the reason.
///
/// An action that needs a tenant or a user is denied if the resource names none. A request document
/// without it is an error of [`AccessRequest::from_json`](crate::access::AccessRequest::from_json).
///
/// ```
/// use dezky_core::access::{AccessReason, Action, Person, Principal, Resource, UserRecord, decide};
/// use dezky_core::model::{Role, TenantStatus};
/// use dezky_core::names::Id;
/// let record = UserRecord {
///     id: Id::new("u1")?,
///     active: true,
///     platform_admin: false,
///     role: Role::Member,
///     tenant_ids: vec![Id::new("t1")?],
/// };
/// let member = Principal::Person(Person::new("auth0|7", ["dezky-portal"], Some(record)));
/// let tenant = Resource::tenant(Id::new("t1")?, TenantStatus::Active);
/// assert_eq!(decide(&member, Action::TenantRead, &tenant).reason, AccessReason::AllowedMember);
/// let decision = decide(&member, Action::TenantSuspend, &tenant);
/// assert_eq!(decision.reason, AccessReason::DeniedOperatorAudience);
/// # Ok::<(), dezky_core::Error>(())
/// ```
pub fn decide(principal: &Principal, action: Action, resource: &Resource) -> Decision {
    decide_by_facts(&OwnedFacts { principal, resource }, action).into()
}

/// Decides an action by the facts of its request.
pub(super) fn decide_by_facts(facts: &impl AccessFacts, action: Action) -> AccessReason {
    match facts.caller() {
        Caller::ServerKey => decide_key(facts, action, true),
        Caller::TenantKey => decide_key(facts, action, false),
        Caller::User(user) => decide_person(facts, action, Some(user)),
        Caller::PersonWithoutRecord => decide_person(facts, action, None),
    }
}

fn decide_key(facts: &impl AccessFacts, action: Action, is_server: bool) -> AccessReason {
    let status = facts.tenant_status();
    let is_covered = match action {
        Action::FlagEvaluate => status.is_some() && (is_server || facts.has_tenant_key()),
        Action::SnapshotRead | Action::SnapshotStream => is_server,
        _ => false,
    };
    match status {
        _ if !is_covered => DeniedKeyScope,
        Some(TenantStatus::Terminated) => DeniedTenantTerminated,
        _ => AllowedKey,
    }
}

fn decide_person(facts: &impl AccessFacts, action: Action, user: Option<UserRights>) -> AccessReason {
    let user = match (user, action.rule()) {
        (Some(user), _) if !user.active => return DeniedInactiveUser,
        (_, Rule::OwnProfile) => return AllowedSelf,
        (None, _) => return DeniedNoUser,
        (Some(user), _) => user,
    };
    let is_admin = user.platform_admin;
    match action.rule() {
        Rule::OwnProfile => AllowedSelf,
        Rule::Operator => operator_only(facts, user),
        Rule::OperatorUnlessLastAdmin => unless_last_admin(operator_only(facts, user), facts),
        Rule::Evaluate if facts.tenant_status() == Some(TenantStatus::Terminated) => DeniedTenantTerminated,
        Rule::Evaluate | Rule::ReadTenant => read_tenant(facts, user),
        Rule::UpdateTenant => update_tenant(facts, user),
        Rule::EveryUser if is_admin => AllowedPlatformAdmin,
        Rule::EveryUser => AllowedMember,
        Rule::ReadFlags if is_admin => AllowedPlatformAdmin,
        Rule::ReadFlags if facts.has_a_tenant() => AllowedMember,
        Rule::ReadFlags => DeniedNotMember,
        Rule::PlatformAdmin if is_admin => AllowedPlatformAdmin,
        Rule::PlatformAdmin => DeniedNotPlatformAdmin,
        Rule::ReadUser => read_user(facts, user),
        Rule::ReadAudit => read_audit(facts, user),
    }
}

/// Returns whether a person with an active record is an operator.
fn is_operator(facts: &impl AccessFacts, user: UserRights) -> bool {
    user.platform_admin && facts.has_operator_audience()
}

fn operator_only(facts: &impl AccessFacts, user: UserRights) -> AccessReason {
    if !facts.has_operator_audience() {
        return DeniedOperatorAudience;
    }
    if user.platform_admin { AllowedOperator } else { DeniedNotPlatformAdmin }
}

/// Denies an operator the removal of the last active platform admin. A resource without a user is
/// denied too.
fn unless_last_admin(reason: AccessReason, facts: &impl AccessFacts) -> AccessReason {
    if reason.allows() && facts.removes_last_admin() != Some(false) { DeniedLastAdmin } else { reason }
}

/// Platform admins may read every tenant, members their own tenants until they are terminated.
fn read_tenant(facts: &impl AccessFacts, user: UserRights) -> AccessReason {
    match facts.tenant_status() {
        None => DeniedNotMember,
        Some(_) if user.platform_admin => AllowedPlatformAdmin,
        Some(_) if !facts.is_member() => DeniedNotMember,
        Some(TenantStatus::Terminated) => DeniedTenantTerminated,
        Some(_) => AllowedMember,
    }
}

/// Returns the reason for a person who is neither an operator nor a member. A platform admin lacks
/// only the audience.
fn not_a_member(user: UserRights) -> AccessReason {
    if user.platform_admin { DeniedOperatorAudience } else { DeniedNotMember }
}

fn update_tenant(facts: &impl AccessFacts, user: UserRights) -> AccessReason {
    match facts.tenant_status() {
        None => not_a_member(user),
        Some(_) if is_operator(facts, user) => AllowedOperator,
        Some(_) if !facts.is_member() => not_a_member(user),
        Some(_) if user.role == Role::Member => DeniedRole,
        Some(TenantStatus::Terminated) => DeniedTenantTerminated,
        Some(TenantStatus::Suspended) => DeniedTenantSuspended,
        Some(_) if !facts.changes_only(&TENANT_ADMIN_FIELDS) => DeniedField,
        Some(_) => AllowedTenantAdmin,
    }
}

fn read_user(facts: &impl AccessFacts, user: UserRights) -> AccessReason {
    match facts.removes_last_admin() {
        None => DeniedNotMember,
        Some(_) if facts.is_self() => AllowedSelf,
        Some(_) if user.platform_admin => AllowedPlatformAdmin,
        Some(_) if !facts.shares_a_tenant() => DeniedNotMember,
        Some(_) if user.role == Role::Member => DeniedRole,
        Some(_) => AllowedTenantAdmin,
    }
}

fn read_audit(facts: &impl AccessFacts, user: UserRights) -> AccessReason {
    if is_operator(facts, user) {
        AllowedOperator
    } else if !facts.is_member() {
        not_a_member(user)
    } else if user.role == Role::Member {
        DeniedRole
    } else if facts.tenant_status() == Some(TenantStatus::Terminated) {
        DeniedTenantTerminated
    } else {
        AllowedTenantAdmin
    }
}
