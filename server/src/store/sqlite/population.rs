//! What the server holds in memory, read at start: of tenants only what is looked up by, because there are many.

use dezky_core::{Flag, Id, PlanKey, Slug, TenantStatus, User, WorldPartner, WorldTenant};
use rusqlite::{Connection, Row};

use super::{broken, documents, failure, log};
use crate::store::{Population, StoreError};

/// Everything, at one revision.
pub fn read(connection: &Connection) -> Result<Population, StoreError> {
    Ok(Population {
        revision: log::newest(connection)?.map_or(0, |newest| newest.revision),
        tenants: rows(connection, "SELECT id, slug, plan, partner_id, status FROM tenants", tenant)?,
        partners: rows(connection, "SELECT id, slug FROM partners", partner)?,
        users: documents(connection, "SELECT doc FROM users", [], User::from_json)?,
        flags: documents(connection, "SELECT doc FROM flags ORDER BY id", [], Flag::from_json)?,
    })
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    read: fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare(sql).map_err(failure)?;
    let mut rows = statement.query([]).map_err(failure)?;
    let mut read_rows = Vec::new();
    while let Some(row) = rows.next().map_err(failure)? {
        read_rows.push(read(row)?);
    }
    Ok(read_rows)
}

fn tenant(row: &Row<'_>) -> Result<WorldTenant, StoreError> {
    let partner = row.get_ref(3).and_then(|value| Ok(value.as_str_or_null()?)).map_err(failure)?;
    let status = text(row, 4)?;
    let known = TenantStatus::ALL.iter().copied().find(|known| known.as_str() == status);
    Ok(WorldTenant {
        id: Id::new(text(row, 0)?).map_err(broken)?,
        slug: Slug::new(text(row, 1)?).map_err(broken)?,
        plan: PlanKey::new(text(row, 2)?).map_err(broken)?,
        partner_id: partner.map(Id::new).transpose().map_err(broken)?,
        status: known.ok_or_else(|| StoreError::Broken(format!("a tenant's status is {status}")))?,
    })
}

fn partner(row: &Row<'_>) -> Result<WorldPartner, StoreError> {
    Ok(WorldPartner {
        id: Id::new(text(row, 0)?).map_err(broken)?,
        slug: Slug::new(text(row, 1)?).map_err(broken)?,
    })
}

fn text<'r>(row: &'r Row<'_>, index: usize) -> Result<&'r str, StoreError> {
    row.get_ref(index).and_then(|value| Ok(value.as_str()?)).map_err(failure)
}
