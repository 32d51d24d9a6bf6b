//! Machine keys: for what evaluates by itself, and for what asks without being a person.

use axum::http::StatusCode;
use dezky_core::{Action, Environment, Id, Label, Revisioned, Slug, Timestamp, Warning};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{CURSOR, LIMIT, Page, touched};
use crate::app::new_id;
use crate::http::call::Call;
use crate::http::operation::{Body, Operation, Precondition, delete, get, post};
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::keys::{KeyKind, KeyRecord, PreviousSecret, hash_of, hint_of, new_secret};
use crate::live::KeyEntry;
use crate::store::{PageStart, Record, RecordChange, Require};

const CREATED: Body =
    Body::whole::<NewKey>(&["name", "kind", "tenantSlug", "environment", "expiresAt"], &["name", "kind"]);

const ROTATED: Body = Body::whole::<Rotation>(&["previousUntil"], &[]);

/// How long the secret before a rotation may be kept.
const MAX_OVERLAP_DAYS: i64 = 30;

pub fn operations() -> Vec<Operation> {
    vec![
        get("/keys", Action::KeyList, list)
            .says("The machine keys, oldest first, with when each was last used")
            .asks(&[LIMIT, CURSOR])
            .gives::<Page<KeyView>>(),
        post("/keys", Action::KeyCreate, create)
            .says("A new machine key; its secret is in this answer and nowhere else, not even in the same answer again")
            .takes(CREATED)
            .creates()
            .gives::<KeyView>(),
        get("/keys/{id}", Action::KeyList, read).says("One machine key").gives::<KeyView>(),
        // Whoever rotates or revokes a key means the key, whatever its version.
        post("/keys/{id}/rotate", Action::KeyCreate, rotate)
            .says("Gives a key a new secret, which is in this answer alone; the one before it is accepted until the time that is given")
            .takes(ROTATED)
            .gives::<KeyView>(),
        Operation {
            precondition: Precondition::None,
            ..delete("/keys/{id}", Action::KeyRevoke, revoke)
                .says("Revokes a machine key: from the next request on it is unknown; the log keeps it")
                .gives::<KeyView>()
        },
    ]
}

/// What is said of a new key.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct NewKey {
    /// What people call it.
    name: Label,
    /// What it may do.
    kind: KeyKind,
    /// Whose flags a `tenant` key evaluates.
    tenant_slug: Option<Slug>,
    /// The environment in which it evaluates; the server's own unless said otherwise.
    environment: Option<Environment>,
    /// From when on the key is refused; never, where absent.
    expires_at: Option<Timestamp>,
}

/// What is said of a rotation.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct Rotation {
    /// Until when the secret before it is accepted as well: at most 30 days from now. Absent, it is refused at once.
    previous_until: Option<Timestamp>,
}

/// A machine key as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct KeyView {
    #[serde(flatten)]
    key: KeyRecord,
    /// The slug of its tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_slug: Option<Slug>,
    /// When it was last used, to the minute after a restart; null for never.
    last_used_at: Option<Timestamp>,
    /// The client's address at that use; null for never.
    last_used_from: Option<String>,
    /// What its maker may not have meant: an environment that neither the server nor another key has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
    /// The secret: in the answer that made it alone.
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

    fn of(call: &Call, known: &KeyEntry) -> KeyView {
        KeyView {
            last_used_at: known.last_used_at(),
            last_used_from: known.last_used_from().map(|address| address.to_string()),
            ..KeyView::new(call, known.key.clone())
        }
    }
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let after = call.after()?.map(|position| Id::new(&position.id)).transpose()?;
    let limit = call.query.limit()? + 1;
    let found: Vec<_> = call.app.live.read().keys_after(after.as_ref()).take(limit).cloned().collect();
    let position =
        |known: &std::sync::Arc<KeyEntry>| PageStart { key: String::new(), id: known.key.id.to_string() };
    let (keys, next_cursor) = call.page(found, position)?;
    Reply::json(&Page { items: keys.iter().map(|known| KeyView::of(&call, known)).collect(), next_cursor })
}

async fn create(call: Call) -> Result<Reply, Problem> {
    let (key, secret) = made(&call)?;
    let requires = key.tenant_id.iter().map(|id| Require::LiveTenants(vec![id.clone()])).collect();
    let mut view = KeyView::new(&call, key.clone());
    view.warnings = warnings(&call, &key.environment);
    // What is kept for a repetition of this request has no secret either.
    let kept = Reply::json(&view)?.created(format!("/keys/{}", key.id));
    let entry = RecordChange { action: "key.create", before: None, after: Some(Record::Key(Box::new(key))) };
    let written = call.write(vec![entry], requires, kept).await.map_err(|problem| match problem.code() {
        "unknown_tenant" => no_such_tenant(),
        _ => problem,
    })?;
    let is_ours = written.location == Some(format!("/keys/{}", view.key.id));
    if is_ours { revealed(view, secret, written) } else { Ok(written) }
}

/// The answer that was written, with the secret that is kept nowhere.
fn revealed(view: KeyView, secret: String, written: Reply) -> Result<Reply, Problem> {
    let view = KeyView { secret: Some(secret), ..view };
    Ok(Reply { content: Reply::json(&view)?.content, ..written })
}

