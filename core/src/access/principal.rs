//! The principal of a request: a person with a verified token, or a machine key (specification
//! section 13.1).

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use crate::model::{Role, User};
use crate::names::Id;
use crate::text::same_text;

/// The audience of an operator's token unless the service configures another.
pub const DEFAULT_OPERATOR_AUDIENCE: &str = "dezky-operator";

/// The record of a user. A person's rights come from the record, never from the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The id of the user.
    pub id: Id,
    /// `false` denies the user every action.
    pub active: bool,
    /// `true` for a platform admin.
    pub platform_admin: bool,
    /// The user's role in all of their tenants.
    pub role: Role,
    /// The tenants of which the user is a member.
    pub tenant_ids: Vec<Id>,
}

impl UserRecord {
    pub(super) fn is_member(&self, tenant: &Id) -> bool {
        self.tenant_ids.iter().any(|own| same_text(own.as_str(), tenant.as_str()))
    }
}

impl From<&User> for UserRecord {
    fn from(user: &User) -> UserRecord {
        UserRecord {
            id: user.id.clone(),
            active: user.active,
            platform_admin: user.platform_admin,
            role: user.role,
            tenant_ids: user.tenant_ids.clone(),
        }
    }
}

/// A person: the subject and audiences of a verified token, and the record of its user.
///
/// ```
/// use dezky_core::access::Person;
/// let person = Person::new("auth0|7", ["dezky-portal"], None);
/// assert!(!person.is_operator());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The subject of the token.
    pub subject: String,
    /// Every audience of the token.
    pub audiences: Vec<String>,
    /// The record of the user, if one exists.
    pub user: Option<UserRecord>,
    /// The audience that the token of an operator has.
    pub operator_audience: String,
}

impl Person {
    /// Creates a person with [`DEFAULT_OPERATOR_AUDIENCE`].
    pub fn new<A: Into<String>>(
        subject: impl Into<String>,
        audiences: impl IntoIterator<Item = A>,
        user: Option<UserRecord>,
    ) -> Person {
        Person {
            subject: subject.into(),
            audiences: audiences.into_iter().map(Into::into).collect(),
            user,
            operator_audience: DEFAULT_OPERATOR_AUDIENCE.to_owned(),
        }
    }

    /// Returns whether the person is an operator: an active platform admin whose token has the
    /// operator audience.
    pub fn is_operator(&self) -> bool {
        let is_admin = self.user.as_ref().is_some_and(|user| user.active && user.platform_admin);
        is_admin && self.has_operator_audience()
    }

    pub(super) fn has_operator_audience(&self) -> bool {
        self.audiences.contains(&self.operator_audience)
    }
}

/// A key with which a program authenticates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachineKey {
    /// Reads snapshots and evaluates flags for every tenant.
    Server,
    /// Evaluates flags for one tenant.
    Tenant(Id),
}

/// The caller whose rights are decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person with a verified token.
    Person(Person),
    /// A program with a machine key.
    Key(MachineKey),
}
