//! What the world knows of tenants and partners.

use crate::json::decode_objects;
use crate::model::{Partner, Tenant, TenantStatus};
use crate::names::{Id, PlanKey, Slug};

/// What the world knows of a tenant.
///
/// ```
/// use dezky_core::model::TenantStatus;
/// use dezky_core::names::{Id, PlanKey, Slug};
/// use dezky_core::world::WorldTenant;
/// let tenant = WorldTenant {
///     id: Id::new("t1")?, slug: Slug::new("acme")?, plan: PlanKey::new("free")?, partner_id: None, status: TenantStatus::Active,
/// };
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldTenant {
    /// Its id.
    pub id: Id,
    /// Its slug.
    pub slug: Slug,
    /// Its plan.
    pub plan: PlanKey,
    /// Its partner.
    pub partner_id: Option<Id>,
    /// Its status: a terminated tenant is not registered.
    pub status: TenantStatus,
}

/// What the world knows of a partner.
///
/// ```
/// use dezky_core::names::{Id, Slug};
/// use dezky_core::world::WorldPartner;
/// let partner = WorldPartner { id: Id::new("p1")?, slug: Slug::new("nordic")? };
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldPartner {
    /// Its id.
    pub id: Id,
    /// Its slug.
    pub slug: Slug,
}

impl From<&Tenant> for WorldTenant {
    fn from(tenant: &Tenant) -> WorldTenant {
        WorldTenant {
            id: tenant.id().clone(),
            slug: tenant.slug().clone(),
            plan: tenant.plan.clone(),
            partner_id: tenant.partner_id.clone(),
            status: tenant.status(),
        }
    }
}

impl From<&Partner> for WorldPartner {
    fn from(partner: &Partner) -> WorldPartner {
        WorldPartner { id: partner.id().clone(), slug: partner.slug().clone() }
    }
}

impl From<Tenant> for WorldTenant {
    fn from(tenant: Tenant) -> WorldTenant {
        WorldTenant::from(&tenant)
    }
}

impl From<Partner> for WorldPartner {
    fn from(partner: Partner) -> WorldPartner {
        WorldPartner::from(&partner)
    }
}

decode_objects! {
    WorldTenant {
        id: required("id"),
        slug: required("slug"),
        plan: required("plan"),
        partner_id: optional("partnerId"),
        status: or_default("status"),
    }
    WorldPartner {
        id: required("id"),
        slug: required("slug"),
    }
}
