//! Verifies a database: every hash and link of the log, its index columns, and every record.
//!
//! The verification reads the log once, from the first change. The last change of a record
//! determines its row: the document and the columns for lookups, or no row after a removal. A
//! verification in steps still checks every record: if a record is written between two steps, its
//! last change is later in the log, or after the end of the verification.

use std::path::Path;

use dezky_core::Error;
use dezky_core::json::read_json;
use dezky_core::model::{Change, Flag, Partner, Subscription, Tenant, User};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Rows, params};

use super::{failure, flag_past, log, rows, schema};
use crate::store::{Breach, LogHead, Record, StoreError, Verification, VerifyError, verify_run};

/// The most changes in one step.
///
/// A step also ends after [`STEP_BYTES`] of documents: a change in memory takes about ten times the
/// bytes of its document, and several steps may run at the same time.
const STEP_CHANGES: usize = 1_000;
const STEP_BYTES: usize = 512 << 10;

/// The kinds of records: the name in the log, the table, and the parser of the document.
const KINDS: [(&str, &str, Parse); 6] = [
    ("tenant", "tenants", |text| Tenant::from_json(text).map(|tenant| Record::Tenant(Box::new(tenant)))),
    ("partner", "partners", |text| Partner::from_json(text).map(|own| Record::Partner(Box::new(own)))),
    ("user", "users", |text| User::from_json(text).map(|user| Record::User(Box::new(user)))),
    ("subscription", "subscriptions", |text| {
        Subscription::from_json(text).map(|own| Record::Subscription(Box::new(own)))
    }),
    ("flag", "flags", |text| Flag::from_json(text).map(|flag| Record::Flag(Box::new(flag)))),
    ("key", "keys", |text| {
        let key = serde_json::from_slice(text).map_err(|_| Error::new(dezky_core::Code::InvalidJson, ""))?;
        Ok(Record::Key(Box::new(key)))
    }),
];

type Parse = fn(&[u8]) -> Result<Record, Error>;

/// The columns of secrets' hashes, which the log does not contain. If the record has the secret,
/// the column must contain 32 bytes.
const SECRET_COLUMNS: [&str; 2] = ["hash", "previous_hash"];
const SECRET_BYTES: usize = 32;

/// Verifies a database file completely, including SQLite's own structure.
pub fn verify_file(file: &Path, expected: Option<LogHead>) -> Result<LogHead, VerifyError> {
    let connection = schema::open_reader(file)?;
    schema::supported_version(&connection)?;
    // All statements read one revision.
    let snapshot = connection.unchecked_transaction().map_err(failure)?;
    let found: String =
        snapshot.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failure)?;
    if found != "ok" {
        return Err(StoreError::Broken(found).into());
    }
    let mut verification = Verification::new(expected);
    while !verification.is_complete {
        verification = step(&snapshot, verification)?;
    }
    Ok(verification.head()?)
}

/// Verifies the next changes of the log.
pub(super) fn step(connection: &Connection, mut so_far: Verification) -> Result<Verification, VerifyError> {
    let until = match so_far.until {
        Some(until) => until,
        None => begin(connection, &mut so_far)?,
    };
    let after = so_far.revision();
    let mut run: Vec<Change> = so_far.last.take().into_iter().collect();
    let verified_before = run.len();
    let are_last = page(connection, after, until, &mut run)?;
    verify_run(&run).map_err(|(revision, error)| breach("log_broken", revision, error.to_string()))?;
    let starts_late = verified_before == 0 && run.first().is_some_and(|first| first.revision != 1);
    if starts_late || (are_last.is_empty() && after < until) {
        let detail = "the change before it is missing".to_owned();
        return Err(breach("log_broken", run.last().map_or(until, |last| last.revision), detail));
    }
    let has_audits = !columns_of(connection, AUDITS)?.is_empty();
    let has_past = flag_past::is_kept(connection)?;
    for (change, is_last) in run.iter().skip(verified_before).zip(are_last) {
        if has_past {
            so_far.past += flag_past::verify(connection, change)?.ok_or_else(|| {
                breach(
                    "log_column",
                    change.revision,
                    "the past of the flag contradicts the change".to_owned(),
                )
            })?;
        }
        if has_audits {
            so_far.shown += check_audits(connection, change)?;
        }
        check_expected(so_far.expected.as_ref(), change)?;
        if is_last {
            check_record(connection, change)?;
        }
    }
    so_far.last = run.pop();
    if so_far.revision() == until {
        check_unlogged(connection, until)?;
        if has_audits {
            check_audit_count(connection, until, so_far.shown)?;
        }
        if has_past && flag_past::count(connection, until)? != so_far.past {
            return Err(breach(
                "log_column",
                until,
                "the past of flags has rows that the log does not have".to_owned(),
            ));
        }
        so_far.is_complete = true;
    }
    Ok(so_far)
}

