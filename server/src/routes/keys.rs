//! The handlers for machine keys.

use axum::http::StatusCode;
use dezky_core::Timestamp;
use dezky_core::model::Revisioned;
use dezky_core::names::{Environment, Id, Label, Slug};
use dezky_core::world::Warning;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{CURSOR, LIMIT, Page, touched};
use crate::app::new_id;
use crate::http::call::Call;
use crate::http::operation::{Body, Operation};
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::keys::{KeyKind, KeyRecord, PreviousSecret, hash_of, hint_of, new_secret};
use crate::live::KeyEntry;
use crate::store::{PageStart, Record, RecordChange, Require};

const CREATED: Body =
    Body::whole::<NewKey>(&["name", "kind", "tenantSlug", "environment", "expiresAt"], &["name", "kind"]);

const ROTATED: Body = Body::whole::<Rotation>(&["previousUntil"], &[]);

/// The maximum time for which the secret before a rotation is accepted.
const MAX_OVERLAP_DAYS: i64 = 30;

pub const LIST: Operation = Operation::new(|call| Box::pin(list(call)))
    .summary("Lists the machine keys, oldest first, with the time of their last use")
    .query(&[LIMIT, CURSOR])
    .returns::<Page<KeyView>>();

pub const CREATE: Operation = Operation::new(|call| Box::pin(create(call)))
    .summary(
        "Creates a machine key; only this response contains its secret, and a repetition of the \
         request does not",
    )
    .body(CREATED)
    .creates()
    .returns::<KeyView>();

pub const READ: Operation =
    Operation::new(|call| Box::pin(read(call))).summary("Returns one machine key").returns::<KeyView>();

// Rotation and revocation apply to the key whatever its version, so neither requires If-Match.

pub const ROTATE: Operation = Operation::new(|call| Box::pin(rotate(call)))
    .summary(
        "Gives a key a new secret, which only this response contains; the previous secret is \
         accepted until previousUntil",
    )
    .body(ROTATED)
    .returns::<KeyView>();

pub const REVOKE: Operation = Operation::new(|call| Box::pin(revoke(call)))
    .summary("Revokes a machine key, which is refused from the next request on; the change log keeps it")
    .returns::<KeyView>();

/// The body of a request for a new key.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct NewKey {
    /// The display name of the key.
    name: Label,
    /// The kind of access.
    kind: KeyKind,
    /// The slug of the tenant whose flags a `tenant` key evaluates.
    tenant_slug: Option<Slug>,
    /// The environment in which it evaluates; by default that of the server.
    environment: Option<Environment>,
    /// The time from which the key is refused; absent for no expiry.
    expires_at: Option<Timestamp>,
}

/// The body of a rotation.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct Rotation {
    /// The time until which the previous secret is accepted as well: at most 30 days from now.
    /// Absent, it is refused at once.
    previous_until: Option<Timestamp>,
}

/// A machine key as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct KeyView {
    #[serde(flatten)]
    key: KeyRecord,
    /// The slug of its tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_slug: Option<Slug>,
    /// The time of the last use, to the minute after a restart; null for never.
    last_used_at: Option<Timestamp>,
    /// The address of the client at that use; null for never.
    last_used_from: Option<String>,
    /// Warnings: an environment that neither the server nor another key has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
    /// The secret, only in the response that created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl KeyView {
    fn new(call: &Call, key: KeyRecord) -> KeyView {
        let tenant = key.tenant_id.as_ref();
        let slug = tenant.and_then(|id| Some(call.app.live.read().tenant_by_id(id.as_str())?.slug.clone()));
        KeyView {
            key,
            tenant_slug: slug,
            last_used_at: None,
            last_used_from: None,
            warnings: Vec::new(),
            secret: None,
        }
    }

    fn from_entry(call: &Call, entry: &KeyEntry) -> KeyView {
        KeyView {
            last_used_at: entry.last_used_at(),
            last_used_from: entry.last_used_from().map(|address| address.to_string()),
            ..KeyView::new(call, entry.key.clone())
        }
    }
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let after = call.after()?.map(|position| Id::new(&position.id)).transpose()?;
    let limit = call.query.limit()? + 1;
    let found: Vec<_> = call.app.live.read().keys_after(after.as_ref()).take(limit).cloned().collect();
    let position =
        |entry: &std::sync::Arc<KeyEntry>| PageStart { key: String::new(), id: entry.key.id.to_string() };
    let (keys, next_cursor) = call.page(found, position)?;
    Reply::json(&Page {
        items: keys.iter().map(|entry| KeyView::from_entry(&call, entry)).collect(),
        next_cursor,
    })
}

