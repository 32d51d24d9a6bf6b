//! Appends to the change log, and reads it.

use std::collections::BTreeSet;

use dezky_core::model::Change;
use dezky_core::names::Id;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use serde_json::Value;

use super::{broken, failure};
use crate::store::{ChangeQuery, ExportChunk, StoreError};

/// Appends a change. `tenant` owns the record, and the audits of `tenants` list the change.
pub(super) fn append(
    connection: &Connection,
    change: &Change,
    tenant: Option<&Id>,
    tenants: &[&Id],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO changes (revision, at, actor_id, action, kind, entity_id, tenant_id, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let content = &change.content;
    let row = params![
        change.revision,
        content.at.as_micros(),
        content.actor.id.as_ref().map(|id| id.as_str()),
        content.action.as_str(),
        content.entity.kind.as_str(),
        content.entity.id.as_str(),
        tenant.map(|id| id.as_str()),
        serde_json::to_string(change).map_err(super::unwritable)?,
    ];
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute(row)).map_err(failure)?;
    for tenant in tenants {
        let sql = "INSERT INTO change_tenants (tenant_id, revision) VALUES (?1, ?2)";
        let row = params![tenant.as_str(), change.revision];
        connection.prepare_cached(sql).and_then(|mut statement| statement.execute(row)).map_err(failure)?;
    }
    Ok(())
}

/// Returns the newest change of the log.
pub(super) fn newest(connection: &Connection) -> Result<Option<Change>, StoreError> {
    let sql = "SELECT doc FROM changes ORDER BY revision DESC LIMIT 1";
    let text: Option<String> = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
        .map_err(failure)?;
    text.map(|text| parse(&text)).transpose()
}

/// Reads a page of the log, newest first.
pub(super) fn page(connection: &Connection, query: &ChangeQuery) -> Result<Vec<Change>, StoreError> {
    // A tenant's audit is scanned in the order of its own index.
    let mut sql = String::from(match query.tenant {
        None => "SELECT doc FROM changes WHERE 1 = 1",
        Some(_) => "SELECT doc FROM change_tenants AS shown JOIN changes USING (revision) WHERE 1 = 1",
    });
    let mut values: Vec<Sql> = Vec::new();
    let number = |revision: u64| i64::try_from(revision).unwrap_or(i64::MAX).into();
    // A query of one tenant's audit must use the index of that tenant: with other indexes, the time
    // of the query would reveal changes of other tenants. A plus before a column excludes its
    // index.
    let plus = if query.tenant.is_some() { "+" } else { "" };
    let conditions: [(&str, Option<Sql>); 8] = [
        (" AND kind = ?", query.kind.clone().map(Sql::from)),
        (" AND entity_id = ?", query.id.clone().map(Sql::from)),
        (" AND shown.tenant_id = ?", query.tenant.as_ref().map(|id| id.to_string().into())),
        (" AND actor_id = ?", query.actor.as_ref().map(|id| id.to_string().into())),
        (" AND action = ?", query.action.clone().map(Sql::from)),
        (" AND at >= ?", query.from.map(|at| at.as_micros().into())),
        (" AND at < ?", query.until.map(|at| at.as_micros().into())),
        (" AND revision < ?", query.below.map(number)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            let column = condition.trim_start_matches(" AND ");
            let leads = column.starts_with("shown.") || column.starts_with("revision");
            let plus = if leads { "" } else { plus };
            sql.push_str(&format!(" AND {plus}{column}"));
            values.push(value);
        }
    }
    sql.push_str(" ORDER BY revision DESC LIMIT ?");
    values.push(i64::try_from(query.limit).unwrap_or(i64::MAX).into());
    let mut statement = connection.prepare_cached(&sql).map_err(failure)?;
    let rows =
        statement.query_map(params_from_iter(values), |row| row.get::<_, String>(0)).map_err(failure)?;
    rows.map(|text| parse(&text.map_err(failure)?)).collect()
}

/// The size in bytes at which a chunk of an export ends.
const EXPORT_BYTES: usize = 256 << 10;

/// Exports the changes in `after + 1 ..= until`, one per line, up to the size of one chunk.
pub(super) fn export(connection: &Connection, after: u64, until: u64) -> Result<ExportChunk, StoreError> {
    let sql = "SELECT revision, doc FROM changes WHERE revision > ?1 AND revision <= ?2 ORDER BY revision";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let mut rows = statement.query([after, until]).map_err(failure)?;
    let mut exported = ExportChunk { lines: Vec::new(), last: after };
    while exported.lines.len() < EXPORT_BYTES
        && let Some(row) = rows.next().map_err(failure)?
    {
        exported.last = row.get(0).map_err(failure)?;
        let text = row.get_ref(1).and_then(|value| Ok(value.as_str()?)).map_err(failure)?;
        exported.lines.extend_from_slice(text.as_bytes());
        exported.lines.push(b'\n');
    }
    Ok(exported)
}

/// The tenant that owns the record of a change, according to the documents.
pub(super) fn tenant_of(change: &Change) -> Option<&str> {
    let content = &change.content;
    match content.entity.kind.as_str() {
        "tenant" => Some(content.entity.id.as_str()),
        _ => content.after.get("tenantId").or(content.before.get("tenantId")).and_then(|id| id.as_str()),
    }
}

/// The tenants whose audit lists a change, according to the documents: the record's tenant, and
/// each tenant that a user joins or leaves.
pub(super) fn tenants_of(change: &Change) -> BTreeSet<&str> {
    let content = &change.content;
    let mut tenants: BTreeSet<&str> = tenant_of(change).into_iter().collect();
    if content.entity.kind.as_str() == "user" {
        let (before, after) = (members(&content.before), members(&content.after));
        tenants.extend(before.symmetric_difference(&after).copied());
    }
    tenants
}

fn members(user: &Value) -> BTreeSet<&str> {
    let ids = user.get("tenantIds").and_then(Value::as_array).into_iter().flatten();
    ids.filter_map(Value::as_str).collect()
}

/// Parses the document of a change.
pub(super) fn parse(text: &str) -> Result<Change, StoreError> {
    Change::from_json(text.as_bytes()).map_err(broken)
}
