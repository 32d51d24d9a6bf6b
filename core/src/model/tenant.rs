//! Tenants: the business customers.

use alloc::vec::Vec;

use serde::Serialize;

use super::{BillingInfo, Handles, Provisioning, Revisioned};
use crate::json::decode_objects;
use crate::limits::MAX_LIST;
use crate::names::words;
use crate::names::{Domain, Id, Label, PlanKey, Slug};
use crate::{Code, Error, Timestamp};

words! {
    /// Where a tenant is in its life.
    ///
    /// ```
    /// assert_eq!(dezky_core::model::TenantStatus::Suspended.as_str(), "suspended");
    /// ```
    #[derive(Default)]
    TenantStatus: UnknownStatus {
        /// Made, and not yet set up everywhere.
        Pending "pending",
        /// In use.
        #[default]
        Active "active",
        /// May look at everything and change nothing.
        Suspended "suspended",
        /// Gone, for good; only platform admins still see it.
        Terminated "terminated",
    }
}

/// A business customer. Its id and slug are fixed, and its status changes only by its four steps.
///
/// ```
/// use dezky_core::Timestamp;
/// use dezky_core::model::{Tenant, TenantStatus};
/// use dezky_core::names::{Id, Label, PlanKey, Slug};
/// let now = Timestamp::from_seconds(1_767_225_600)?;
/// let mut tenant = Tenant::new(Id::new("t1")?, Slug::new("acme")?, Label::new("Acme GmbH")?, PlanKey::new("business")?, now);
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
    /// What people call it.
    pub name: Label,
    status: TenantStatus,
    /// What it pays for.
    pub plan: PlanKey,
    /// The domains that are its own.
    pub domains: Vec<Domain>,
    /// The partner who brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner_id: Option<Id>,
    /// Whom to bill.
    pub billing_info: BillingInfo,
    /// What outside systems call it.
    pub handles: Handles,
    /// How far outside systems are set up for it.
    pub provisioning: Provisioning,
    /// When it was made and changed, and how often.
    #[serde(flatten)]
    pub revisioned: Revisioned,
}

impl Tenant {
    /// A new tenant, pending.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let tenant = Tenant::new(Id::new("t1")?, Slug::new("acme")?, Label::new("Acme")?, PlanKey::new("free")?, Timestamp::EPOCH);
    /// assert_eq!(tenant.status(), TenantStatus::Pending);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
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

    /// Its id.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let tenant = Tenant::new(Id::new("t1")?, Slug::new("acme")?, Label::new("Acme")?, PlanKey::new("free")?, Timestamp::EPOCH);
    /// assert_eq!(tenant.id().as_str(), "t1");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Its slug.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let tenant = Tenant::new(Id::new("t1")?, Slug::new("acme")?, Label::new("Acme")?, PlanKey::new("free")?, Timestamp::EPOCH);
    /// assert_eq!(tenant.slug().as_str(), "acme");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    /// Where it is in its life.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let tenant = Tenant::new(Id::new("t1")?, Slug::new("acme")?, Label::new("Acme")?, PlanKey::new("free")?, Timestamp::EPOCH);
    /// assert_eq!(tenant.status(), TenantStatus::Pending);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn status(&self) -> TenantStatus {
        self.status
    }

    /// Pending to active.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let mut tenant = Tenant::new(Id::new("t1")?, Slug::new("acme")?, Label::new("Acme")?, PlanKey::new("free")?, Timestamp::EPOCH);
    /// tenant.activate(Timestamp::EPOCH)?;
    /// assert_eq!(tenant.activate(Timestamp::EPOCH).unwrap_err().code, Code::InvalidTransition);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn activate(&mut self, now: Timestamp) -> Result<(), Error> {
        self.step(&[TenantStatus::Pending], TenantStatus::Active, now)
    }

    /// Active to suspended.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let mut tenant = Tenant::new(Id::new("t1")?, Slug::new("acme")?, Label::new("Acme")?, PlanKey::new("free")?, Timestamp::EPOCH);
    /// assert!(tenant.suspend(Timestamp::EPOCH).is_err());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn suspend(&mut self, now: Timestamp) -> Result<(), Error> {
        self.step(&[TenantStatus::Active], TenantStatus::Suspended, now)
    }

    /// Suspended to active.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let mut tenant = Tenant::new(Id::new("t1")?, Slug::new("acme")?, Label::new("Acme")?, PlanKey::new("free")?, Timestamp::EPOCH);
    /// assert!(tenant.resume(Timestamp::EPOCH).is_err());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn resume(&mut self, now: Timestamp) -> Result<(), Error> {
        self.step(&[TenantStatus::Suspended], TenantStatus::Active, now)
    }

    /// From any status to terminated, for good. Nothing is deleted.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let mut tenant = Tenant::new(Id::new("t1")?, Slug::new("acme")?, Label::new("Acme")?, PlanKey::new("free")?, Timestamp::EPOCH);
    /// tenant.terminate(Timestamp::EPOCH)?;
    /// assert!(tenant.terminate(Timestamp::EPOCH).is_err());
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
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