async fn create(call: Call) -> Result<Reply, Problem> {
    let (key, secret) = key_from_body(&call)?;
    let requires = key.tenant_id.iter().map(|id| Require::LiveTenants(vec![id.clone()])).collect();
    let mut view = KeyView::new(&call, key.clone());
    view.warnings = warnings(&call, &key.environment);
    // The stored receipt of this request must not contain the secret.
    let receipt = Reply::json(&view)?.created(format!("/keys/{}", key.id));
    let change = RecordChange { action: "key.create", before: None, after: Some(Record::Key(Box::new(key))) };
    let written =
        call.write(vec![change], requires, receipt).await.map_err(|problem| match problem.code() {
            "unknown_tenant" => unknown_tenant(),
            _ => problem,
        })?;
    let is_own = written.location == Some(format!("/keys/{}", view.key.id));
    if is_own { with_secret(view, secret, written) } else { Ok(written) }
}

/// Adds the secret, which is not stored, to the committed reply.
fn with_secret(view: KeyView, secret: String, written: Reply) -> Result<Reply, Problem> {
    let view = KeyView { secret: Some(secret), ..view };
    Ok(Reply { content: Reply::json(&view)?.content, ..written })
}

async fn rotate(call: Call) -> Result<Reply, Problem> {
    let entry = current(&call)?;
    let until = rotated_until(&call)?;
    let before = entry.key.clone();
    if !before.is_valid(call.now) {
        return Err(Problem::conflict("key_expired", "", "This key has expired: create a new one"));
    }
    let secret = fresh_secret()?;
    let previous = until.map(|until| PreviousSecret { hint: before.hint.clone(), until, hash: before.hash });
    let (hash, hint, revisioned) = (hash_of(&secret), hint_of(&secret), touched(before.revisioned, &call));
    let after = KeyRecord { hash, hint, previous, revisioned, ..before.clone() };
    let view = KeyView { key: after.clone(), ..KeyView::from_entry(&call, &entry) };
    let receipt = Reply::json(&view)?;
    let (before, after) = (Record::Key(Box::new(before)), Record::Key(Box::new(after)));
    let change = RecordChange { action: "key.rotate", before: Some(before), after: Some(after) };
    let own = receipt.kept_body().to_vec();
    let written = call.write(vec![change], Vec::new(), receipt).await?;
    // A repeated request gets its stored reply, which belongs to another secret.
    let is_own = written.kept_body() == own;
    if is_own { with_secret(view, secret, written) } else { Ok(written) }
}

/// Reads the time until which the previous secret is accepted.
fn rotated_until(call: &Call) -> Result<Option<Timestamp>, Problem> {
    let Some(until) = time(call, "previousUntil")? else { return Ok(None) };
    let most = call.now.as_micros().saturating_add(MAX_OVERLAP_DAYS * 86_400 * 1_000_000);
    if until.as_micros() > most {
        let detail = "The previous secret can be accepted for at most 30 more days";
        return Err(Problem::invalid("/previousUntil", "overlap_too_long", detail));
    }
    Ok(Some(until))
}

