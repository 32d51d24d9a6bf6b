//! What outside systems know of a tenant, and how far they are set up for it.

use serde::Serialize;

use crate::json::decode_objects;
use crate::names::words;
use crate::names::{Domain, Label, Prose};

words! {
    /// How far an outside system is set up for a tenant.
    ///
    /// ```
    /// assert_eq!(dezky_core::model::IntegrationStatus::Ok.as_str(), "ok");
    /// ```
    #[derive(Default)]
    IntegrationStatus: UnknownStatus {
        /// Not yet.
        #[default]
        Pending "pending",
        /// Done.
        Ok "ok",
        /// Failed, with the reason.
        Error "error",
        /// Not wanted.
        Disabled "disabled",
    }
}

/// What outside systems call a tenant.
///
/// ```
/// assert_eq!(dezky_core::model::Handles::default().authentik_group, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct Handles {
    /// The group in Authentik.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentik_group: Option<Label>,
    /// The space in oCIS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ocis_space: Option<Label>,
    /// The domain in Stalwart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalwart_domain: Option<Domain>,
}

/// How far each outside system is set up.
///
/// ```
/// use dezky_core::model::{IntegrationStatus, Provisioning};
/// assert_eq!(Provisioning::default().ocis.status, IntegrationStatus::Pending);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct Provisioning {
    /// The identity provider.
    pub authentik: Integration,
    /// The mail server.
    pub stalwart: Integration,
    /// The file server.
    pub ocis: Integration,
}

/// How far one outside system is set up.
///
/// ```
/// assert_eq!(dezky_core::model::Integration::default().error, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct Integration {
    /// How far.
    pub status: IntegrationStatus,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Prose>,
}

decode_objects! {
    Handles {
        authentik_group: optional("authentikGroup"),
        ocis_space: optional("ocisSpace"),
        stalwart_domain: optional("stalwartDomain"),
    }
    Provisioning {
        authentik: or_default("authentik"),
        stalwart: or_default("stalwart"),
        ocis: or_default("ocis"),
    }
    Integration {
        status: or_default("status"),
        error: optional("error"),
    }
}
