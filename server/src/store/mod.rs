//! The storage interface: a trait of domain operations, and the plain values that cross it.

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
use crate::keys::KeyRecord;

mod flag_past;
mod query;
mod record;
pub mod sqlite;
mod verify;

pub(crate) use flag_past::FlagDifference;
pub use flag_past::{FlagListing, FlagShape, FlagStep};
pub use query::{
    ChangeQuery, Direction, FlagQuery, PageStart, PartnerQuery, Sort, SortKey, SubscriptionQuery,
    TenantFilter, TenantQuery, UserQuery,
};
pub(crate) use record::identity_key;
pub use record::{ActorRights, KeyUse, Receipt, Record, RecordChange, Require, Write};
pub use verify::{Breach, LogHead, Verification, VerifyError};

/// The durable state. A read sees every write that was acknowledged before the read began.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Commits the records, their changes in the log, and the receipt of one write, or nothing.
    /// Returns the changes once they are durable and the observer has processed them.
    async fn write(&self, write: Write) -> Result<Vec<Change>, WriteError>;

    /// Returns the stored response for an idempotency key.
    async fn receipt(&self, holder: &str, key: &str) -> Result<Option<Receipt>, StoreError>;

    /// Reads the records that the server holds in memory, at one revision. Called once, at start.
    async fn initial_state(&self) -> Result<InitialState, StoreError>;

    /// Returns a tenant of any status.
    async fn tenant(&self, id: &Id) -> Result<Option<Tenant>, StoreError>;
    /// Returns a page of tenants.
    async fn tenants(&self, query: TenantQuery) -> Result<Vec<Tenant>, StoreError>;
    /// Counts the tenants of each status that match a filter; ignores the filter's own status.
    async fn tenant_totals(&self, filter: TenantFilter) -> Result<BTreeMap<&'static str, u64>, StoreError>;
    /// Returns the ids of tenants whose group at the identity provider is listed, in order. Skips
    /// terminated tenants.
    async fn tenants_of_groups(&self, groups: Vec<String>) -> Result<Vec<Id>, StoreError>;

    /// Returns a partner of any status.
    async fn partner(&self, id: &Id) -> Result<Option<Partner>, StoreError>;
    /// Returns a page of partners.
    async fn partners(&self, query: PartnerQuery) -> Result<Vec<Partner>, StoreError>;
    /// Counts the tenants of these partners without terminated ones, and sums their revenue.
    async fn customers(&self, partners: Vec<Id>) -> Result<BTreeMap<Id, Customers>, StoreError>;

    /// Returns a user by id.
    async fn user(&self, id: &Id) -> Result<Option<User>, StoreError>;
    /// Returns the user who reserves this e-mail address: it is verified, or nobody has signed in
    /// with the record yet.
    async fn user_with_email(&self, email: &Email) -> Result<Option<User>, StoreError>;
    /// Returns a page of users.
    async fn users(&self, query: UserQuery) -> Result<Vec<User>, StoreError>;

    /// Returns a subscription by id.
    async fn subscription(&self, id: &Id) -> Result<Option<Subscription>, StoreError>;
    /// Returns the tenant of a subscription, if `visible` contains the tenant or is `None`. Takes
    /// the same time for missing subscriptions and for those of other tenants.
    async fn subscription_tenant(&self, id: &Id, visible: Option<Vec<Id>>) -> Result<Option<Id>, StoreError>;
    /// Returns a page of subscriptions.
    async fn subscriptions(&self, query: SubscriptionQuery) -> Result<Vec<Subscription>, StoreError>;
    /// Sums the monthly recurring revenue in total, by plan, and by the tenants' partner.
    async fn revenue(&self) -> Result<Revenue, StoreError>;

    /// Returns a flag without its history, which is in the log.
    async fn flag(&self, key: &FlagKey) -> Result<Option<Flag>, StoreError>;
    /// Returns a page of flags without their histories.
    async fn flags(&self, query: FlagQuery) -> Result<Vec<Flag>, StoreError>;

    /// Returns the changes of flags between two revisions (both exclusive) in compact form, newest
    /// first.
    async fn flag_steps(&self, above: u64, below: u64, limit: usize) -> Result<Vec<FlagStep>, StoreError>;
    /// Returns the additions and removals of these values on flags' lists up to a revision, oldest
    /// first for each value.
    async fn flag_listings(
        &self,
        values: Vec<(Axis, String)>,
        up_to: u64,
    ) -> Result<Vec<FlagListing>, StoreError>;

    /// Returns a page of the log, newest first.
    async fn changes(&self, query: ChangeQuery) -> Result<Vec<Change>, StoreError>;
    /// Returns the revision and hash of the newest change; 0 and zeros for an empty log.
    async fn head(&self) -> Result<(u64, Digest), StoreError>;

    /// Verifies the next part of the log, and compares the stored records with it.
    async fn verify(&self, so_far: Verification) -> Result<Verification, VerifyError>;
    /// Exports the changes in `after + 1 ..= until`, oldest first, up to the size of one chunk.
    async fn export(&self, after: u64, until: u64) -> Result<ExportChunk, StoreError>;

    /// Returns the identifier of this history. Copies of the database keep it, and revisions are
    /// comparable within one history.
    async fn history(&self) -> Result<String, StoreError>;

    /// Returns the 32 random bytes that sign values which clients must not forge.
    async fn secret(&self) -> Result<[u8; 32], StoreError>;

    /// The durations of reads and writes so far.
    fn times(&self) -> &StoreTimes;
}