/// Reads a future time from the body.
fn time(call: &Call, name: &str) -> Result<Option<Timestamp>, Problem> {
    let path = format!("/{name}");
    let time = match call.body.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => Timestamp::parse(text),
        Some(_) => {
            return Err(Problem::invalid(path, "wrong_type", "This must be a string with an RFC 3339 time"));
        }
    };
    let time = time.map_err(|error| Problem::from(dezky_core::Error::new(error.code, path.as_str())))?;
    if time <= call.now {
        return Err(Problem::invalid(path, "time_is_past", "This time is in the past"));
    }
    Ok(Some(time))
}

fn fresh_secret() -> Result<String, Problem> {
    new_secret().ok_or_else(|| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no_randomness",
            "No randomness is available for a secret",
        )
    })
}

fn warnings(call: &Call, environment: &Environment) -> Vec<Warning> {
    let environments = call.app.live.read().environments();
    if environments.contains(environment) {
        return Vec::new();
    }
    vec![Warning::unknown_name(
        "/environment",
        environment.as_str(),
        environments.iter().map(Environment::as_str),
    )]
}

fn key_from_body(call: &Call) -> Result<(KeyRecord, String), Problem> {
    let text = |name: &str| match call.body.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Problem::invalid(format!("/{name}"), "wrong_type", "This must be a string")),
    };
    let at = |path: &'static str| {
        move |error: dezky_core::Error| Problem::from(dezky_core::Error::new(error.code, path))
    };
    let name = Label::new(text("name")?.unwrap_or_default()).map_err(at("/name"))?;
    let kind =
        KeyKind::ALL.into_iter().find(|kind| text("kind").is_ok_and(|word| word == Some(kind.as_str())));
    let Some(kind) = kind else {
        return Err(Problem::invalid("/kind", "unknown_kind", "The kind must be server or tenant"));
    };
    let state = call.app.live.read();
    let environment = match text("environment")? {
        Some(named) => Environment::new(named).map_err(at("/environment"))?,
        None => state.environment().clone(),
    };
    let tenant_id = match (kind, text("tenantSlug")?) {
        (KeyKind::Server, None) => None,
        (KeyKind::Server, Some(_)) => {
            let detail = "A key of kind server has no tenant";
            return Err(Problem::invalid("/tenantSlug", "unknown_field", detail));
        }
        (KeyKind::Tenant, None) => {
            return Err(Problem::invalid("/tenantSlug", "missing", "A key of kind tenant needs a tenant"));
        }
        (KeyKind::Tenant, Some(slug)) => Some(state.tenant(slug).ok_or_else(unknown_tenant)?.id.clone()),
    };
    drop(state);
    let expires_at = time(call, "expiresAt")?;
    let secret = fresh_secret()?;
    let revisioned = Revisioned { created_at: call.now, updated_at: call.now, version: 1 };
    let (hash, hint) = (hash_of(&secret), hint_of(&secret));
    let (previous, created_by) = (None, Some(call.actor()));
    let key = KeyRecord {
        id: new_id()?,
        name,
        kind,
        tenant_id,
        environment,
        hint,
        expires_at,
        previous,
        created_by,
        revisioned,
        hash,
    };
    Ok((key, secret))
}

fn unknown_tenant() -> Problem {
    Problem::invalid("/tenantSlug", "unknown_tenant", "The tenant does not exist or is terminated")
}

async fn read(call: Call) -> Result<Reply, Problem> {
    Reply::json(&KeyView::from_entry(&call, &*current(&call)?))
}

async fn revoke(call: Call) -> Result<Reply, Problem> {
    let entry = current(&call)?;
    let reply = Reply::json(&KeyView::from_entry(&call, &entry))?;
    let before = Some(Record::Key(Box::new(entry.key.clone())));
    match call
        .write(vec![RecordChange { action: "key.revoke", before, after: None }], Vec::new(), reply)
        .await
    {
        // Another request has just revoked the key.
        Err(problem) if problem.code() == "stale" => Err(Problem::not_found()),
        written => written,
    }
}

fn current(call: &Call) -> Result<std::sync::Arc<KeyEntry>, Problem> {
    call.app.live.read().key(call.part("id")).cloned().ok_or_else(Problem::not_found)
}
