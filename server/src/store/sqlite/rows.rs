//! Writes the rows of records: the columns for lookups, and the document.

use dezky_core::model::{Flag, Partner, Subscription, Tenant, User};
use dezky_core::names::Id;
use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection, Params, params, params_from_iter};
use serde::Serialize;

use super::{failure, unwritable};
use crate::keys::KeyRecord;
use crate::store::{Record, StoreError, WriteError, identity_key};

/// The row of a record. The first column is the id, the second the version.
pub(super) struct RecordRow {
    /// The name of the table.
    table: &'static str,
    /// The columns that are derived from the record.
    pub(super) columns: &'static [&'static str],
    /// The values of the columns, in the same order.
    pub(super) values: Vec<Value>,
}

/// Replaces the record that the writer read. Fails if its version has changed.
pub(super) fn put(
    connection: &Connection,
    before: Option<&Record>,
    after: Option<&Record>,
) -> Result<(), WriteError> {
    let search_changes = searched_name(before) != searched_name(after);
    if search_changes && let Some(Record::Tenant(tenant)) = before {
        let sql = "INSERT INTO tenant_search (tenant_search, rowid, search) \
                   SELECT 'delete', rowid, search FROM tenants WHERE id = ?1 AND version = ?2";
        run(connection.prepare_cached(sql), params![tenant.id().as_str(), tenant.revisioned.version])?;
    }
    match (before, after) {
        (None, Some(after)) => insert(connection, row(after)?)?,
        (Some(before), Some(after)) => update(connection, row(after)?, before.version())?,
        (Some(before), None) => delete(connection, row(before)?)?,
        (None, None) => {}
    }
    if search_changes && let Some(Record::Tenant(tenant)) = after {
        let sql = "INSERT INTO tenant_search (rowid, search) SELECT rowid, search FROM tenants WHERE id = ?1";
        run(connection.prepare_cached(sql), [tenant.id().as_str()])?;
    }
    put_memberships(connection, before, after)
}

fn searched_name(record: Option<&Record>) -> Option<&str> {
    match record {
        Some(Record::Tenant(tenant)) => Some(tenant.name.as_str()),
        _ => None,
    }
}

fn put_memberships(
    connection: &Connection,
    before: Option<&Record>,
    after: Option<&Record>,
) -> Result<(), WriteError> {
    let ids = |record: Option<&Record>| match record {
        Some(Record::User(user)) => user.tenant_ids.clone(),
        _ => Vec::new(),
    };
    let (before_ids, after_ids): (Vec<Id>, Vec<Id>) = (ids(before), ids(after));
    let Some(user) = after.or(before).map(Record::id).filter(|_| before_ids != after_ids) else {
        return Ok(());
    };
    run(connection.prepare_cached("DELETE FROM memberships WHERE user_id = ?1"), [user])?;
    for tenant in &after_ids {
        let sql = "INSERT INTO memberships (tenant_id, user_id) VALUES (?1, ?2)";
        run(connection.prepare_cached(sql), [tenant.as_str(), user])?;
    }
    Ok(())
}

fn insert(connection: &Connection, row: RecordRow) -> Result<(), WriteError> {
    let RecordRow { table, columns, values } = row;
    let parameters: Vec<String> = (1..=columns.len()).map(|index| format!("?{index}")).collect();
    let sql = format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), parameters.join(", "));
    changed(connection, &sql, values).map(|_| ())
}

fn update(connection: &Connection, row: RecordRow, version: u64) -> Result<(), WriteError> {
    let RecordRow { table, columns, mut values } = row;
    let set: Vec<String> =
        columns.iter().zip(1..).skip(1).map(|(column, index)| format!("{column} = ?{index}")).collect();
    let last = columns.len() + 1;
    let sql = format!("UPDATE {table} SET {} WHERE id = ?1 AND version = ?{last}", set.join(", "));
    values.push(number(version));
    match changed(connection, &sql, values)? {
        1 => Ok(()),
        _ => Err(WriteError::Stale),
    }
}

fn delete(connection: &Connection, row: RecordRow) -> Result<(), WriteError> {
    let RecordRow { table, mut values, .. } = row;
    values.truncate(2);
    let sql = format!("DELETE FROM {table} WHERE id = ?1 AND version = ?2");
    match changed(connection, &sql, values)? {
        1 => Ok(()),
        _ => Err(WriteError::Stale),
    }
}

/// Runs a statement, and returns the number of changed rows. Maps a violated UNIQUE constraint to
/// [`WriteError::Taken`].
fn changed(connection: &Connection, sql: &str, values: Vec<Value>) -> Result<usize, WriteError> {
    let executed =
        connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params_from_iter(values)));
    match executed {
        Ok(count) => Ok(count),
        Err(rusqlite::Error::SqliteFailure(error, Some(message)))
            if error.code == rusqlite::ErrorCode::ConstraintViolation =>
        {
            Err(taken(&message))
        }
        Err(error) => Err(failure(error).into()),
    }
}

/// Finds the member of a violated constraint. SQLite reports "UNIQUE constraint failed:
/// tenants.slug".
fn taken(message: &str) -> WriteError {
    let paths = [
        (".slug", "/slug"),
        ("users.reserved_email", "/email"),
        ("users.identity", "/subject"),
        ("flags.id", "/key"),
        (".id", "/id"),
    ];
    match paths.into_iter().find(|(column, _)| message.ends_with(column)) {
        Some((_, path)) => WriteError::Taken(path),
        None => StoreError::Broken(message.to_owned()).into(),
    }
}

