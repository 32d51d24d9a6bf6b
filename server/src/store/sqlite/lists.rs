//! Reads pages of partners, flags, users and subscriptions, and single records.

use dezky_core::Error;
use dezky_core::model::{Flag, Partner, Subscription, User};
use dezky_core::names::Id;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::{broken, documents, failure, ids_text};
use crate::store::{FlagQuery, PageStart, PartnerQuery, StoreError, SubscriptionQuery, UserQuery};

/// Reads one record by id or unique value.
pub(super) fn one<T>(
    connection: &Connection,
    sql: &'static str,
    name: &str,
    read: fn(&[u8]) -> Result<T, Error>,
) -> Result<Option<T>, StoreError> {
    Ok(documents(connection, sql, [name], read)?.pop())
}

/// Reads a page of partners, by slug.
pub(super) fn partners(connection: &Connection, query: &PartnerQuery) -> Result<Vec<Partner>, StoreError> {
    let sql = "SELECT doc FROM partners WHERE slug > ?1 ORDER BY slug LIMIT ?2";
    let after = query.after.as_ref().map_or("", |after| after.key.as_str());
    documents(connection, sql, params![after, limit(query.limit)], Partner::from_json)
}

/// Reads a page of flags, by key.
pub(super) fn flags(connection: &Connection, query: &FlagQuery) -> Result<Vec<Flag>, StoreError> {
    let sql = "SELECT doc FROM flags WHERE id > ?1 ORDER BY id LIMIT ?2";
    let after = query.after.as_ref().map_or("", |after| after.key.as_str());
    documents(connection, sql, params![after, limit(query.limit)], Flag::from_json)
}

/// Reads a page of users, newest sign-in first.
pub(super) fn users(connection: &Connection, query: &UserQuery) -> Result<Vec<User>, StoreError> {
    let (at, id) = newest_first(query.after.as_ref());
    let values = params![at, id, limit(query.limit), query.tenant.as_ref().map(|id| id.as_str())];
    let sql = match query.tenant {
        None => {
            "SELECT doc FROM users WHERE (last_login_at, id) < (?1, ?2) AND ?4 IS NULL \
             ORDER BY last_login_at DESC, id DESC LIMIT ?3"
        }
        Some(_) => {
            "SELECT doc FROM memberships JOIN users ON users.id = memberships.user_id \
             WHERE tenant_id = ?4 AND (last_login_at, id) < (?1, ?2) ORDER BY last_login_at DESC, id DESC LIMIT ?3"
        }
    };
    documents(connection, sql, values, User::from_json)
}

/// Returns the tenant of a subscription, if the tenant is visible.
pub(super) fn subscription_tenant(
    connection: &Connection,
    id: &Id,
    visible: Option<&[Id]>,
) -> Result<Option<Id>, StoreError> {
    let sql = "SELECT tenant_id FROM subscriptions WHERE id = ?1 \
               AND (?2 IS NULL OR tenant_id IN (SELECT value FROM json_each(?2)))";
    let row = params![id.as_str(), visible.map(ids_text).transpose()?];
    let found: Option<String> = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row(row, |row| row.get(0)).optional())
        .map_err(failure)?;
    found.map(|tenant| Id::new(&tenant).map_err(broken)).transpose()
}

/// Reads a page of subscriptions, newest first.
pub(super) fn subscriptions(
    connection: &Connection,
    query: &SubscriptionQuery,
) -> Result<Vec<Subscription>, StoreError> {
    let mut sql = String::from("SELECT doc FROM subscriptions WHERE (created_at, id) < (?, ?)");
    let (at, id) = newest_first(query.after.as_ref());
    let mut values = vec![Sql::Integer(at), Sql::Text(id)];
    if let Some(tenant) = &query.tenant {
        sql.push_str(" AND tenant_id = ?");
        values.push(Sql::Text(tenant.to_string()));
    }
    if let Some(visible) = &query.visible {
        sql.push_str(
            " AND tenant_id IN (SELECT id FROM tenants WHERE status <> 'terminated' AND id IN (SELECT value FROM json_each(?)))",
        );
        values.push(Sql::Text(ids_text(visible)?));
    }
    sql.push_str(" ORDER BY created_at DESC, id DESC LIMIT ?");
    values.push(Sql::Integer(limit(query.limit)));
    documents(connection, &sql, params_from_iter(values), Subscription::from_json)
}

/// The sort key and id before the page. The first page starts at values above every row: no id
/// begins with the largest character.
fn newest_first(after: Option<&PageStart>) -> (i64, String) {
    match after {
        Some(after) => (after.key.parse().unwrap_or(0), after.id.clone()),
        None => (i64::MAX, "\u{10ffff}".to_owned()),
    }
}

fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
