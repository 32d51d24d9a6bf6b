//! The setup of a tenant in outside systems (specification sections 4.1 and 4.2).

use serde::Serialize;

use crate::json::decode_objects;
use crate::names::words;
use crate::names::{Domain, Label, Prose};

words! {
    /// The progress of the setup in an outside system.
    #[derive(Default)]
    IntegrationStatus: UnknownStatus {
        /// The setup has not finished yet.
        #[default]
        Pending "pending",
        /// The setup is complete.
        Ok "ok",
        /// The setup failed, and `error` has the reason.
        Error "error",
        /// The tenant does not use the system.
        Disabled "disabled",
    }
}

/// The names of a tenant in outside systems.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct Handles {
    /// The name of the group in Authentik.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentik_group: Option<Label>,
    /// The name of the space in oCIS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ocis_space: Option<Label>,
    /// The name of the domain in Stalwart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalwart_domain: Option<Domain>,
}

/// The progress of the setup in each outside system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct Provisioning {
    /// The setup in the identity provider.
    pub authentik: Integration,
    /// The setup in the mail server.
    pub stalwart: Integration,
    /// The setup in the file server.
    pub ocis: Integration,
}

/// The progress of the setup in one outside system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct Integration {
    /// The status of the setup.
    pub status: IntegrationStatus,
    /// The message of the last failure.
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