/// Sets the end of the verification, and checks that the expected head is not beyond it.
fn begin(connection: &Connection, so_far: &mut Verification) -> Result<u64, VerifyError> {
    let sql = "SELECT coalesce(max(revision), 0) FROM changes";
    let until = connection.query_row(sql, [], |row| row.get(0)).map_err(failure)?;
    so_far.until = Some(until);
    match &so_far.expected {
        Some(expected) if expected.revision > until => {
            let detail = format!("the log ends here, before the expected revision {}", expected.revision);
            Err(breach("log_shortened", until, detail))
        }
        Some(expected) if expected.revision == 0 && *expected != LogHead::empty()? => {
            Err(breach("head_differs", 0, "the expected hash is not that of an empty log".to_owned()))
        }
        _ => Ok(until),
    }
}

/// Appends the next changes to `run`, and checks their index columns. Returns for each change
/// whether it is the last change of its record.
fn page(
    connection: &Connection,
    after: u64,
    until: u64,
    run: &mut Vec<Change>,
) -> Result<Vec<bool>, VerifyError> {
    let sql = "SELECT doc, revision, at, actor_id, action, kind, entity_id, tenant_id, \
        revision = (SELECT max(revision) FROM changes AS later \
                    WHERE later.kind = changes.kind AND later.entity_id = changes.entity_id) \
        FROM changes WHERE revision > ?1 AND revision <= ?2 ORDER BY revision LIMIT ?3";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let mut found = statement.query(params![after, until, STEP_CHANGES as i64]).map_err(failure)?;
    let (mut are_last, mut bytes) = (Vec::new(), 0);
    while bytes < STEP_BYTES
        && let Some(row) = found.next().map_err(failure)?
    {
        let revision: u64 = row.get(1).map_err(failure)?;
        let text = text(row, 0)?;
        bytes += text.len();
        let change = log::parse(text).map_err(|error| {
            breach("log_broken", revision, format!("the change cannot be parsed: {error}"))
        })?;
        check_columns(row, revision, &change)?;
        run.push(change);
        are_last.push(row.get(8).map_err(failure)?);
    }
    Ok(are_last)
}

/// Checks that the index columns of a change match its document.
fn check_columns(row: &Row<'_>, revision: u64, change: &Change) -> Result<(), VerifyError> {
    let content = &change.content;
    let text = |text: &str| Value::Text(text.to_owned());
    let columns = [
        ("revision", 1, Value::Integer(i64::try_from(change.revision).unwrap_or(i64::MAX))),
        ("at", 2, Value::Integer(content.at.as_micros())),
        ("actor_id", 3, content.actor.id.as_ref().map_or(Value::Null, |id| text(id.as_str()))),
        ("action", 4, text(content.action.as_str())),
        ("kind", 5, text(content.entity.kind.as_str())),
        ("entity_id", 6, text(content.entity.id.as_str())),
        ("tenant_id", 7, log::tenant_of(change).map_or(Value::Null, text)),
    ];
    for (name, index, expected) in columns {
        if row.get_ref(index).map_err(failure)? != ValueRef::from(&expected) {
            let detail = format!("the column {name} of the log contradicts the document");
            return Err(breach("log_column", revision, detail));
        }
    }
    Ok(())
}

