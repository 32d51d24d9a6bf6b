//! What is asked of lists. A page starts after a position, never at an offset, so that it costs the same wherever it is.

use dezky_core::Timestamp;
use dezky_core::model::TenantStatus;
use dezky_core::names::Id;

/// Which tenants.
#[derive(Debug, Clone, Default)]
pub struct TenantFilter {
    /// Part of the slug or the name, lower case.
    pub text: Option<String>,
    /// Of this status.
    pub status: Option<TenantStatus>,
    /// On this plan.
    pub plan: Option<String>,
    /// Brought by this partner (its id).
    pub partner: Option<Id>,
    /// Only these, and of these only the ones that are not terminated: what a member may see. Everything, where absent.
    pub visible: Option<Vec<Id>>,
}

/// A page of tenants.
#[derive(Debug, Clone)]
pub struct TenantQuery {
    /// Which.
    pub filter: TenantFilter,
    /// In which order.
    pub sort: Sort,
    /// After this position.
    pub after: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

/// The order of tenants and partners; ties fall by id, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// Which way.
    pub direction: Direction,
}

/// By what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// By slug, byte by byte.
    Slug,
    /// By name, lower case, byte by byte.
    Name,
    /// By time of creation.
    CreatedAt,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// A place in a list: the sort key of the last item seen, as text (microseconds in decimal for a time), and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The sort key.
    pub key: String,
    /// The id.
    pub id: String,
}

/// A page of partners, by slug.
#[derive(Debug, Clone)]
pub struct PartnerQuery {
    /// After this position (key: slug).
    pub after: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

/// A page of flags, by key.
#[derive(Debug, Clone)]
pub struct FlagQuery {
    /// After this position (key: the flag's).
    pub after: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

/// A page of users: newest sign-in first (those who never signed in last, key `0`), ties by id, largest first.
#[derive(Debug, Clone)]
pub struct UserQuery {
    /// Only members of this tenant.
    pub tenant: Option<Id>,
    /// After this position (key: microseconds of the last sign-in).
    pub after: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

/// A page of subscriptions, newest first by creation.
#[derive(Debug, Clone)]
pub struct SubscriptionQuery {
    /// Only of this tenant.
    pub tenant: Option<Id>,
    /// Only of these tenants that are not terminated: what a member may see. Everything, where absent.
    pub visible: Option<Vec<Id>>,
    /// After this position (key: microseconds of creation).
    pub after: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

/// A page of the log, newest first.
#[derive(Debug, Clone, Default)]
pub struct ChangeQuery {
    /// Of this kind of entity.
    pub kind: Option<String>,
    /// Of this entity (its id, or a flag's key).
    pub id: Option<String>,
    /// Of this tenant: itself, its subscriptions and keys, and whoever joins or leaves it.
    pub tenant: Option<Id>,
    /// By this user (its id).
    pub actor: Option<Id>,
    /// Of this action.
    pub action: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Below this revision.
    pub below: Option<u64>,
    /// At most so many.
    pub limit: usize,
}
