//! The facts that the rules of authorization read from a request.

use super::{MachineKey, Principal, Resource, ResourceTenant, ResourceUser, UserRecord};
use crate::model::{Role, TenantStatus};
use crate::text::same_text;

/// The kind of caller that sends a request.
#[derive(Clone, Copy)]
pub(super) enum Caller {
    ServerKey,
    TenantKey,
    /// A person with a user record.
    User(UserRights),
    /// A person without a user record.
    PersonWithoutRecord,
}

/// The rights in a person's record, apart from the tenants.
#[derive(Clone, Copy)]
pub(super) struct UserRights {
    pub(super) active: bool,
    pub(super) platform_admin: bool,
    pub(super) role: Role,
}

/// A principal and a resource. Each method returns `false` or `None` if a part that it needs is
/// absent.
pub(super) trait AccessFacts {
    fn caller(&self) -> Caller;

    fn has_operator_audience(&self) -> bool;

    /// Returns the status of the resource's tenant.
    fn tenant_status(&self) -> Option<TenantStatus>;

    /// Returns whether the key belongs to the resource's tenant.
    fn has_tenant_key(&self) -> bool;

    /// Returns whether the person is a member of the resource's tenant.
    fn is_member(&self) -> bool;

    /// Returns whether the person is a member of any tenant.
    fn has_a_tenant(&self) -> bool;

    /// Returns whether each changed field of the tenant is one of `fields`.
    fn changes_only(&self, fields: &[&str]) -> bool;

    /// Returns whether the action would remove the last active platform admin, or `None` if the
    /// resource has no user.
    fn removes_last_admin(&self) -> Option<bool>;

    /// Returns whether the person is the resource's user.
    fn is_self(&self) -> bool;

    /// Returns whether the person and the resource's user have a tenant in common.
    fn shares_a_tenant(&self) -> bool;
}

/// The facts of a principal and a resource that are owned values.
pub(super) struct OwnedFacts<'a> {
    pub(super) principal: &'a Principal,
    pub(super) resource: &'a Resource,
}

impl<'a> OwnedFacts<'a> {
    fn record(&self) -> Option<&'a UserRecord> {
        match self.principal {
            Principal::Person(person) => person.user.as_ref(),
            Principal::Key(_) => None,
        }
    }

    fn tenant(&self) -> Option<&'a ResourceTenant> {
        self.resource.tenant.as_ref()
    }

    fn user(&self) -> Option<&'a ResourceUser> {
        self.resource.user.as_ref()
    }
}

impl AccessFacts for OwnedFacts<'_> {
    fn caller(&self) -> Caller {
        match (self.principal, self.record()) {
            (Principal::Key(MachineKey::Server), _) => Caller::ServerKey,
            (Principal::Key(MachineKey::Tenant(_)), _) => Caller::TenantKey,
            (Principal::Person(_), None) => Caller::PersonWithoutRecord,
            (Principal::Person(_), Some(&UserRecord { active, platform_admin, role, .. })) => {
                Caller::User(UserRights { active, platform_admin, role })
            }
        }
    }

    fn has_operator_audience(&self) -> bool {
        matches!(self.principal, Principal::Person(person) if person.has_operator_audience())
    }

    fn tenant_status(&self) -> Option<TenantStatus> {
        self.tenant().map(|tenant| tenant.status)
    }

    fn has_tenant_key(&self) -> bool {
        match (self.principal, self.tenant()) {
            (Principal::Key(MachineKey::Tenant(own)), Some(tenant)) => tenant.id == *own,
            _ => false,
        }
    }

    fn is_member(&self) -> bool {
        match (self.record(), self.tenant()) {
            (Some(record), Some(tenant)) => record.is_member(&tenant.id),
            _ => false,
        }
    }

    fn has_a_tenant(&self) -> bool {
        self.record().is_some_and(|record| !record.tenant_ids.is_empty())
    }

    fn changes_only(&self, fields: &[&str]) -> bool {
        self.tenant().is_none_or(|tenant| tenant.fields.iter().all(|field| fields.contains(&field.as_str())))
    }

    fn removes_last_admin(&self) -> Option<bool> {
        self.user().map(|user| user.last_active_admin)
    }

    fn is_self(&self) -> bool {
        match (self.record(), self.user()) {
            (Some(record), Some(user)) => same_text(record.id.as_str(), user.id.as_str()),
            _ => false,
        }
    }

    fn shares_a_tenant(&self) -> bool {
        match (self.record(), self.user()) {
            (Some(record), Some(user)) => user.tenant_ids.iter().any(|tenant| record.is_member(tenant)),
            _ => false,
        }
    }
}
