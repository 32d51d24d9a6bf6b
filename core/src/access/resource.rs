//! The resource of a request: the tenant or the user that an action concerns (specification section
//! 13.1).

use alloc::{string::String, vec::Vec};

use crate::model::TenantStatus;
use crate::names::Id;

/// The tenant and the user that an action concerns. Many actions need neither.
///
/// ```
/// use dezky_core::access::Resource;
/// use dezky_core::model::TenantStatus;
/// use dezky_core::names::Id;
/// let no_resource = Resource::default();
/// let tenant = Resource::tenant(Id::new("t1")?, TenantStatus::Active);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resource {
    /// The tenant that the action concerns.
    pub tenant: Option<ResourceTenant>,
    /// The user that the action concerns.
    pub user: Option<ResourceUser>,
}

/// The tenant that an action concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceTenant {
    /// The id of the tenant.
    pub id: Id,
    /// The status of the tenant.
    pub status: TenantStatus,
    /// The fields that `tenant.update` changes, as documents spell them.
    pub fields: Vec<String>,
}

/// The user that an action concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceUser {
    /// The id of the user.
    pub id: Id,
    /// The tenants of which the user is a member.
    pub tenant_ids: Vec<Id>,
    /// `true` if the action would remove the last active platform admin.
    pub last_active_admin: bool,
}

impl Resource {
    /// Creates a resource that is a tenant, without changed fields.
    pub fn tenant(id: Id, status: TenantStatus) -> Resource {
        Resource { tenant: Some(ResourceTenant { id, status, fields: Vec::new() }), user: None }
    }

    /// Creates a resource that is a user, and not the last active platform admin.
    pub fn user(id: Id, tenant_ids: Vec<Id>) -> Resource {
        Resource { tenant: None, user: Some(ResourceUser { id, tenant_ids, last_active_admin: false }) }
    }
}
