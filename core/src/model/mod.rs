//! The model: tenants, partners, users, subscriptions, flags, and the log of their changes.

mod billing;
mod chain;
mod change;
mod flag;
mod flag_edit;
mod flag_patch;
mod kind;
mod mrr;
mod partner;
mod periods;
mod price;
mod provisioning;
mod role;
#[cfg(feature = "schema")]
mod schema;
mod subscription;
mod tenant;
mod user;

pub use billing::{BillingInfo, ContactInfo};
pub use chain::verify_chain;
pub use change::{Actor, Change, ChangeContent, Entity};
pub use flag::{Flag, FlagContent, FlagHistoryEntry};
pub use flag_edit::{Edited, Editor, FlagWarning};
pub use flag_patch::FlagPatch;
pub use kind::DocumentKind;
pub use mrr::monthly_recurring_revenue;
pub use partner::{Partner, PartnerStatus};
pub use periods::Periods;
pub use price::{Interval, Price};
pub use provisioning::{Handles, Integration, IntegrationStatus, Provisioning};
pub use role::Role;
pub use subscription::{StripeIds, Subscription, SubscriptionStatus};
pub use tenant::{Tenant, TenantStatus};
pub use user::{IdentitySubject, User};

use crate::Timestamp;
use crate::json::{decode_objects, document_lists, documents};
use crate::limits::MAX_REVISION;

/// When an entity was made and last changed, and how often.
///
/// ```
/// assert_eq!(dezky_core::model::Revisioned::default().version, 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct Revisioned {
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts its changes; what an ETag carries.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = MAX_REVISION)))]
    pub version: u64,
}

impl Default for Revisioned {
    fn default() -> Revisioned {
        Revisioned { created_at: Timestamp::EPOCH, updated_at: Timestamp::EPOCH, version: 1 }
    }
}

impl Revisioned {
    /// The same after one more change.
    pub(crate) fn touched(self, now: Timestamp) -> Revisioned {
        Revisioned { updated_at: now, version: self.version + 1, ..self }
    }
}

decode_objects! {
    Revisioned {
        created_at: or_default("createdAt"),
        updated_at: or_default("updatedAt"),
        version: whole_or("version", 1..=MAX_REVISION, 1),
    }
}

documents! { Tenant Partner User Subscription Flag Change }
document_lists! { Subscription Change }
