//! Users: people with a record, whose rights it holds.

use alloc::vec::Vec;

use serde::Serialize;

use super::Revisioned;
use super::Role;
use crate::Timestamp;
use crate::json::decode_objects;
use crate::limits::MAX_LIST;
use crate::names::{Email, Id, Label, Prose};

/// A person. What they may do is decided from this record alone.
///
/// ```
/// let user: dezky_core::model::User = serde_json::from_str(r#"{ "id": "u1", "email": "Ada@example.org" }"#)?;
/// assert_eq!(user.email.as_str(), "ada@example.org");
/// assert!(user.active && !user.platform_admin);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user's id.
    pub id: Id,
    /// Who they are to the identity provider, once they have signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<IdentitySubject>,
    /// Their e-mail address.
    pub email: Email,
    /// Whether the identity provider has verified that the address is theirs. Only then does it identify them.
    pub email_verified: bool,
    /// Their name.
    pub name: Prose,
    /// What they are in their tenants.
    pub role: Role,
    /// The tenants of which they are a member.
    pub tenant_ids: Vec<Id>,
    /// Whether they run the platform.
    pub platform_admin: bool,
    /// Whether they may do anything at all.
    pub active: bool,
    /// When their rights last changed: a token issued before grants nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights_changed_at: Option<Timestamp>,
    /// When they last signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<Timestamp>,
    /// The groups at the identity provider that their last sign-in showed; absent until one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Label>>,
    /// When the token was issued that showed these groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_issued_at: Option<Timestamp>,
    /// When the record was made and changed, and how often.
    #[serde(flatten)]
    pub revisioned: Revisioned,
}

impl User {
    /// Whether nobody else can have the address: it is verified, or the record was made for it and nobody has claimed the record yet.
    ///
    /// ```
    /// let user: dezky_core::model::User = serde_json::from_str(r#"{ "id": "u1", "email": "ada@example.org" }"#)?;
    /// assert!(user.reserves_email() && !user.email_verified);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn reserves_email(&self) -> bool {
        self.email_verified || self.subject.is_none()
    }
}

/// Who somebody is to an identity provider: only both halves together are unique.
///
/// ```
/// use dezky_core::model::IdentitySubject;
/// use dezky_core::names::Label;
/// let subject = IdentitySubject { issuer: Label::new("https://id.example.org/")?, sub: Label::new("7")? };
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct IdentitySubject {
    /// The issuer of their tokens.
    pub issuer: Label,
    /// What the issuer calls them.
    pub sub: Label,
}

decode_objects! {
    IdentitySubject {
        issuer: required("issuer"),
        sub: required("sub"),
    }
    User {
        id: required("id"),
        subject: optional("subject"),
        email: required("email"),
        email_verified: or_default("emailVerified"),
        name: or_default("name"),
        role: or_default("role"),
        tenant_ids: distinct("tenantIds", MAX_LIST),
        platform_admin: or_default("platformAdmin"),
        active: or("active", true),
        rights_changed_at: optional("rightsChangedAt"),
        last_login_at: optional("lastLoginAt"),
        groups: optional("groups"),
        groups_issued_at: optional("groupsIssuedAt"),
        revisioned: embedded(),
    }
}
