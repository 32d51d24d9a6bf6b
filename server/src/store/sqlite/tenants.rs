//! Searches and counts tenants.

use std::collections::BTreeMap;

use dezky_core::model::{Tenant, TenantStatus};
use dezky_core::names::Id;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};

use super::{documents, failure, ids_text};
use crate::store::{Direction, Sort, SortKey, StoreError, TenantFilter, TenantQuery};

/// The most rows with which a condition counts as rare. The rows of a rare condition are looked up
/// and sorted. For a frequent condition, a scan in list order fills a page soon enough.
const RARE: usize = 1_200;

/// The least number of characters for the trigram index.
const GRAM: usize = 3;

/// Reads a page of tenants.
pub(super) fn page(connection: &Connection, query: &TenantQuery) -> Result<Vec<Tenant>, StoreError> {
    let TenantQuery { filter, sort, after, limit } = query;
    let mut conditions = Conditions::new(connection, filter, StatusFilter::Applied, sort.key)?;
    let (column, comparison, order) = (column(*sort), comparison(sort.direction), order(sort.direction));
    if conditions.scans && sort.key == SortKey::Slug {
        if let Some(after) = after {
            // `search` is the slug, a newline and the name: skips every value with this slug.
            let end = if sort.direction == Direction::Ascending { "\n\u{10ffff}" } else { "\n" };
            conditions.parts.push(format!("search {comparison} ?"));
            conditions.values.push(Sql::Text(format!("{}{end}", after.key)));
        }
    } else if let Some(after) = after {
        let key = match sort.key {
            SortKey::CreatedAt => Sql::Integer(after.key.parse().unwrap_or(0)),
            SortKey::Slug | SortKey::Name => Sql::Text(after.key.clone()),
        };
        conditions.parts.push(format!("({column}, id) {comparison} (?, ?)"));
        conditions.values.extend([key, Sql::Text(after.id.clone())]);
    }
    let by = if conditions.scans && sort.key == SortKey::Slug {
        format!("search {order}")
    } else {
        format!("{column} {order}, id {order}")
    };
    let sql = format!("SELECT doc FROM tenants {} ORDER BY {by} LIMIT ?", conditions.sql());
    conditions.values.push(Sql::Integer(i64::try_from(*limit).unwrap_or(i64::MAX)));
    documents(connection, &sql, params_from_iter(conditions.values), Tenant::from_json)
}

/// Counts the tenants of each status that match a filter; ignores the filter's own status.
pub(super) fn totals(
    connection: &Connection,
    filter: &TenantFilter,
) -> Result<BTreeMap<&'static str, u64>, StoreError> {
    let conditions = Conditions::new(connection, filter, StatusFilter::Ignored, SortKey::Slug)?;
    let sql = format!("SELECT status, count(*) FROM tenants {} GROUP BY status", conditions.sql());
    let mut statement = connection.prepare_cached(&sql).map_err(failure)?;
    let count = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?));
    let rows = statement.query_map(params_from_iter(conditions.values), count).map_err(failure)?;
    let mut totals: BTreeMap<&'static str, u64> =
        TenantStatus::ALL.iter().map(|status| (status.as_str(), 0)).collect();
    for row in rows {
        let (status, count) = row.map_err(failure)?;
        if let Some(total) = totals.get_mut(status.as_str()) {
            *total = count;
        }
    }
    Ok(totals)
}

/// Returns the tenants of these groups, without terminated tenants.
pub(super) fn by_groups(connection: &Connection, groups: &[String]) -> Result<Vec<Id>, StoreError> {
    let groups = serde_json::to_string(groups).map_err(super::unwritable)?;
    let sql = "SELECT DISTINCT id FROM tenants WHERE authentik_group IN (SELECT value FROM json_each(?1)) \
               AND authentik_group IS NOT NULL AND status <> 'terminated' ORDER BY id";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let rows = statement.query_map([groups], |row| row.get::<_, String>(0)).map_err(failure)?;
    rows.map(|id| Id::new(&id.map_err(failure)?).map_err(super::broken)).collect()
}

fn column(sort: Sort) -> &'static str {
    match sort.key {
        SortKey::Slug => "slug",
        SortKey::Name => "folded_name",
        SortKey::CreatedAt => "created_at",
    }
}

fn comparison(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => ">",
        Direction::Descending => "<",
    }
}

fn order(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => "ASC",
        Direction::Descending => "DESC",
    }
}

/// The use of a filter's status.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StatusFilter {
    Applied,
    Ignored,
}

