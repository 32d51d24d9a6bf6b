//! The parts of a write: records, changes, conditions, and receipts.

use std::collections::BTreeSet;
use std::net::IpAddr;

use dezky_core::Timestamp;
use dezky_core::access::UserRecord;
use dezky_core::model::{Actor, Flag, Partner, Role, Subscription, Tenant, User};
use dezky_core::names::Id;

use crate::keys::KeyRecord;

/// One atomic write: its changes, its conditions, and the response to store.
#[derive(Debug, Clone)]
pub struct Write {
    /// The time of the write.
    pub at: Timestamp,
    /// The author of the write, for the log.
    pub actor: Actor,
    /// The changes of records, in order. Each becomes one change of the log.
    pub entries: Vec<RecordChange>,
    /// The conditions. If one fails, nothing is written.
    pub requires: Vec<Require>,
    /// The response to store under the caller's idempotency key.
    pub receipt: Option<Receipt>,
    /// The last uses of machine keys. They are not logged, because no decision depends on them.
    pub key_uses: Vec<KeyUse>,
}

/// The last use of a machine key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The id of the key.
    pub key: Id,
    /// The time of the use.
    pub at: Timestamp,
    /// The client's address, if it was recorded.
    pub from: Option<IpAddr>,
}

/// The change of one record.
#[derive(Debug, Clone)]
pub struct RecordChange {
    /// The action in the log, such as `tenant.create`.
    pub action: &'static str,
    /// The record that the writer read; `None` for a new record.
    pub before: Option<Record>,
    /// The record after the change; `None` for a removed record.
    pub after: Option<Record>,
}

/// A record of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A tenant of the platform.
    Tenant(Box<Tenant>),
    /// A partner of the platform.
    Partner(Box<Partner>),
    /// A user of the platform.
    User(Box<User>),
    /// A subscription of a tenant.
    Subscription(Box<Subscription>),
    /// A flag, without history.
    Flag(Box<Flag>),
    /// A machine key, without secret.
    Key(Box<KeyRecord>),
}

/// A condition of a write, checked inside the transaction: the actor's rights before the changes,
/// and everything else after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Require {
    /// The caller still has the rights with which the write was authorized. Checked first, even
    /// before an earlier receipt is returned.
    Actor(Id, ActorRights),
    /// The partner exists and is active.
    ActivePartner(Id),
    /// The tenants exist and are not terminated.
    LiveTenants(Vec<Id>),
    /// At least one active platform admin remains. The store adds this condition to every write
    /// that removes an active platform admin.
    AnActiveAdmin,
    /// The number of flags and the bytes of their rules in a snapshot are within limits.
    FlagsWithin {
        /// The most flags in a snapshot.
        flags: usize,
        /// The most bytes of rules in a snapshot.
        bytes: usize,
    },
    /// No other write has changed a tenant, partner or flag after this revision.
    UnchangedWorld(u64),
}

/// The rights with which a write was authorized. A sign-in or a new name does not change them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActorRights {
    /// The rights in a user's record.
    Person {
        /// True if the user is active.
        active: bool,
        /// True if the user is a platform admin.
        platform_admin: bool,
        /// The role of the user in their tenants.
        role: Role,
        /// The tenants of which the user is a member.
        tenant_ids: Vec<Id>,
    },
    /// A machine key that exists and has not expired at the time of the write.
    Key,
}

impl From<UserRecord> for ActorRights {
    fn from(record: UserRecord) -> ActorRights {
        let UserRecord { id: _, active, platform_admin, role, tenant_ids } = record;
        ActorRights::Person { active, platform_admin, role, tenant_ids }
    }
}

/// The response to a write with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the caller who sent the key.
    pub holder: String,
    /// The idempotency key of the request.
    pub key: String,
    /// The SHA-256 of method, path and body, in hexadecimal.
    pub fingerprint: String,
    /// The time of the response.
    pub at: Timestamp,
    /// The HTTP status of the response.
    pub status: u16,
    /// The entity tag of the response.
    pub etag: Option<String>,
    /// The `Location` of a created record.
    pub location: Option<String>,
    /// The body of the response.
    pub body: String,
}

impl RecordChange {
    /// Returns whether the change removes an active platform admin.
    pub(crate) fn removes_admin(&self) -> bool {
        let is_admin = |record: Option<&Record>| match record {
            Some(Record::User(user)) => user.active && user.platform_admin,
            _ => false,
        };
        is_admin(self.before.as_ref()) && !is_admin(self.after.as_ref())
    }

    /// The tenants whose audit lists the change: the record's tenant, and each tenant that a user
    /// joins or leaves.
    pub(crate) fn tenants(&self) -> Vec<&Id> {
        let record = self.after.as_ref().or(self.before.as_ref());
        let (before, after) = (memberships(self.before.as_ref()), memberships(self.after.as_ref()));
        let own = record.and_then(Record::tenant_id);
        own.into_iter().chain(before.symmetric_difference(&after).copied()).collect()
    }

    /// Returns whether the change can turn a flag on or off for a tenant.
    pub(crate) fn touches_effects(&self) -> bool {
        let touches =
            |record: &Record| matches!(record, Record::Tenant(_) | Record::Partner(_) | Record::Flag(_));
        self.before.as_ref().or(self.after.as_ref()).is_some_and(touches)
    }
}

fn memberships(record: Option<&Record>) -> BTreeSet<&Id> {
    match record {
        Some(Record::User(user)) => user.tenant_ids.iter().collect(),
        _ => BTreeSet::new(),
    }
}

impl Record {
    /// The kind of the record in the log.
    pub fn kind(&self) -> &'static str {
        match self {
            Record::Tenant(_) => "tenant",
            Record::Partner(_) => "partner",
            Record::User(_) => "user",
            Record::Subscription(_) => "subscription",
            Record::Flag(_) => "flag",
            Record::Key(_) => "key",
        }
    }

    /// The id of the record in the log; for a flag, its key.
    pub fn id(&self) -> &str {
        match self {
            Record::Tenant(tenant) => tenant.id().as_str(),
            Record::Partner(partner) => partner.id().as_str(),
            Record::User(user) => user.id.as_str(),
            Record::Subscription(subscription) => subscription.id.as_str(),
            Record::Flag(flag) => flag.key().as_str(),
            Record::Key(key) => key.id.as_str(),
        }
    }

    /// The tenant that owns the record.
    pub fn tenant_id(&self) -> Option<&Id> {
        match self {
            Record::Tenant(tenant) => Some(tenant.id()),
            Record::Subscription(subscription) => Some(&subscription.tenant_id),
            Record::Key(key) => key.tenant_id.as_ref(),
            Record::Partner(_) | Record::User(_) | Record::Flag(_) => None,
        }
    }

    /// The version of the record, which each change increments.
    pub fn version(&self) -> u64 {
        match self {
            Record::Tenant(tenant) => tenant.revisioned.version,
            Record::Partner(partner) => partner.revisioned.version,
            Record::User(user) => user.revisioned.version,
            Record::Subscription(subscription) => subscription.revisioned.version,
            Record::Flag(flag) => flag.revisioned().version,
            Record::Key(key) => key.revisioned.version,
        }
    }
}

/// The key by which a user is recognized: the issuer's origin and the subject. Applications of one
/// identity provider have different issuers on one origin, and share their subjects.
pub(crate) fn identity_key(issuer: &str, subject: &str) -> String {
    let (scheme, rest) = issuer.split_once("://").unwrap_or(("", issuer));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{}://{}\n{subject}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase())
}
