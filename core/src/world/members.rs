//! The tenants and partners of a world document (specification section 10).

use crate::json::decode_objects;
use crate::model::{Partner, Tenant, TenantStatus};
use crate::names::{Id, PlanKey, Slug};

/// The fields of a tenant that a world needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldTenant {
    /// The id of the tenant.
    pub id: Id,
    /// The slug of the tenant.
    pub slug: Slug,
    /// The subscription plan of the tenant.
    pub plan: PlanKey,
    /// The id of the partner.
    pub partner_id: Option<Id>,
    /// The status. A terminated tenant is not registered.
    pub status: TenantStatus,
}

/// The fields of a partner that a world needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldPartner {
    /// The id of the partner.
    pub id: Id,
    /// The slug of the partner.
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
