//! What is kept and how it is asked for: a narrow trait of domain operations, and the plain values that cross it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use async_trait::async_trait;
use dezky_core::flags::Axis;
use dezky_core::model::{Change, Flag, Partner, Subscription, Tenant, User, verify_chain};
use dezky_core::names::{Digest, Email, FlagKey, Id};
use dezky_core::world::{WorldPartner, WorldTenant};
use dezky_core::{Error, Timestamp};

use prometheus::Histogram;

use crate::histogram;
use crate::keys::Key;

mod flag_past;
mod query;
mod record;
pub mod sqlite;
mod verify;

pub use flag_past::{FlagDifference, FlagListing, FlagShape, FlagStep};
pub use query::{
    ChangeQuery, Direction, FlagQuery, PartnerQuery, Position, Sort, SortKey, SubscriptionQuery,
    TenantFilter, TenantQuery, UserQuery,
};
pub use record::{ActorRights, Entry, KeyUse, Receipt, Record, Require, Write, identity_of};
pub use verify::{Breach, Head, Verification, VerifyError};

/// The durable state. Reads see every write that was acknowledged before they began.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Everything of one write, or nothing: the records, their changes in the log, and the receipt. Returns the changes once they are durable
    /// and the observer has seen them.
    async fn write(&self, write: Write) -> Result<Vec<Change>, WriteError>;

    /// The answer that was given under an idempotency key.
    async fn receipt(&self, holder: &str, key: &str) -> Result<Option<Receipt>, StoreError>;

    /// What the server holds in memory, at one revision. Read once, at start.
    async fn population(&self) -> Result<Population, StoreError>;

    /// One tenant, whatever its status.
    async fn tenant(&self, id: &Id) -> Result<Option<Tenant>, StoreError>;
    /// A page of tenants.
    async fn tenants(&self, query: TenantQuery) -> Result<Vec<Tenant>, StoreError>;
    /// How many tenants of each status a filter lets through, its own status left aside.
    async fn tenant_totals(&self, filter: TenantFilter) -> Result<BTreeMap<&'static str, u64>, StoreError>;
    /// The tenants, terminated ones left out, whose group at the identity provider is among these; by id.
    async fn tenants_of_groups(&self, groups: Vec<String>) -> Result<Vec<Id>, StoreError>;

    /// One partner, whatever its status.
    async fn partner(&self, id: &Id) -> Result<Option<Partner>, StoreError>;
    /// A page of partners.
    async fn partners(&self, query: PartnerQuery) -> Result<Vec<Partner>, StoreError>;
    /// How many tenants, terminated ones left out, each of these partners has; and what their subscriptions bring.
    async fn customers(&self, partners: Vec<Id>) -> Result<BTreeMap<Id, Customers>, StoreError>;

    /// One user.
    async fn user(&self, id: &Id) -> Result<Option<User>, StoreError>;
    /// The user for whom this e-mail address is reserved: it is verified, or nobody has claimed their record yet.
    async fn user_with_email(&self, email: &Email) -> Result<Option<User>, StoreError>;
    /// A page of users.
    async fn users(&self, query: UserQuery) -> Result<Vec<User>, StoreError>;

    /// One subscription.
    async fn subscription(&self, id: &Id) -> Result<Option<Subscription>, StoreError>;
    /// The tenant of a subscription, if it is one of these (any tenant, where `None`). Others' subscriptions take
    /// as long as those that are not there.
    async fn subscription_tenant(&self, id: &Id, visible: Option<Vec<Id>>) -> Result<Option<Id>, StoreError>;
    /// A page of subscriptions.
    async fn subscriptions(&self, query: SubscriptionQuery) -> Result<Vec<Subscription>, StoreError>;
    /// What every subscription that counts brings: in all, by plan, by partner id (of the tenants that have one).
    async fn revenue(&self) -> Result<Revenue, StoreError>;

    /// One flag, without its history, which the log has.
    async fn flag(&self, key: &FlagKey) -> Result<Option<Flag>, StoreError>;
    /// A page of flags, without histories.
    async fn flags(&self, query: FlagQuery) -> Result<Vec<Flag>, StoreError>;

    /// A page of the changes of flags above one revision and below another, newest first, in compact form.
    async fn flag_steps(&self, above: u64, below: u64, limit: usize) -> Result<Vec<FlagStep>, StoreError>;
    /// When these values were put on flags' lists or taken off, up to a revision; oldest first for each value.
    async fn flag_listings(
        &self,
        values: Vec<(Axis, String)>,
        up_to: u64,
    ) -> Result<Vec<FlagListing>, StoreError>;

    /// A page of the log, newest first.
    async fn changes(&self, query: ChangeQuery) -> Result<Vec<Change>, StoreError>;
    /// The newest change's revision and hash; 0 and zeros for an empty log.
    async fn head(&self) -> Result<(u64, Digest), StoreError>;

    /// Takes a verification one step further: the hashes and links of the log, and everything stored against the log.
    async fn verify(&self, so_far: Verification) -> Result<Verification, VerifyError>;
    /// The changes after a revision up to another, oldest first, as many as one chunk holds.
    async fn export(&self, after: u64, until: u64) -> Result<Exported, StoreError>;

    /// Names this history: made with the store, and kept by its copies. Revisions are comparable within one history.
    async fn history(&self) -> Result<String, StoreError>;

    /// 32 random bytes, made with the store, which sign what clients must not forge.
    async fn secret(&self) -> Result<[u8; 32], StoreError>;

    /// How long reads and writes took so far.
    fn times(&self) -> &Times;
}