fn run(statement: rusqlite::Result<CachedStatement<'_>>, row: impl Params) -> Result<usize, StoreError> {
    statement.and_then(|mut statement| statement.execute(row)).map_err(failure)
}

/// Returns the row of a record with all derived columns.
pub(super) fn row(record: &Record) -> Result<RecordRow, StoreError> {
    match record {
        Record::Tenant(tenant) => tenant_row(tenant),
        Record::Partner(partner) => partner_row(partner),
        Record::User(user) => user_row(user),
        Record::Subscription(subscription) => subscription_row(subscription),
        Record::Flag(flag) => flag_row(flag),
        Record::Key(key) => key_row(key),
    }
}

fn tenant_row(tenant: &Tenant) -> Result<RecordRow, StoreError> {
    let name = tenant.name.as_str().to_lowercase();
    Ok(RecordRow {
        table: "tenants",
        columns: &[
            "id",
            "version",
            "slug",
            "folded_name",
            "search",
            "status",
            "plan",
            "partner_id",
            "authentik_group",
            "created_at",
            "doc",
        ],
        values: vec![
            text(tenant.id()),
            number(tenant.revisioned.version),
            text(tenant.slug()),
            text(&name),
            text(&format!("{}\n{name}", tenant.slug())),
            text(tenant.status().as_str()),
            text(&tenant.plan),
            optional(tenant.partner_id.as_ref()),
            optional(tenant.handles.authentik_group.as_ref()),
            Value::Integer(tenant.revisioned.created_at.as_micros()),
            document(tenant)?,
        ],
    })
}

fn partner_row(partner: &Partner) -> Result<RecordRow, StoreError> {
    Ok(RecordRow {
        table: "partners",
        columns: &["id", "version", "slug", "status", "doc"],
        values: vec![
            text(partner.id()),
            number(partner.revisioned.version),
            text(partner.slug()),
            text(partner.status().as_str()),
            document(partner)?,
        ],
    })
}

fn user_row(user: &User) -> Result<RecordRow, StoreError> {
    let identity = user.subject.as_ref().map(|own| identity_key(own.issuer.as_str(), own.sub.as_str()));
    Ok(RecordRow {
        table: "users",
        columns: &["id", "version", "reserved_email", "identity", "is_active_admin", "last_login_at", "doc"],
        values: vec![
            text(&user.id),
            number(user.revisioned.version),
            optional(user.reserves_email().then_some(&user.email)),
            optional(identity.as_ref()),
            Value::Integer(i64::from(user.active && user.platform_admin)),
            Value::Integer(user.last_login_at.map_or(0, |at| at.as_micros())),
            document(user)?,
        ],
    })
}

fn subscription_row(subscription: &Subscription) -> Result<RecordRow, StoreError> {
    let price = &subscription.price;
    Ok(RecordRow {
        table: "subscriptions",
        columns: &[
            "id",
            "version",
            "tenant_id",
            "plan",
            "status",
            "currency",
            "interval",
            "interval_count",
            "amount",
            "quantity",
            "created_at",
            "doc",
        ],
        values: vec![
            text(&subscription.id),
            number(subscription.revisioned.version),
            text(&subscription.tenant_id),
            text(&subscription.plan),
            text(subscription.status.as_str()),
            text(price.currency()),
            text(price.interval().as_str()),
            Value::Integer(price.interval_count()),
            Value::Integer(price.amount()),
            Value::Integer(price.quantity()),
            Value::Integer(subscription.revisioned.created_at.as_micros()),
            document(subscription)?,
        ],
    })
}

fn flag_row(flag: &Flag) -> Result<RecordRow, StoreError> {
    Ok(RecordRow {
        table: "flags",
        columns: &["id", "version", "rule_bytes", "doc"],
        values: vec![
            text(flag.key()),
            number(flag.revisioned().version),
            Value::Integer(rule_bytes(flag)),
            document(&flag_document(flag)?)?,
        ],
    })
}

/// The bytes of a flag's rule in a snapshot, with the comma after the rule.
pub(super) fn rule_bytes(flag: &Flag) -> i64 {
    i64::try_from(flag.rule().canonical_bytes() + 1).unwrap_or(i64::MAX)
}

fn key_row(key: &KeyRecord) -> Result<RecordRow, StoreError> {
    Ok(RecordRow {
        table: "keys",
        columns: &["id", "version", "hash", "previous_hash", "doc"],
        values: vec![
            text(&key.id),
            number(key.revisioned.version),
            Value::Blob(key.hash.to_vec()),
            key.previous.as_ref().map_or(Value::Null, |secret| Value::Blob(secret.hash.to_vec())),
            document(key)?,
        ],
    })
}

fn text(text: &(impl AsRef<str> + ?Sized)) -> Value {
    Value::Text(text.as_ref().to_owned())
}

fn optional(value: Option<&impl AsRef<str>>) -> Value {
    value.map_or(Value::Null, text)
}

fn number(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn document(record: &impl Serialize) -> Result<Value, StoreError> {
    serde_json::to_string(record).map(Value::Text).map_err(unwritable)
}

/// The document of a flag without its history, because the log is the history.
pub(super) fn flag_document(flag: &Flag) -> Result<serde_json::Value, StoreError> {
    let mut document = serde_json::to_value(flag).map_err(unwritable)?;
    if let Some(members) = document.as_object_mut() {
        members.insert("history".to_owned(), serde_json::Value::Array(Vec::new()));
    }
    Ok(document)
}