#[derive(Default)]
struct Conditions {
    // True if the text is searched in a scan in list order.
    scans: bool,
    parts: Vec<String>,
    values: Vec<Sql>,
}

impl Conditions {
    /// Builds the WHERE clause. At most one condition leads: SQLite looks up its rows in its index.
    /// The other columns have a plus in front, which excludes their indexes. If none leads, SQLite
    /// scans in list order from the start of the page.
    fn new(
        connection: &Connection,
        filter: &TenantFilter,
        status: StatusFilter,
        sort: SortKey,
    ) -> Result<Conditions, StoreError> {
        let TenantFilter { text, status: wanted, plan, partner, visible } = filter;
        let mut conditions = Conditions::default();
        let mut is_led = match visible {
            None => conditions.add_text(connection, text.as_deref())?,
            Some(visible) => conditions.add_visible(visible, text.as_deref())?,
        };
        let wanted =
            wanted.filter(|_| status == StatusFilter::Applied).map(|status| status.as_str().to_owned());
        let columns =
            [("partner_id", partner.as_ref().map(Id::to_string)), ("plan", plan.clone()), ("status", wanted)];
        for (column, value) in columns {
            let Some(value) = value else { continue };
            // Each of these indexes is ordered by slug after its column.
            let is_in_order = sort == SortKey::Slug && !conditions.scans;
            let leads = !is_led && (is_in_order || is_rare(connection, column, &value)?);
            let plus = if leads { "" } else { "+" };
            is_led |= leads;
            conditions.parts.push(format!("{plus}{column} = ?"));
            conditions.values.push(Sql::Text(value));
        }
        conditions.scans &= !is_led;
        Ok(conditions)
    }

    /// Restricts the list to visible tenants, and searches the text among them only. With an index
    /// of all tenants, the time would reveal how many other tenants contain the text.
    fn add_visible(&mut self, visible: &[Id], text: Option<&str>) -> Result<bool, StoreError> {
        self.parts.push("id IN (SELECT value FROM json_each(?)) AND +status <> 'terminated'".to_owned());
        self.values.push(Sql::Text(ids_text(visible)?));
        if let Some(text) = text {
            self.parts.push("instr(search, ?) > 0".to_owned());
            self.values.push(Sql::Text(text.to_owned()));
        }
        Ok(true)
    }

    /// Adds the search text. Returns whether it leads.
    fn add_text(&mut self, connection: &Connection, text: Option<&str>) -> Result<bool, StoreError> {
        let Some(text) = text else { return Ok(false) };
        let rows = rows_with(connection, text)?;
        let (part, value) = match &rows {
            Some(rows) => {
                let rows = serde_json::to_string(rows).map_err(super::unwritable)?;
                ("number IN (SELECT value FROM json_each(?))", rows)
            }
            None => ("instr(search, ?) > 0", text.to_owned()),
        };
        self.scans = rows.is_none();
        self.parts.push(part.to_owned());
        self.values.push(Sql::Text(value));
        Ok(rows.is_some())
    }

    fn sql(&self) -> String {
        if self.parts.is_empty() { String::new() } else { format!("WHERE {}", self.parts.join(" AND ")) }
    }
}

/// Returns whether few rows have this value. Each of these columns has an index.
fn is_rare(connection: &Connection, column: &str, value: &str) -> Result<bool, StoreError> {
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM tenants WHERE {column} = ?1 LIMIT ?2)");
    let mut statement = connection.prepare_cached(&sql).map_err(failure)?;
    let limit = i64::try_from(RARE + 1).unwrap_or(i64::MAX);
    let count: usize = statement.query_row((value, limit), |row| row.get(0)).map_err(failure)?;
    Ok(count <= RARE)
}

/// Returns the rows that contain a text, if they are few and the index supports the text.
fn rows_with(connection: &Connection, text: &str) -> Result<Option<Vec<i64>>, StoreError> {
    if text.chars().count() < GRAM || text.contains('\0') {
        return Ok(None);
    }
    let phrase = format!("\"{}\"", text.replace('"', "\"\""));
    let sql = "SELECT rowid FROM tenant_search WHERE tenant_search MATCH ?1 LIMIT ?2";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let limit = i64::try_from(RARE + 1).unwrap_or(i64::MAX);
    let rows = statement.query_map((phrase, limit), |row| row.get(0)).map_err(failure)?;
    let rows: Vec<i64> = rows.collect::<Result<_, _>>().map_err(failure)?;
    Ok((rows.len() <= RARE).then_some(rows))
}
