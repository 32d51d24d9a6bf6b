//! What a decision asks, whoever knows the answers: owned values, or the document in which a question stands.

use super::{MachineKey, Principal, Resource, ResourceTenant, ResourceUser, UserRecord};
use crate::model::{Role, TenantStatus};
use crate::text::same_text;

/// Who asks, as far as every rule needs to know it.
#[derive(Clone, Copy)]
pub(super) enum Asker {
    ServerKey,
    TenantKey,
    Person(Standing),
    /// A person without a record.
    Stranger,
}

/// What the record says of a person.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    pub(super) active: bool,
    pub(super) platform_admin: bool,
    pub(super) role: Role,
}

/// A principal and a resource. Whatever is asked about a part that is not there is answered with no.
pub(super) trait Case {
    fn asker(&self) -> Asker;

    fn has_operator_audience(&self) -> bool;

    /// The status of the tenant that it is about.
    fn tenant_status(&self) -> Option<TenantStatus>;

    /// Whether the key is of the tenant that it is about.
    fn has_tenant_key(&self) -> bool;

    /// Whether the person is a member of the tenant that it is about.
    fn is_member(&self) -> bool;

    /// Whether the person is a member of any tenant.
    fn has_a_tenant(&self) -> bool;

    /// Whether the tenant's fields that are changed are all among these.
    fn changes_only(&self, fields: &[&str]) -> bool;

    /// Of the user that it is about: whether the action would remove the last active platform admin.
    fn removes_last_admin(&self) -> Option<bool>;

    /// Whether the person is the user that it is about.
    fn is_self(&self) -> bool;

    /// Whether the person is a member of a tenant of the user that it is about.
    fn shares_a_tenant(&self) -> bool;
}

/// Owned values.
pub(super) struct OwnedCase<'a> {
    pub(super) principal: &'a Principal,
    pub(super) resource: &'a Resource,
}

impl<'a> OwnedCase<'a> {
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

impl Case for OwnedCase<'_> {
    fn asker(&self) -> Asker {
        match (self.principal, self.record()) {
            (Principal::Key(MachineKey::Server), _) => Asker::ServerKey,
            (Principal::Key(MachineKey::Tenant(_)), _) => Asker::TenantKey,
            (Principal::Person(_), None) => Asker::Stranger,
            (Principal::Person(_), Some(&UserRecord { active, platform_admin, role, .. })) => {
                Asker::Person(Standing { active, platform_admin, role })
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
