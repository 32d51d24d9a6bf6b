//! Subscriptions: what a tenant pays, as Stripe tells it.

use serde::{Serialize, Serializer};

use super::{Periods, Price, Revisioned};
use crate::json::{Decode, Value, decode_objects, deserialize_by_decoding};
use crate::names::{Id, Label, PlanKey};

/// What a tenant pays.
///
/// ```
/// let subscription: dezky_core::model::Subscription = serde_json::from_str(r#"{
///     "id": "s1", "tenantId": "t1", "plan": "business", "status": "active",
///     "price": { "amount": 4900, "currency": "eur", "interval": "month" }
/// }"#)?;
/// assert_eq!(subscription.price.quantity(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The subscription's id.
    pub id: Id,
    /// The tenant who pays.
    pub tenant_id: Id,
    /// What they pay for.
    pub plan: PlanKey,
    /// How it stands.
    pub status: SubscriptionStatus,
    /// How much, and how often.
    pub price: Price,
    /// What Stripe calls it.
    pub stripe: StripeIds,
    /// The periods that it runs for.
    pub periods: Periods,
    /// When the record was made and changed, and how often.
    #[serde(flatten)]
    pub revisioned: Revisioned,
}

/// How a subscription stands: Stripe's words, and room for one that Stripe may yet invent.
///
/// ```
/// use dezky_core::model::SubscriptionStatus;
/// assert_eq!(SubscriptionStatus::PastDue.as_str(), "past_due");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionStatus {
    /// The first payment has not been made.
    Incomplete,
    /// The first payment was never made.
    IncompleteExpired,
    /// Not yet paid for.
    Trialing,
    /// Paid.
    Active,
    /// A payment has failed and is tried again.
    PastDue,
    /// Ended.
    Canceled,
    /// Payments have failed for good.
    Unpaid,
    /// A trial ended without a way to pay.
    Paused,
    /// A word that is not known here.
    Unknown(Label),
}

impl SubscriptionStatus {
    /// The word as Stripe spells it.
    ///
    /// ```
    /// assert_eq!(dezky_core::model::SubscriptionStatus::Trialing.as_str(), "trialing");
    /// ```
    pub fn as_str(&self) -> &str {
        match self {
            SubscriptionStatus::Incomplete => "incomplete",
            SubscriptionStatus::IncompleteExpired => "incomplete_expired",
            SubscriptionStatus::Trialing => "trialing",
            SubscriptionStatus::Active => "active",
            SubscriptionStatus::PastDue => "past_due",
            SubscriptionStatus::Canceled => "canceled",
            SubscriptionStatus::Unpaid => "unpaid",
            SubscriptionStatus::Paused => "paused",
            SubscriptionStatus::Unknown(word) => word.as_str(),
        }
    }

    fn of(word: Label) -> SubscriptionStatus {
        match word.as_str() {
            "incomplete" => SubscriptionStatus::Incomplete,
            "incomplete_expired" => SubscriptionStatus::IncompleteExpired,
            "trialing" => SubscriptionStatus::Trialing,
            "active" => SubscriptionStatus::Active,
            "past_due" => SubscriptionStatus::PastDue,
            "canceled" => SubscriptionStatus::Canceled,
            "unpaid" => SubscriptionStatus::Unpaid,
            "paused" => SubscriptionStatus::Paused,
            _ => SubscriptionStatus::Unknown(word),
        }
    }
}

impl Serialize for SubscriptionStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Decode for SubscriptionStatus {
    fn decode(value: Value<'_>) -> SubscriptionStatus {
        SubscriptionStatus::of(Label::decode(value))
    }
}

/// What Stripe calls a subscription's parts.
///
/// ```
/// assert_eq!(dezky_core::model::StripeIds::default().customer_id, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct StripeIds {
    /// `cus_…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<Label>,
    /// `sub_…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<Label>,
    /// `si_…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<Label>,
    /// `price_…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_id: Option<Label>,
}

decode_objects! {
    StripeIds {
        customer_id: optional("customerId"),
        subscription_id: optional("subscriptionId"),
        item_id: optional("itemId"),
        price_id: optional("priceId"),
    }
}

decode_objects! {
    Subscription {
        id: required("id"),
        tenant_id: required("tenantId"),
        plan: required("plan"),
        status: required("status"),
        price: required("price"),
        stripe: or_default("stripe"),
        periods: or_default("periods"),
        revisioned: embedded(),
    }
}

deserialize_by_decoding!(SubscriptionStatus);