async fn rotate(call: Call) -> Result<Reply, Problem> {
    let known = current(&call)?;
    let until = rotated_until(&call)?;
    let before = known.key.clone();
    if !before.is_valid(call.now) {
        return Err(Problem::conflict("key_expired", "", "This key has expired: make a new one"));
    }
    let secret = fresh_secret()?;
    let previous = until.map(|until| PreviousSecret { hint: before.hint.clone(), until, hash: before.hash });
    let (hash, hint, revisioned) = (hash_of(&secret), hint_of(&secret), touched(before.revisioned, &call));
    let after = KeyRecord { hash, hint, previous, revisioned, ..before.clone() };
    let view = KeyView { key: after.clone(), ..KeyView::of(&call, &known) };
    let kept = Reply::json(&view)?;
    let (before, after) = (Record::Key(Box::new(before)), Record::Key(Box::new(after)));
    let entry = RecordChange { action: "key.rotate", before: Some(before), after: Some(after) };
    let own = kept.kept_body().to_vec();
    let written = call.write(vec![entry], Vec::new(), kept).await?;
    // A repetition gets the answer that was kept, which is of another secret.
    let is_ours = written.kept_body() == own;
    if is_ours { revealed(view, secret, written) } else { Ok(written) }
}

/// Until when the secret before a rotation is accepted.
fn rotated_until(call: &Call) -> Result<Option<Timestamp>, Problem> {
    let Some(until) = time(call, "previousUntil")? else { return Ok(None) };
    let most = call.now.as_micros().saturating_add(MAX_OVERLAP_DAYS * 86_400 * 1_000_000);
    if until.as_micros() > most {
        let detail = "The secret before a rotation is accepted for at most 30 days more";
        return Err(Problem::invalid("/previousUntil", "overlap_too_long", detail));
    }
    Ok(Some(until))
}

/// A time in the body, which is still to come.
fn time(call: &Call, name: &str) -> Result<Option<Timestamp>, Problem> {
    let path = format!("/{name}");
    let time = match call.body.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => Timestamp::parse(text),
        Some(_) => {
            return Err(Problem::invalid(path, "wrong_type", "This is a text: a time, as in RFC 3339"));
        }
    };
    let time = time.map_err(|error| Problem::from(dezky_core::Error::new(error.code, path.as_str())))?;
    if time <= call.now {
        return Err(Problem::invalid(path, "time_is_past", "This time is over already"));
    }
    Ok(Some(time))
}

fn fresh_secret() -> Result<String, Problem> {
    new_secret().ok_or_else(|| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_randomness", "There is no randomness for a secret")
    })
}

fn warnings(call: &Call, environment: &Environment) -> Vec<Warning> {
    let known = call.app.live.read().environments();
    if known.contains(environment) {
        return Vec::new();
    }
    vec![Warning::unknown_name("/environment", environment.as_str(), known.iter().map(Environment::as_str))]
}

fn made(call: &Call) -> Result<(KeyRecord, String), Problem> {
    let text = |name: &str| match call.body.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Problem::invalid(format!("/{name}"), "wrong_type", "This is a text")),
    };
    let at = |path: &'static str| {
        move |error: dezky_core::Error| Problem::from(dezky_core::Error::new(error.code, path))
    };
    let name = Label::new(text("name")?.unwrap_or_default()).map_err(at("/name"))?;
    let kind =
        KeyKind::ALL.into_iter().find(|kind| text("kind").is_ok_and(|word| word == Some(kind.as_str())));
    let Some(kind) = kind else {
        return Err(Problem::invalid("/kind", "unknown_kind", "A key's kind is server or tenant"));
    };
    let state = call.app.live.read();
    let environment = match text("environment")? {
        Some(named) => Environment::new(named).map_err(at("/environment"))?,
        None => state.environment().clone(),
    };
    let tenant_id = match (kind, text("tenantSlug")?) {
        (KeyKind::Server, None) => None,
        (KeyKind::Server, Some(_)) => {
            let detail = "A key of kind server is not for one tenant";
            return Err(Problem::invalid("/tenantSlug", "unknown_field", detail));
        }
        (KeyKind::Tenant, None) => {
            return Err(Problem::invalid("/tenantSlug", "missing", "A key of kind tenant is for one tenant"));
        }
        (KeyKind::Tenant, Some(slug)) => Some(state.tenant(slug).ok_or_else(no_such_tenant)?.id.clone()),
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

fn no_such_tenant() -> Problem {
    Problem::invalid("/tenantSlug", "unknown_tenant", "There is no such tenant, or it is terminated")
}

async fn read(call: Call) -> Result<Reply, Problem> {
    Reply::json(&KeyView::of(&call, &*current(&call)?))
}

async fn revoke(call: Call) -> Result<Reply, Problem> {
    let known = current(&call)?;
    let reply = Reply::json(&KeyView::of(&call, &known))?;
    let before = Some(Record::Key(Box::new(known.key.clone())));
    match call
        .write(vec![RecordChange { action: "key.revoke", before, after: None }], Vec::new(), reply)
        .await
    {
        // Somebody else has revoked it just now.
        Err(problem) if problem.code() == "stale" => Err(Problem::not_found()),
        written => written,
    }
}

fn current(call: &Call) -> Result<std::sync::Arc<KeyEntry>, Problem> {
    call.app.live.read().key(call.part("id")).cloned().ok_or_else(Problem::not_found)
}
