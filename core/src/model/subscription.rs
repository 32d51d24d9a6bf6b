//! Subscriptions, as Stripe reports them (specification section 4.5).

use serde::{Serialize, Serializer};

use super::{Periods, Price, Revisioned};
use crate::json::{Decode, Value, decode_objects, deserialize_by_decoding};
use crate::names::{Id, Label, PlanKey};

/// The subscription of a tenant.
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
    /// The id of the subscription.
    pub id: Id,
    /// The tenant that pays for the subscription.
    pub tenant_id: Id,
    /// The subscription plan that the tenant pays for.
    pub plan: PlanKey,
    /// The status that Stripe reports.
    pub status: SubscriptionStatus,
    /// The price of each billing period.
    pub price: Price,
    /// The ids of the subscription in Stripe.
    pub stripe: StripeIds,
    /// The current billing period and the trial.
    pub periods: Periods,
    /// The times of creation and change, and the version.
    #[serde(flatten)]
    pub revisioned: Revisioned,
}

/// The status of a subscription. Stripe may add a status, so any label is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionStatus {
    /// The first payment is still due.
    Incomplete,
    /// The first payment was not made in time.
    IncompleteExpired,
    /// The trial is running.
    Trialing,
    /// The subscription is paid for.
    Active,
    /// A payment failed, and Stripe retries it.
    PastDue,
    /// The subscription has ended.
    Canceled,
    /// Payments failed, and Stripe does not retry them.
    Unpaid,
    /// The trial ended without a payment method.
    Paused,
    /// A status that this version does not list.
    Unknown(Label),
}

impl SubscriptionStatus {
    /// Returns the status as Stripe spells it.
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

    fn from_label(word: Label) -> SubscriptionStatus {
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
        SubscriptionStatus::from_label(Label::decode(value))
    }
}

/// The ids of a subscription and its parts in Stripe.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct StripeIds {
    /// The id of the customer, `cus_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<Label>,
    /// The id of the subscription, `sub_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<Label>,
    /// The id of the subscription item, `si_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<Label>,
    /// The id of the price, `price_…`.
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
