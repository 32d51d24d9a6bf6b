//! Users, the people with a record (specification section 4.4).

use alloc::vec::Vec;

use serde::Serialize;

use super::{Revisioned, Role};
use crate::Timestamp;
use crate::json::decode_objects;
use crate::limits::MAX_LIST;
use crate::names::{Email, Id, Label, Prose};

/// A person. The person's rights come from this record alone.
///
/// ```
/// use dezky_core::model::User;
/// let user = User::from_json(br#"{ "id": "u1", "email": "Ada@example.org" }"#)?;
/// assert_eq!(user.email.as_str(), "ada@example.org");
/// assert!(user.active && !user.platform_admin);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The id of the user.
    pub id: Id,
    /// The user's identity at the identity provider, set at the first sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<IdentitySubject>,
    /// The e-mail address of the user.
    pub email: Email,
    /// `true` if the identity provider has verified the address. Only a verified address identifies
    /// the user.
    pub email_verified: bool,
    /// The name of the user.
    pub name: Prose,
    /// The role in all tenants of the user.
    pub role: Role,
    /// The tenants of which the user is a member.
    pub tenant_ids: Vec<Id>,
    /// `true` for a platform admin.
    pub platform_admin: bool,
    /// `false` denies the user every action.
    pub active: bool,
    /// The time at which the rights last changed. Tokens issued before it grant no rights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights_changed_at: Option<Timestamp>,
    /// The time of the last sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<Timestamp>,
    /// The groups in the newest token that had groups, or `None` before the first such token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Label>>,
    /// The time at which the token with these groups was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_issued_at: Option<Timestamp>,
    /// The times of creation and change, and the version.
    #[serde(flatten)]
    pub revisioned: Revisioned,
}

impl User {
    /// Returns whether no other record can have the address. That is so if the address is verified,
    /// or if no person has signed in with this record yet.
    ///
    /// ```
    /// use dezky_core::model::User;
    /// let user = User::from_json(br#"{ "id": "u1", "email": "ada@example.org" }"#)?;
    /// assert!(user.reserves_email() && !user.email_verified);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn reserves_email(&self) -> bool {
        self.email_verified || self.subject.is_none()
    }
}

/// The identity of a user at an identity provider. Only issuer and subject together are unique.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct IdentitySubject {
    /// The issuer of the user's tokens.
    pub issuer: Label,
    /// The subject of the user at this issuer.
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
