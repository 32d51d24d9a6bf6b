//! Tenants, the business customers (specification sections 4.2 and 4.6).

use alloc::vec::Vec;

use serde::Serialize;

use super::{BillingInfo, Handles, Provisioning, Revisioned};
use crate::json::decode_objects;
use crate::limits::MAX_LIST;
use crate::names::words;
use crate::names::{Domain, Id, Label, PlanKey, Slug};
use crate::{Code, Error, Timestamp};

words! {
    /// The status of a tenant.
    #[derive(Default)]
    TenantStatus: UnknownStatus {
        /// The tenant is not set up in every outside system yet.
        Pending "pending",
        /// The tenant is in use.
        #[default]
        Active "active",
        /// Members can read everything and change nothing.
        Suspended "suspended",
        /// The tenant has ended for good. Only platform admins can read it.
        Terminated "terminated",
    }
}

/// A business customer. The id and slug never change, and only the four steps change the status.
///
/// ```
/// use dezky_core::Timestamp;
/// use dezky_core::model::{Tenant, TenantStatus};
/// use dezky_core::names::{Id, Label, PlanKey, Slug};
/// let now = Timestamp::from_seconds(1_767_225_600)?;
/// let (id, slug, name) = (Id::new("t1")?, Slug::new("acme")?, Label::new("Acme GmbH")?);
/// let mut tenant = Tenant::new(id, slug, name, PlanKey::new("business")?, now);
/// tenant.activate(now)?;
/// assert_eq!(tenant.status(), TenantStatus::Active);
/// assert!(tenant.resume(now).is_err());
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    id: Id,
    slug: Slug,
    /// The name for people.
    pub name: Label,
    status: TenantStatus,
    /// The subscription plan of the tenant.
    pub plan: PlanKey,
    /// The domains of the tenant.
    pub domains: Vec<Domain>,
    /// The partner who brought the tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner_id: Option<Id>,
    /// The recipient of invoices.
    pub billing_info: BillingInfo,
    /// The names of the tenant in outside systems.
    pub handles: Handles,
    /// The progress of the setup in outside systems.
    pub provisioning: Provisioning,
    /// The times of creation and change, and the version.
    #[serde(flatten)]
    pub revisioned: Revisioned,
}

impl Tenant {
    /// Creates a pending tenant.
    pub fn new(id: Id, slug: Slug, name: Label, plan: PlanKey, now: Timestamp) -> Tenant {
        Tenant {
            id,
            slug,
            name,
            status: TenantStatus::Pending,
            plan,
            domains: Vec::new(),
            partner_id: None,
            billing_info: BillingInfo::default(),
            handles: Handles::default(),
            provisioning: Provisioning::default(),
            revisioned: Revisioned { created_at: now, updated_at: now, version: 1 },
        }
    }

    /// Returns the id of the tenant.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Returns the slug of the tenant.
    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    /// Returns the status of the tenant.
    pub fn status(&self) -> TenantStatus {
        self.status
    }

    /// Changes the status from pending to active.
    pub fn activate(&mut self, now: Timestamp) -> Result<(), Error> {
        self.step(&[TenantStatus::Pending], TenantStatus::Active, now)
    }

    /// Changes the status from active to suspended.
    pub fn suspend(&mut self, now: Timestamp) -> Result<(), Error> {
        self.step(&[TenantStatus::Active], TenantStatus::Suspended, now)
    }

    /// Changes the status from suspended to active.
    pub fn resume(&mut self, now: Timestamp) -> Result<(), Error> {
        self.step(&[TenantStatus::Suspended], TenantStatus::Active, now)
    }

    /// Changes any other status to terminated, for good. No data is deleted.
    pub fn terminate(&mut self, now: Timestamp) -> Result<(), Error> {
        use TenantStatus::*;
        self.step(&[Pending, Active, Suspended], Terminated, now)
    }

    fn step(&mut self, from: &[TenantStatus], to: TenantStatus, now: Timestamp) -> Result<(), Error> {
        if !from.contains(&self.status) {
            return Err(Error::new(Code::InvalidTransition, "/status"));
        }
        self.status = to;
        self.revisioned = self.revisioned.touched(now);
        Ok(())
    }
}

decode_objects! {
    Tenant {
        id: required("id"),
        slug: required("slug"),
        name: required("name"),
        status: or_default("status"),
        plan: required("plan"),
        domains: distinct("domains", MAX_LIST),
        partner_id: optional("partnerId"),
        billing_info: or_default("billingInfo"),
        handles: or_default("handles"),
        provisioning: or_default("provisioning"),
        revisioned: embedded(),
    }
}
