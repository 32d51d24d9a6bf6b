//! The change log: the only history there is.

use std::path::Path;

use dezky_core::{Change, Digest, Id, verify_chain};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::{broken, failure, schema};
use crate::store::{ChangeQuery, StoreError, verify_run};

/// Changes that are verified at a time.
const PAGE: usize = 1_000;

/// Adds a change to the log. `tenant` is the one that the record belongs to, `tenants` those whose audit shows the change.
pub fn append(
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

/// The newest change.
pub fn newest(connection: &Connection) -> Result<Option<Change>, StoreError> {
    let sql = "SELECT doc FROM changes ORDER BY revision DESC LIMIT 1";
    let text: Option<String> = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
        .map_err(failure)?;
    text.map(|text| read(&text)).transpose()
}

/// A page of the log, newest first.
pub fn page(connection: &Connection, query: &ChangeQuery) -> Result<Vec<Change>, StoreError> {
    // Whatever a tenant's audit shows is walked in the order of its own index.
    let mut sql = String::from(match query.tenant {
        None => "SELECT doc FROM changes WHERE 1 = 1",
        Some(_) => "SELECT doc FROM change_tenants AS shown JOIN changes USING (revision) WHERE 1 = 1",
    });
    let mut values: Vec<Sql> = Vec::new();
    let number = |revision: u64| i64::try_from(revision).unwrap_or(i64::MAX).into();
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
            sql.push_str(condition);
            values.push(value);
        }
    }
    sql.push_str(" ORDER BY revision DESC LIMIT ?");
    values.push(i64::try_from(query.limit).unwrap_or(i64::MAX).into());
    let mut statement = connection.prepare_cached(&sql).map_err(failure)?;
    let rows =
        statement.query_map(params_from_iter(values), |row| row.get::<_, String>(0)).map_err(failure)?;
    rows.map(|text| read(&text.map_err(failure)?)).collect()
}

/// Walks the whole log: how many changes there are, and the hash of the last, if every hash and link holds.
pub fn verify(directory: &Path) -> Result<(u64, Digest), StoreError> {
    let connection = schema::open_reader(&schema::file(directory))?;
    let mut statement = connection
        .prepare("SELECT doc, revision FROM changes WHERE revision > ?1 ORDER BY revision LIMIT ?2")
        .map_err(failure)?;
    let mut last: Option<Change> = None;
    let mut head = verify_chain(&[]).map_err(broken)?;
    loop {
        let after = last.as_ref().map_or(0, |last| last.revision);
        let rows = statement
            .query_map(params![after, PAGE as i64], |row| row.get::<_, String>(0))
            .map_err(failure)?;
        let mut run: Vec<Change> = last.iter().cloned().collect();
        for text in rows {
            run.push(read(&text.map_err(failure)?)?);
        }
        if run.len() == last.iter().len() {
            return Ok((after, head));
        }
        head = verify_run(&run).map_err(|(revision, error)| {
            StoreError::Broken(format!("the change log at revision {revision}: {error}"))
        })?;
        if last.is_none() && run.first().is_some_and(|first| first.revision != 1) {
            return Err(StoreError::Broken("the change log does not begin with revision 1".to_owned()));
        }
        last = run.pop();
    }
}

fn read(text: &str) -> Result<Change, StoreError> {
    Change::from_json(text.as_bytes()).map_err(broken)
}
