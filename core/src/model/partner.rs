//! Partners: the resellers who bring tenants.

use serde::Serialize;

use super::{BillingInfo, ContactInfo, Revisioned};
use crate::json::decode_objects;
use crate::names::words;
use crate::names::{Domain, Id, Label, Percent, Slug};
use crate::{Code, Error, Timestamp};

words! {
    /// Where a partner is in its life.
    ///
    /// ```
    /// assert_eq!(dezky_core::model::PartnerStatus::Active.as_str(), "active");
    /// ```
    #[derive(Default)]
    PartnerStatus: UnknownStatus {
        /// Brings tenants.
        #[default]
        Active "active",
        /// Brings no more; the tenants it brought keep naming it.
        Terminated "terminated",
    }
}

/// A reseller. Its id and slug are fixed, and its status changes only by termination.
///
/// ```
/// use dezky_core::Timestamp;
/// use dezky_core::model::Partner;
/// use dezky_core::names::{Id, Label, Slug};
/// let mut partner = Partner::new(Id::new("p1")?, Slug::new("nordic")?, Label::new("Nordic AB")?, Timestamp::EPOCH);
/// partner.terminate(Timestamp::EPOCH)?;
/// assert!(partner.terminate(Timestamp::EPOCH).is_err());
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct Partner {
    id: Id,
    slug: Slug,
    /// What people call it.
    pub name: Label,
    /// Its own domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    status: PartnerStatus,
    /// What it keeps of its tenants' payments.
    pub margin_pct: Percent,
    /// Whom to talk to.
    pub contact_info: ContactInfo,
    /// Whom to bill.
    pub billing_info: BillingInfo,
    /// When it was made and changed, and how often.
    #[serde(flatten)]
    pub revisioned: Revisioned,
}

impl Partner {
    /// A new partner, active.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// let partner = Partner::new(Id::new("p1")?, Slug::new("nordic")?, Label::new("Nordic AB")?, Timestamp::EPOCH);
    /// assert_eq!(partner.margin_pct, Percent::ZERO);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn new(id: Id, slug: Slug, name: Label, now: Timestamp) -> Partner {
        Partner {
            id,
            slug,
            name,
            domain: None,
            status: PartnerStatus::Active,
            margin_pct: Percent::ZERO,
            contact_info: ContactInfo::default(),
            billing_info: BillingInfo::default(),
            revisioned: Revisioned { created_at: now, updated_at: now, version: 1 },
        }
    }

    /// Its id.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let partner = Partner::new(Id::new("p1")?, Slug::new("nordic")?, Label::new("Nordic AB")?, Timestamp::EPOCH);
    /// assert_eq!(partner.id().as_str(), "p1");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Its slug.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let partner = Partner::new(Id::new("p1")?, Slug::new("nordic")?, Label::new("Nordic AB")?, Timestamp::EPOCH);
    /// assert_eq!(partner.slug().as_str(), "nordic");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    /// Where it is in its life.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let partner = Partner::new(Id::new("p1")?, Slug::new("nordic")?, Label::new("Nordic AB")?, Timestamp::EPOCH);
    /// assert_eq!(partner.status(), PartnerStatus::Active);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn status(&self) -> PartnerStatus {
        self.status
    }

    /// Active to terminated, also while tenants name it: they keep doing so.
    ///
    /// ```
    /// # use dezky_core::{flags::*, model::*, names::*, world::*, *};
    /// # let mut partner = Partner::new(Id::new("p1")?, Slug::new("nordic")?, Label::new("Nordic AB")?, Timestamp::EPOCH);
    /// partner.terminate(Timestamp::EPOCH)?;
    /// assert_eq!(partner.status(), PartnerStatus::Terminated);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn terminate(&mut self, now: Timestamp) -> Result<(), Error> {
        if self.status != PartnerStatus::Active {
            return Err(Error::new(Code::InvalidTransition, "/status"));
        }
        self.status = PartnerStatus::Terminated;
        self.revisioned = self.revisioned.touched(now);
        Ok(())
    }
}

decode_objects! {
    Partner {
        id: required("id"),
        slug: required("slug"),
        name: required("name"),
        domain: optional("domain"),
        status: or_default("status"),
        margin_pct: or_default("marginPct"),
        contact_info: or_default("contactInfo"),
        billing_info: or_default("billingInfo"),
        revisioned: embedded(),
    }
}