/// One chunk of an export of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportChunk {
    /// The documents of the changes, one per line.
    pub lines: Vec<u8>,
    /// The revision of the last exported change.
    pub last: u64,
}

/// The durations of the store's operations, including the wait for a connection.
pub struct StoreTimes {
    /// The durations of reads.
    pub reads: Histogram,
    /// The durations of durable writes.
    pub writes: Histogram,
}

impl StoreTimes {
    /// Creates the histograms without observations.
    pub(crate) fn new() -> prometheus::Result<StoreTimes> {
        let reads = histogram::seconds(
            "dezky_store_read_seconds",
            "The durations of the store's reads, in seconds.",
        )?;
        let writes =
            histogram::seconds("dezky_store_write_seconds", "The durations of durable writes, in seconds.")?;
        Ok(StoreTimes { reads, writes })
    }
}

/// Sums per currency, in minor units, rounded once.
pub type Money = BTreeMap<String, i64>;

/// The tenants and the revenue of one partner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Customers {
    /// The number of tenants that are not terminated.
    pub count: u64,
    /// The monthly recurring revenue of the tenants.
    pub mrr: Money,
}

/// The monthly recurring revenue, grouped in three ways.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revenue {
    /// The sum over all subscriptions.
    pub total: Money,
    /// The sums by subscription plan.
    pub by_plan: BTreeMap<String, Money>,
    /// The sums by the id of the tenant's partner.
    pub by_partner: BTreeMap<String, Money>,
}

/// The records from which the server builds its state in memory.
#[derive(Debug, Clone, Default)]
pub struct InitialState {
    /// The newest revision of the log.
    pub revision: u64,
    /// All tenants, in the form of the world.
    pub tenants: Vec<WorldTenant>,
    /// All partners, in the form of the world.
    pub partners: Vec<WorldPartner>,
    /// All users with their documents.
    pub users: Vec<User>,
    /// All machine keys with their last use.
    pub keys: Vec<StoredKey>,
    /// All flags, without their histories.
    pub flags: Vec<Flag>,
    /// The newest revision that changed a flag.
    pub flags_revision: u64,
    /// The flags whose last change was made by the kill switch.
    pub killed: BTreeSet<FlagKey>,
}

/// A stored machine key, with the last recorded use.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// The record of the key.
    pub key: KeyRecord,
    /// The time of the last recorded use.
    pub last_used_at: Option<Timestamp>,
    /// The client's address at that use.
    pub last_used_from: Option<IpAddr>,
}

/// Receives every durable write in order of revision, before its acknowledgement. The next commit
/// waits for the observer, so it must be fast.
pub trait Observer: Send + 'static {
    /// Processes changes that have become durable.
    fn committed(&mut self, changes: &[(u64, RecordChange)]);
}

/// The reason why a write was rejected or failed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A record has changed since the writer read it.
    #[error("a record has changed since it was read")]
    Stale,
    /// Another record has the same unique value; contains the path of the member.
    #[error("the value of {0} is taken")]
    Taken(&'static str),
    /// A condition of the write does not hold.
    #[error("a condition does not hold: {0:?}")]
    Unmet(Require),
    /// The idempotency key was used before; contains the stored response.
    #[error("the idempotency key was used before")]
    Received(Box<Receipt>),
    /// The store itself failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// The reason why the store failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be read or written, for example because the disk is full. A retry may
    /// succeed.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The stored data is not valid.
    #[error("the store contains invalid data: {0}")]
    Broken(String),
    /// Other accounts of the machine can access the data.
    #[error("{0}")]
    Exposed(String),
    /// A sum exceeds the range of exact integers.
    #[error("a sum exceeds the range of exact integers")]
    Overflow,
}

/// Verifies the hashes and links of consecutive changes, oldest first. Returns the last hash, or
/// the first revision that fails and the error.
pub(crate) fn verify_run(run: &[Change]) -> Result<Digest, (u64, Error)> {
    verify_chain(run).map_err(|error| {
        // The path begins with the index of the change.
        let index: usize = error.path.split('/').nth(1).and_then(|index| index.parse().ok()).unwrap_or(0);
        (run.get(index).map_or(0, |change| change.revision), error)
    })
}
