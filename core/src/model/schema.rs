//! The JSON Schemas of the model that are not derived.

use super::SubscriptionStatus;
use crate::schema::{patterns, schemas, text};

schemas! {
    // Stripe may add a status, so the schema allows any label.
    SubscriptionStatus: |_| text(255, patterns::LABEL);
}
