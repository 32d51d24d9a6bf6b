//! Queries of lists. A page starts after an item, not at an offset, so every page costs the same.

use dezky_core::Timestamp;
use dezky_core::model::TenantStatus;
use dezky_core::names::Id;

/// The conditions on tenants in a list.
#[derive(Debug, Clone, Default)]
pub struct TenantFilter {
    /// A part of the slug or name, in lower case.
    pub text: Option<String>,
    /// The status of the tenants.
    pub status: Option<TenantStatus>,
    /// The subscription plan of the tenants.
    pub plan: Option<String>,
    /// The id of the tenants' partner.
    pub partner: Option<Id>,
    /// The ids that a member may see; terminated tenants are skipped. `None` for callers who see
    /// all tenants.
    pub visible: Option<Vec<Id>>,
}

/// The query of a page of tenants.
#[derive(Debug, Clone)]
pub struct TenantQuery {
    /// The conditions on the tenants.
    pub filter: TenantFilter,
    /// The order of the list.
    pub sort: Sort,
    /// The item before the page.
    pub after: Option<PageStart>,
    /// The most items on the page.
    pub limit: usize,
}

/// The order of a list. Ties are ordered by id, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The value that the list is sorted by.
    pub key: SortKey,
    /// The direction of the order.
    pub direction: Direction,
}

/// The value that a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The slug, compared by bytes.
    Slug,
    /// The name in lower case, compared by bytes.
    Name,
    /// The time of creation.
    CreatedAt,
}

/// The direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest to the largest.
    Ascending,
    /// From the largest to the smallest.
    Descending,
}

/// The last item before a page: its sort key as a string (a time in decimal microseconds), and its
/// id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageStart {
    /// The sort key of the item.
    pub key: String,
    /// The id of the item.
    pub id: String,
}

/// The query of a page of partners, by slug.
#[derive(Debug, Clone)]
pub struct PartnerQuery {
    /// The item before the page; its key is the slug.
    pub after: Option<PageStart>,
    /// The most items on the page.
    pub limit: usize,
}

/// The query of a page of flags, by key.
#[derive(Debug, Clone)]
pub struct FlagQuery {
    /// The item before the page; its key is the flag's key.
    pub after: Option<PageStart>,
    /// The most items on the page.
    pub limit: usize,
}

/// The query of a page of users: newest sign-in first, ties by descending id. Users who never
/// signed in come last, with the key `0`.
#[derive(Debug, Clone)]
pub struct UserQuery {
    /// The tenant whose members are listed.
    pub tenant: Option<Id>,
    /// The item before the page; its key is the last sign-in in microseconds.
    pub after: Option<PageStart>,
    /// The most items on the page.
    pub limit: usize,
}

/// The query of a page of subscriptions, newest first by creation.
#[derive(Debug, Clone)]
pub struct SubscriptionQuery {
    /// The tenant whose subscriptions are listed.
    pub tenant: Option<Id>,
    /// The tenants that a member may see; terminated tenants are skipped. `None` for callers who
    /// see all tenants.
    pub visible: Option<Vec<Id>>,
    /// The item before the page; its key is the creation in microseconds.
    pub after: Option<PageStart>,
    /// The most items on the page.
    pub limit: usize,
}

/// The query of a page of the log, newest first.
#[derive(Debug, Clone, Default)]
pub struct ChangeQuery {
    /// The kind of the changed record.
    pub kind: Option<String>,
    /// The id of the changed record; a flag's key.
    pub id: Option<String>,
    /// The tenant whose audit is listed: changes of the tenant, its subscriptions and keys, and of
    /// users who join or leave it.
    pub tenant: Option<Id>,
    /// The id of the user who made the change.
    pub actor: Option<Id>,
    /// The action of the change.
    pub action: Option<String>,
    /// The earliest time, inclusive.
    pub from: Option<Timestamp>,
    /// The latest time, exclusive.
    pub until: Option<Timestamp>,
    /// The upper bound of revisions, exclusive.
    pub below: Option<u64>,
    /// The most items on the page.
    pub limit: usize,
}