/// A chunk of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The documents of the changes, a line each.
    pub lines: Vec<u8>,
    /// The revision of the last of them.
    pub last: u64,
}

/// How long the store took, as those who waited saw it.
pub struct Times {
    /// For answering questions.
    pub reads: Histogram,
    /// For writing durably.
    pub writes: Histogram,
}

impl Times {
    /// Nothing was read or written yet.
    pub fn new() -> prometheus::Result<Times> {
        let reads = histogram::seconds("dezky_store_read_seconds", "How long the store's reads took.")?;
        let writes = histogram::seconds("dezky_store_write_seconds", "How long durable writes took.")?;
        Ok(Times { reads, writes })
    }
}

/// Sums per currency, in minor units, rounded once.
pub type Money = BTreeMap<String, i64>;

/// What a partner brings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Customers {
    /// How many tenants, terminated ones left out.
    pub count: u64,
    /// The monthly recurring revenue of their subscriptions.
    pub mrr: Money,
}

/// Monthly recurring revenue, three ways.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revenue {
    /// Of all subscriptions.
    pub total: Money,
    /// By the plan that the subscription is for.
    pub by_plan: BTreeMap<String, Money>,
    /// By the id of the partner who brought the tenant.
    pub by_partner: BTreeMap<String, Money>,
}

/// What is held in memory, as the store has it.
#[derive(Debug, Clone, Default)]
pub struct Population {
    /// The newest revision.
    pub revision: u64,
    /// Every tenant.
    pub tenants: Vec<WorldTenant>,
    /// Every partner.
    pub partners: Vec<WorldPartner>,
    /// Every user.
    pub users: Vec<User>,
    /// Every machine key.
    pub keys: Vec<KeptKey>,
    /// Every flag, without history.
    pub flags: Vec<Flag>,
    /// The newest revision that changed a flag.
    pub flags_revision: u64,
    /// The flags whose last change was the use of the kill switch.
    pub killed: BTreeSet<FlagKey>,
}

/// A machine key and its last use, as far as that was noted.
#[derive(Debug, Clone)]
pub struct KeptKey {
    /// The key.
    pub key: Key,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// The address from which it was last used.
    pub last_used_from: Option<IpAddr>,
}

/// Told of every write once it is durable, in revision order, before it is acknowledged. It must be quick: the next commit waits for it.
pub trait Observer: Send + 'static {
    /// These entries are durable.
    fn committed(&mut self, entries: &[(u64, Entry)]);
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A record is no longer what the writer had read.
    #[error("a record has changed since it was read")]
    Stale,
    /// Another record has this name; the path of the member that holds it.
    #[error("the value of {0} is taken")]
    Taken(&'static str),
    /// A condition of the write does not hold.
    #[error("a condition does not hold: {0:?}")]
    Unmet(Require),
    /// The idempotency key has been used; what was answered then.
    #[error("the idempotency key has been used")]
    Received(Box<Receipt>),
    /// The store could not.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// Why the store could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It is there and cannot be reached or written: a full disk, an I/O error. Trying again later may help.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What it holds cannot be understood.
    #[error("the store holds something that cannot be read: {0}")]
    Broken(String),
    /// Other accounts of the machine can use the data.
    #[error("{0}")]
    Exposed(String),
    /// A sum is beyond what can be held exactly.
    #[error("a sum is beyond what can be held exactly")]
    Overflow,
}

/// The hash of the last of these changes, oldest first, where every hash and link holds; else the first revision where one does not, and why.
pub fn verify_run(run: &[Change]) -> Result<Digest, (u64, Error)> {
    verify_chain(run).map_err(|error| {
        // The path begins with the change's place among them.
        let index: usize = error.path.split('/').nth(1).and_then(|index| index.parse().ok()).unwrap_or(0);
        (run.get(index).map_or(0, |change| change.revision), error)
    })
}
