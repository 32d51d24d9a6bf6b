//! Whom to bill, and whom to talk to.

use serde::Serialize;

use crate::json::decode_objects;
use crate::names::{Currency, Email, Label, Prose};

/// Whom to bill, and how.
///
/// ```
/// assert_eq!(dezky_core::model::BillingInfo::default().currency, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct BillingInfo {
    /// The name on the invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_name: Option<Label>,
    /// The VAT id, as its country writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vat_id: Option<Label>,
    /// The postal address, line by line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Prose>,
    /// Where invoices go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// What invoices are in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

decode_objects! {
    BillingInfo {
        company_name: optional("companyName"),
        vat_id: optional("vatId"),
        address: optional("address"),
        email: optional("email"),
        currency: optional("currency"),
    }
}

/// Whom to talk to.
///
/// ```
/// assert_eq!(dezky_core::model::ContactInfo::default().email, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct ContactInfo {
    /// The person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Label>,
    /// Their e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Their telephone number, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Label>,
}

decode_objects! {
    ContactInfo {
        name: optional("name"),
        email: optional("email"),
        phone: optional("phone"),
    }
}
