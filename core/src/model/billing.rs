//! Billing and contact data of tenants and partners (specification section 4.1).

use serde::Serialize;

use crate::json::decode_objects;
use crate::names::{Currency, Email, Label, Prose};

/// The recipient and the currency of invoices.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct BillingInfo {
    /// The company name on the invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_name: Option<Label>,
    /// The VAT id, in the format of its country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vat_id: Option<Label>,
    /// The postal address, one line each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Prose>,
    /// The e-mail address for invoices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// The currency of the invoices.
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

/// The contact person of a partner.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct ContactInfo {
    /// The name of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Label>,
    /// The e-mail address of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// The telephone number, in any format.
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
