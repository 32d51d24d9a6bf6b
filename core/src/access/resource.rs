//! What an action is about.

use alloc::{string::String, vec::Vec};

use crate::model::TenantStatus;
use crate::names::Id;

/// What an action is about: a tenant, a user, or nothing in particular.
///
/// ```
/// use dezky_core::access::Resource;
/// use dezky_core::model::TenantStatus;
/// use dezky_core::names::Id;
/// let nothing = Resource::default();
/// let tenant = Resource::tenant(Id::new("t1")?, TenantStatus::Active);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resource {
    /// The tenant that it is about.
    pub tenant: Option<ResourceTenant>,
    /// The user that it is about.
    pub user: Option<ResourceUser>,
}

/// A tenant that an action is about.
///
/// ```
/// use dezky_core::access::ResourceTenant;
/// use dezky_core::model::TenantStatus;
/// use dezky_core::names::Id;
/// let tenant = ResourceTenant { id: Id::new("t1")?, status: TenantStatus::Active, fields: vec!["name".to_owned()] };
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceTenant {
    /// The tenant's id.
    pub id: Id,
    /// Its status.
    pub status: TenantStatus,
    /// The fields that `tenant.update` changes, as documents spell them.
    pub fields: Vec<String>,
}

/// A user that an action is about.
///
/// ```
/// use dezky_core::access::ResourceUser;
/// use dezky_core::names::Id;
/// let user = ResourceUser { id: Id::new("u1")?, tenant_ids: Vec::new(), last_active_admin: false };
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceUser {
    /// The user's id.
    pub id: Id,
    /// The tenants of which they are a member.
    pub tenant_ids: Vec<Id>,
    /// Whether the action would remove the last active platform admin.
    pub last_active_admin: bool,
}

impl Resource {
    /// A tenant, none of its fields in particular.
    ///
    /// ```
    /// # use dezky_core::access::Resource;
    /// # use dezky_core::model::TenantStatus;
    /// # use dezky_core::names::Id;
    /// assert!(Resource::tenant(Id::new("t1")?, TenantStatus::Active).user.is_none());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn tenant(id: Id, status: TenantStatus) -> Resource {
        Resource { tenant: Some(ResourceTenant { id, status, fields: Vec::new() }), user: None }
    }

    /// A user who is not the last active platform admin.
    ///
    /// ```
    /// # use dezky_core::access::Resource;
    /// # use dezky_core::names::Id;
    /// assert!(Resource::user(Id::new("u1")?, Vec::new()).tenant.is_none());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn user(id: Id, tenant_ids: Vec<Id>) -> Resource {
        Resource { tenant: None, user: Some(ResourceUser { id, tenant_ids, last_active_admin: false }) }
    }
}