/// Checks the hash of the expected revision.
fn check_expected(expected: Option<&LogHead>, change: &Change) -> Result<(), VerifyError> {
    match expected {
        Some(expected) if expected.revision == change.revision && expected.hash != change.hash => {
            let detail = "the hash differs from the expected head: the log was rewritten".to_owned();
            Err(breach("head_differs", change.revision, detail))
        }
        _ => Ok(()),
    }
}

/// The table of changes in each tenant's audit. Older databases do not have it.
const AUDITS: &str = "change_tenants";

/// Checks that the audits of all concerned tenants list a change. Returns the number of these
/// tenants.
fn check_audits(connection: &Connection, change: &Change) -> Result<u64, VerifyError> {
    let tenants = log::tenants_of(change);
    for tenant in &tenants {
        let sql = "SELECT 1 FROM change_tenants WHERE tenant_id = ?1 AND revision = ?2";
        let mut statement = connection.prepare_cached(sql).map_err(failure)?;
        if !statement.exists(params![tenant, change.revision]).map_err(failure)? {
            let detail = format!("the audit of the tenant {tenant} does not list the change");
            return Err(breach("log_column", change.revision, detail));
        }
    }
    Ok(tenants.len() as u64)
}

/// Checks that the tenants' audits have no further rows.
fn check_audit_count(connection: &Connection, until: u64, shown: u64) -> Result<(), VerifyError> {
    let sql = "SELECT count(*) FROM change_tenants AS shown WHERE revision <= ?1 \
               OR NOT EXISTS (SELECT 1 FROM changes WHERE changes.revision = shown.revision)";
    let stored: u64 = connection.query_row(sql, [until], |row| row.get(0)).map_err(failure)?;
    match stored == shown {
        true => Ok(()),
        false => {
            Err(breach("log_column", until, "a tenant's audit lists a change of other tenants".to_owned()))
        }
    }
}

/// Checks that the row of a record matches its last change.
fn check_record(connection: &Connection, change: &Change) -> Result<(), VerifyError> {
    let entity = &change.content.entity;
    let (kind, id) = (entity.kind.as_str(), entity.id.as_str());
    let differs = |code, what: &str| breach(code, change.revision, format!("the {kind} {id}: {what}"));
    let Some((_, table, parse)) = KINDS.iter().find(|(name, ..)| *name == kind) else {
        return Err(differs("record_unknown", "this kind of record is unknown"));
    };
    let columns = columns_of(connection, table)?;
    if change.content.after.is_null() {
        let is_stored = !columns.is_empty() && exists(connection, table, id)?;
        return match is_stored {
            true => Err(differs("record_unknown", "it was removed in the log, but it is stored")),
            false => Ok(()),
        };
    }
    let record = parse(change.content.after.to_string().as_bytes()).map_err(|error| {
        differs("record_differs", &format!("the document in the log cannot be parsed: {error}"))
    })?;
    let expected = rows::row(&record)?;
    // Older databases lack some columns.
    let compared: Vec<(&str, &Value)> = expected
        .columns
        .iter()
        .copied()
        .zip(&expected.values)
        .filter(|(name, _)| columns.iter().any(|column| column == name))
        .collect();
    let names: Vec<&str> = compared.iter().map(|(name, _)| *name).collect();
    let sql = format!("SELECT {} FROM {table} WHERE id = ?1", names.join(", "));
    let mut statement = connection.prepare_cached(&sql).map_err(failure)?;
    let mut found: Rows<'_> = statement.query([id]).map_err(failure)?;
    let Some(row) = found.next().map_err(failure)? else {
        return Err(differs("record_missing", "the log has it, but it is not stored"));
    };
    for (index, (name, expected)) in compared.into_iter().enumerate() {
        let stored = row.get_ref(index).map_err(failure)?;
        let is_same = match name {
            "doc" => is_document(stored, &change.content.after),
            _ if SECRET_COLUMNS.contains(&name) && *expected != Value::Null => {
                stored.as_blob().is_ok_and(|bytes| bytes.len() == SECRET_BYTES)
            }
            _ => stored == ValueRef::from(expected),
        };
        if !is_same {
            return Err(differs("record_differs", &format!("the stored column {name} contradicts the log")));
        }
    }
    match &record {
        Record::User(user) => has_logged_memberships(connection, user).and_then(|is_same| {
            is_same
                .then_some(())
                .ok_or_else(|| differs("record_differs", "the stored memberships contradict the log"))
        }),
        _ => Ok(()),
    }
}

