//! What a write consists of.

use std::collections::BTreeSet;
use std::net::IpAddr;

use dezky_core::Timestamp;
use dezky_core::access::UserRecord;
use dezky_core::model::{Actor, Flag, Partner, Role, Subscription, Tenant, User};
use dezky_core::names::Id;

use crate::keys::Key;

/// One write: what it changes, what must hold for it, and what was answered to it.
#[derive(Debug, Clone)]
pub struct Write {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// The records that change, one change of the log each, in this order.
    pub entries: Vec<Entry>,
    /// What must hold once the entries are applied; else nothing is written.
    pub requires: Vec<Require>,
    /// The answer to keep under the caller's idempotency key.
    pub receipt: Option<Receipt>,
    /// When and from where machine keys were last used. No change of the log: nothing depends on it.
    pub key_uses: Vec<KeyUse>,
}

/// A machine key's last use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The key's id.
    pub key: Id,
    /// When.
    pub at: Timestamp,
    /// The client's address, as far as that was noted.
    pub from: Option<IpAddr>,
}

/// One record's change.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What is done, as the log names it: `tenant.create`.
    pub action: &'static str,
    /// The record as the writer read it; nothing, where it is made.
    pub before: Option<Record>,
    /// The record as it will be; nothing, where it is removed.
    pub after: Option<Record>,
}

/// Any record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A tenant's.
    Tenant(Box<Tenant>),
    /// A partner's.
    Partner(Box<Partner>),
    /// A user's.
    User(Box<User>),
    /// A subscription's.
    Subscription(Box<Subscription>),
    /// A flag's.
    Flag(Box<Flag>),
    /// A machine key's.
    Key(Box<Key>),
}

/// A condition that spans records. It is judged inside the transaction: the actor's rights before the entries, everything else after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Require {
    /// The caller still has the rights with which the write was decided. Judged before everything else, an earlier receipt included.
    Actor(Id, ActorRights),
    /// This partner exists and is active.
    ActivePartner(Id),
    /// These tenants exist and are not terminated.
    LiveTenants(Vec<Id>),
    /// At least one user is active and a platform admin. The store asks this of every write by which an active platform admin ceases to be one.
    AnActiveAdmin,
    /// There are at most so many flags, and their rules take at most so many bytes in a snapshot.
    FlagsWithin {
        /// How many flags there may be.
        flags: usize,
        /// How many bytes their rules may take.
        bytes: usize,
    },
    /// No tenant, partner or flag has changed after this revision, by anybody else.
    UnchangedWorld(u64),
}

/// The rights with which a write was decided. A sign-in or a change of name leaves them as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActorRights {
    /// A person's, as their record has them.
    Person {
        /// Whether they may do anything at all.
        active: bool,
        /// Whether they run the platform.
        platform_admin: bool,
        /// What they are in their tenants.
        role: Role,
        /// The tenants of which they are a member.
        tenant_ids: Vec<Id>,
    },
    /// A machine key's: it exists, and has not expired when the write is made.
    Key,
}

impl From<UserRecord> for ActorRights {
    fn from(record: UserRecord) -> ActorRights {
        let UserRecord { id: _, active, platform_admin, role, tenant_ids } = record;
        ActorRights::Person { active, platform_admin, role, tenant_ids }
    }
}

/// What was answered under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Whose key it is: the user's id.
    pub holder: String,
    /// The key.
    pub key: String,
    /// SHA-256 of method, path and body, in hex.
    pub fingerprint: String,
    /// When.
    pub at: Timestamp,
    /// The status.
    pub status: u16,
    /// The entity tag, where there was one.
    pub etag: Option<String>,
    /// Where the new entity is, where one was made.
    pub location: Option<String>,
    /// The body.
    pub body: String,
}

impl Entry {
    /// Whether an active platform admin ceases to be one.
    pub fn removes_admin(&self) -> bool {
        let is_admin = |record: Option<&Record>| match record {
            Some(Record::User(user)) => user.active && user.platform_admin,
            _ => false,
        };
        is_admin(self.before.as_ref()) && !is_admin(self.after.as_ref())
    }

    /// The tenants whose audit shows the change: that of the record, and each that a user has joined or left by it.
    pub fn tenants(&self) -> Vec<&Id> {
        let record = self.after.as_ref().or(self.before.as_ref());
        let (before, after) = (memberships(self.before.as_ref()), memberships(self.after.as_ref()));
        let own = record.and_then(Record::tenant_id);
        own.into_iter().chain(before.symmetric_difference(&after).copied()).collect()
    }

    /// Whether it can change for whom a flag is on.
    pub fn touches_effects(&self) -> bool {
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
    /// The kind, as the log names it.
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

    /// The id under which the log names it: a flag's is its key.
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

    /// The tenant that it belongs to.
    pub fn tenant_id(&self) -> Option<&Id> {
        match self {
            Record::Tenant(tenant) => Some(tenant.id()),
            Record::Subscription(subscription) => Some(&subscription.tenant_id),
            Record::Key(key) => key.tenant_id.as_ref(),
            Record::Partner(_) | Record::User(_) | Record::Flag(_) => None,
        }
    }

    /// How often it has changed.
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

/// By what a person is recognised: the issuer's origin, and what the issuer calls them. Applications of one identity provider have issuers of
/// their own and share its subjects.
pub fn identity_of(issuer: &str, subject: &str) -> String {
    let (scheme, rest) = issuer.split_once("://").unwrap_or(("", issuer));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{}://{}\n{subject}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase())
}
