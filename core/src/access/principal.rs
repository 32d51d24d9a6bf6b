//! Who asks: a person with a verified token and a record, or a machine key.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use crate::model::{Role, User};
use crate::names::Id;
use crate::text::same_text;

/// The audience of an operator's token unless another is configured.
///
/// ```
/// assert_eq!(dezky_core::access::DEFAULT_OPERATOR_AUDIENCE, "dezky-operator");
/// ```
pub const DEFAULT_OPERATOR_AUDIENCE: &str = "dezky-operator";

/// What the database says of a user. Rights come from here, never from the token.
///
/// ```
/// use dezky_core::access::UserRecord;
/// use dezky_core::model::Role;
/// use dezky_core::names::Id;
/// let record = UserRecord {
///     id: Id::new("u1")?, active: true, platform_admin: false, role: Role::Member, tenant_ids: vec![Id::new("t1")?],
/// };
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The user's id.
    pub id: Id,
    /// Whether the user may do anything at all.
    pub active: bool,
    /// Whether the user runs the platform.
    pub platform_admin: bool,
    /// What the user is in their tenants.
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

/// A person: a verified token, and the record of its user where there is one.
///
/// ```
/// use dezky_core::access::Person;
/// let person = Person::new("auth0|7", ["dezky-portal"], None);
/// assert!(!person.is_operator());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The token's subject.
    pub subject: String,
    /// The token's audiences, all of them.
    pub audiences: Vec<String>,
    /// The record, where the user is known.
    pub user: Option<UserRecord>,
    /// The audience that makes a platform admin's token an operator's.
    pub operator_audience: String,
}

impl Person {
    /// A person whose operators' audience is the default.
    ///
    /// ```
    /// # use dezky_core::access::Person;
    /// assert_eq!(Person::new("auth0|7", ["dezky-portal"], None).operator_audience, "dezky-operator");
    /// ```
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

    /// Whether the token's audiences hold the operators', and the record is an active platform admin's. Neither half suffices.
    ///
    /// ```
    /// # use dezky_core::access::Person;
    /// assert!(!Person::new("auth0|7", ["dezky-operator"], None).is_operator());
    /// ```
    pub fn is_operator(&self) -> bool {
        let is_admin = self.user.as_ref().is_some_and(|user| user.active && user.platform_admin);
        is_admin && self.has_operator_audience()
    }

    pub(super) fn has_operator_audience(&self) -> bool {
        self.audiences.contains(&self.operator_audience)
    }
}

/// A key that a machine holds.
///
/// ```
/// let key = dezky_core::access::MachineKey::Tenant(dezky_core::names::Id::new("t1")?);
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachineKey {
    /// Reads snapshots, and evaluates for every tenant.
    Server,
    /// Evaluates for one tenant.
    Tenant(Id),
}

/// Who asks.
///
/// ```
/// use dezky_core::access::{MachineKey, Principal};
/// let principal = Principal::Key(MachineKey::Server);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Somebody with a verified token.
    Person(Person),
    /// A machine with a key.
    Key(MachineKey),
}