fn is_document(stored: ValueRef<'_>, expected: &serde_json::Value) -> bool {
    let text = stored.as_str().unwrap_or_default();
    read_json(text.as_bytes(), text.len()).is_ok_and(|stored| stored == *expected)
}

/// Returns whether the stored memberships of a user match the user's document.
fn has_logged_memberships(connection: &Connection, user: &User) -> Result<bool, VerifyError> {
    let sql = "SELECT tenant_id FROM memberships WHERE user_id = ?1 ORDER BY tenant_id";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let stored = statement.query_map([user.id.as_str()], |row| row.get::<_, String>(0)).map_err(failure)?;
    let stored: Vec<String> = stored.collect::<Result<_, _>>().map_err(failure)?;
    let mut expected: Vec<&str> = user.tenant_ids.iter().map(|id| id.as_str()).collect();
    expected.sort_unstable();
    Ok(stored == expected)
}

/// Checks that every stored record occurs in the log.
fn check_unlogged(connection: &Connection, revision: u64) -> Result<(), VerifyError> {
    for (kind, table, _) in KINDS {
        if columns_of(connection, table)?.is_empty() {
            continue;
        }
        let sql = format!(
            "SELECT id FROM {table} WHERE NOT EXISTS \
             (SELECT 1 FROM changes WHERE kind = '{kind}' AND entity_id = {table}.id) LIMIT 1"
        );
        if let Some(id) = first(connection, &sql)? {
            let detail = format!("the {kind} {id} is stored, but not in the log");
            return Err(breach("record_unknown", revision, detail));
        }
    }
    let sql = "SELECT user_id FROM memberships WHERE NOT EXISTS \
               (SELECT 1 FROM users WHERE users.id = user_id) LIMIT 1";
    match first(connection, sql)? {
        Some(id) => {
            let detail = format!("memberships of {id} are stored, but this user does not exist");
            Err(breach("record_unknown", revision, detail))
        }
        None => Ok(()),
    }
}

fn columns_of(connection: &Connection, table: &str) -> Result<Vec<String>, VerifyError> {
    let mut statement =
        connection.prepare_cached("SELECT name FROM pragma_table_info(?1)").map_err(failure)?;
    let names = statement.query_map([table], |row| row.get(0)).map_err(failure)?;
    Ok(names.collect::<Result<_, _>>().map_err(failure)?)
}

fn exists(connection: &Connection, table: &str, id: &str) -> Result<bool, VerifyError> {
    let sql = format!("SELECT 1 FROM {table} WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql).map_err(failure)?;
    Ok(statement.exists([id]).map_err(failure)?)
}

fn first(connection: &Connection, sql: &str) -> Result<Option<String>, VerifyError> {
    let found =
        connection.prepare_cached(sql).and_then(|mut one| one.query_row([], |row| row.get(0)).optional());
    Ok(found.map_err(failure)?)
}

fn text<'r>(row: &'r Row<'_>, index: usize) -> Result<&'r str, StoreError> {
    row.get_ref(index).and_then(|value| Ok(value.as_str()?)).map_err(failure)
}

fn breach(code: &'static str, revision: u64, detail: String) -> VerifyError {
    Breach { code, revision, detail }.into()
}
