//! Verifying a database: every hash and link of the log, its index columns, and every record against the log.
//!
//! The log is walked once, from its first change on. The last change of an entity says what is stored of it: the document, the columns by which
//! it is looked up, and, where it was removed, that there is no row. A walk in steps sees every entity all the same: one that is written between
//! two steps has its last change later in the log, or after the walk's end.

use std::path::Path;

use dezky_core::Error;
use dezky_core::json::read_json;
use dezky_core::model::{Change, Flag, Partner, Subscription, Tenant, User};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Rows, params};

use super::{failure, flag_past, log, rows, schema};
use crate::store::{Breach, Head, Record, StoreError, Verification, VerifyError, verify_run};

/// Changes that one step verifies at most, and the bytes of their documents after which a step ends. A change
/// in memory takes about ten times the bytes of its document, and several steps may run at a time.
const STEP_CHANGES: usize = 1_000;
const STEP_BYTES: usize = 512 << 10;

/// The kinds of records: how the log names one, its table, and how its document is read.
const KINDS: [(&str, &str, Read); 6] = [
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

type Read = fn(&[u8]) -> Result<Record, Error>;

/// Columns whose values the log does not have, for they are made of secrets. Where the record has a secret, 32 bytes must be there.
const SECRET_COLUMNS: [&str; 2] = ["hash", "previous_hash"];
const SECRET_BYTES: usize = 32;

/// Verifies a database file as a whole, its own structure as well.
pub fn verify_file(file: &Path, expected: Option<Head>) -> Result<Head, VerifyError> {
    let connection = schema::open_reader(file)?;
    schema::judge_version(&connection)?;
    // All of it as of one revision.
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

/// Takes a verification one step further.
pub fn step(connection: &Connection, mut so_far: Verification) -> Result<Verification, VerifyError> {
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
        let detail = "a change is missing before it".to_owned();
        return Err(breach("log_broken", run.last().map_or(until, |last| last.revision), detail));
    }
    let has_audits = !columns_of(connection, AUDITS)?.is_empty();
    let has_past = flag_past::is_kept(connection)?;
    for (change, is_last) in run.iter().skip(verified_before).zip(are_last) {
        if has_past {
            so_far.past += flag_past::judge(connection, change)?.ok_or_else(|| {
                breach(
                    "log_column",
                    change.revision,
                    "the past of a flag is not what the change says".to_owned(),
                )
            })?;
        }
        if has_audits {
            so_far.shown += judge_audits(connection, change)?;
        }
        judge_expected(so_far.expected.as_ref(), change)?;
        if is_last {
            judge_record(connection, change)?;
        }
    }
    so_far.last = run.pop();
    if so_far.revision() == until {
        judge_unknown(connection, until)?;
        if has_audits {
            judge_audits_at_end(connection, until, so_far.shown)?;
        }
        if has_past && flag_past::count(connection, until)? != so_far.past {
            return Err(breach("log_column", until, "the past of a flag has more than the log".to_owned()));
        }
        so_far.is_complete = true;
    }
    Ok(so_far)
}

/// Decides where the verification ends.
fn begin(connection: &Connection, so_far: &mut Verification) -> Result<u64, VerifyError> {
    let sql = "SELECT coalesce(max(revision), 0) FROM changes";
    let until = connection.query_row(sql, [], |row| row.get(0)).map_err(failure)?;
    so_far.until = Some(until);
    match &so_far.expected {
        Some(expected) if expected.revision > until => {
            let detail = format!("the log ends here, before the expected revision {}", expected.revision);
            Err(breach("log_shortened", until, detail))
        }
        Some(expected) if expected.revision == 0 && *expected != Head::empty()? => {
            Err(breach("head_differs", 0, "an empty log has another hash".to_owned()))
        }
        _ => Ok(until),
    }
}

/// Appends a bounded number of the changes after a revision to `run`. Each is the one that its columns say.
/// Returns for each whether it is the last change of its entity.
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
        let change = log::read(text)
            .map_err(|error| breach("log_broken", revision, format!("the change cannot be read: {error}")))?;
        judge_columns(row, revision, &change)?;
        run.push(change);
        are_last.push(row.get(8).map_err(failure)?);
    }
    Ok(are_last)
}

/// The columns by which a change is found must be what its document says.
fn judge_columns(row: &Row<'_>, revision: u64, change: &Change) -> Result<(), VerifyError> {
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
            let detail = format!("the column {name} of the log is not what its document says");
            return Err(breach("log_column", revision, detail));
        }
    }
    Ok(())
}

fn judge_expected(expected: Option<&Head>, change: &Change) -> Result<(), VerifyError> {
    match expected {
        Some(expected) if expected.revision == change.revision && expected.hash != change.hash => {
            let detail = "the change has another hash than expected: the log was rewritten".to_owned();
            Err(breach("head_differs", change.revision, detail))
        }
        _ => Ok(()),
    }
}

