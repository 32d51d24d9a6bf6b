//! Partners, the resellers who bring tenants (specification sections 4.3 and 4.6).

use serde::Serialize;

use super::{BillingInfo, ContactInfo, Revisioned};
use crate::json::decode_objects;
use crate::names::words;
use crate::names::{Domain, Id, Label, Percent, Slug};
use crate::{Code, Error, Timestamp};

words! {
    /// The status of a partner.
    #[derive(Default)]
    PartnerStatus: UnknownStatus {
        /// The partner can bring tenants.
        #[default]
        Active "active",
        /// The partner brings no further tenants. Its tenants keep their reference to it.
        Terminated "terminated",
    }
}

/// A reseller. The id and slug never change; only [`terminate`](Partner::terminate) changes the
/// status.
///
/// ```
/// use dezky_core::Timestamp;
/// use dezky_core::model::Partner;
/// use dezky_core::names::{Id, Label, Slug};
/// let (id, slug, name) = (Id::new("p1")?, Slug::new("nordic")?, Label::new("Nordic AB")?);
/// let mut partner = Partner::new(id, slug, name, Timestamp::EPOCH);
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
    /// The name for people.
    pub name: Label,
    /// The domain of the partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    status: PartnerStatus,
    /// The share of its tenants' payments that the partner keeps.
    pub margin_pct: Percent,
    /// The contact person of the partner.
    pub contact_info: ContactInfo,
    /// The recipient of invoices.
    pub billing_info: BillingInfo,
    /// The times of creation and change, and the version.
    #[serde(flatten)]
    pub revisioned: Revisioned,
}

impl Partner {
    /// Creates an active partner.
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

    /// Returns the id of the partner.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Returns the slug of the partner.
    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    /// Returns the status of the partner.
    pub fn status(&self) -> PartnerStatus {
        self.status
    }

    /// Changes the status from active to terminated. Tenants keep their reference to the partner.
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