/// The table of the changes that each tenant's audit shows. An older database has none.
const AUDITS: &str = "change_tenants";

/// A change must be in the audit of every tenant that it is about. Returns how many there are.
fn judge_audits(connection: &Connection, change: &Change) -> Result<u64, VerifyError> {
    let tenants = log::tenants_of(change);
    for tenant in &tenants {
        let sql = "SELECT 1 FROM change_tenants WHERE tenant_id = ?1 AND revision = ?2";
        let mut statement = connection.prepare_cached(sql).map_err(failure)?;
        if !statement.exists(params![tenant, change.revision]).map_err(failure)? {
            let detail = format!("the audit of the tenant {tenant} does not show the change");
            return Err(breach("log_column", change.revision, detail));
        }
    }
    Ok(tenants.len() as u64)
}

/// No tenant's audit may show more than that.
fn judge_audits_at_end(connection: &Connection, until: u64, shown: u64) -> Result<(), VerifyError> {
    let sql = "SELECT count(*) FROM change_tenants AS shown WHERE revision <= ?1 \
               OR NOT EXISTS (SELECT 1 FROM changes WHERE changes.revision = shown.revision)";
    let stored: u64 = connection.query_row(sql, [until], |row| row.get(0)).map_err(failure)?;
    match stored == shown {
        true => Ok(()),
        false => Err(breach("log_column", until, "a tenant's audit shows a change of others".to_owned())),
    }
}

/// What is stored of an entity must be what its last change says.
fn judge_record(connection: &Connection, change: &Change) -> Result<(), VerifyError> {
    let entity = &change.content.entity;
    let (kind, id) = (entity.kind.as_str(), entity.id.as_str());
    let differs = |code, what: &str| breach(code, change.revision, format!("the {kind} {id}: {what}"));
    let Some((_, table, read)) = KINDS.iter().find(|(name, ..)| *name == kind) else {
        return Err(differs("record_unknown", "nothing of this kind is stored"));
    };
    let columns = columns_of(connection, table)?;
    if change.content.after.is_null() {
        let is_stored = !columns.is_empty() && exists(connection, table, id)?;
        return match is_stored {
            true => Err(differs("record_unknown", "it was removed, and is stored")),
            false => Ok(()),
        };
    }
    let record = read(change.content.after.to_string().as_bytes())
        .map_err(|error| differs("record_differs", &format!("the log's document cannot be read: {error}")))?;
    let expected = rows::row(&record)?;
    // An older database may lack columns that came later.
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
        return Err(differs("record_missing", "it is not stored"));
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
            return Err(differs("record_differs", &format!("the column {name} is not what the log says")));
        }
    }
    match &record {
        Record::User(user) => judge_memberships(connection, user).and_then(|is_same| {
            is_same
                .then_some(())
                .ok_or_else(|| differs("record_differs", "the memberships are not what the log says"))
        }),
        _ => Ok(()),
    }
}

fn is_document(stored: ValueRef<'_>, expected: &serde_json::Value) -> bool {
    let text = stored.as_str().unwrap_or_default();
    read_json(text.as_bytes(), text.len()).is_ok_and(|stored| stored == *expected)
}

/// Whether the tenants of which a user is stored as a member are those of the user's document.
fn judge_memberships(connection: &Connection, user: &User) -> Result<bool, VerifyError> {
    let sql = "SELECT tenant_id FROM memberships WHERE user_id = ?1 ORDER BY tenant_id";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let stored = statement.query_map([user.id.as_str()], |row| row.get::<_, String>(0)).map_err(failure)?;
    let stored: Vec<String> = stored.collect::<Result<_, _>>().map_err(failure)?;
    let mut expected: Vec<&str> = user.tenant_ids.iter().map(|id| id.as_str()).collect();
    expected.sort_unstable();
    Ok(stored == expected)
}

/// Nothing may be stored that the log does not know. What the log says of what it knows was judged by its last change.
fn judge_unknown(connection: &Connection, revision: u64) -> Result<(), VerifyError> {
    for (kind, table, _) in KINDS {
        if columns_of(connection, table)?.is_empty() {
            continue;
        }
        let sql = format!(
            "SELECT id FROM {table} WHERE NOT EXISTS \
             (SELECT 1 FROM changes WHERE kind = '{kind}' AND entity_id = {table}.id) LIMIT 1"
        );
        if let Some(id) = first(connection, &sql)? {
            let detail = format!("the {kind} {id} is stored, and the log does not know it");
            return Err(breach("record_unknown", revision, detail));
        }
    }
    let sql = "SELECT user_id FROM memberships WHERE NOT EXISTS \
               (SELECT 1 FROM users WHERE users.id = user_id) LIMIT 1";
    match first(connection, sql)? {
        Some(id) => {
            let detail = format!("memberships of {id} are stored, and there is no such user");
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
