//! Machine keys: for what evaluates by itself, and for what asks without being a person.

use axum::http::StatusCode;
use dezky_core::{Action, Environment, Id, Label, Revisioned, Slug, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{CURSOR, LIMIT, Page};
use crate::app::new_id;
use crate::http::call::Call;
use crate::http::operation::{Body, Operation, Precondition, delete, get, post};
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::keys::{Key, KeyKind, hash_of, hint_of, new_secret};
use crate::live::KnownKey;
use crate::store::{Entry, Position, Record, Require};

const CREATED: Body =
    Body::whole::<NewKey>(&["name", "kind", "tenantSlug", "environment"], &["name", "kind"]);

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
        // A key never changes, so there is no version to name.
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
}

/// A machine key as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct KeyView {
    #[serde(flatten)]
    key: Key,
    /// The slug of its tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_slug: Option<Slug>,
    /// When it was last used, to the minute after a restart; null for never.
    last_used_at: Option<Timestamp>,
    /// The secret: in the answer that made it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl KeyView {
    fn new(call: &Call, key: Key, last_used_at: Option<Timestamp>) -> KeyView {
        let tenant = key.tenant_id.as_ref();
        let slug = tenant.and_then(|id| Some(call.app.live.read().tenant_by_id(id.as_str())?.slug.clone()));
        KeyView { key, tenant_slug: slug, last_used_at, secret: None }
    }

    fn of(call: &Call, known: &KnownKey) -> KeyView {
        KeyView::new(call, known.key.clone(), known.last_used_at())
    }
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let after = call.after()?.map(|position| Id::new(&position.id)).transpose()?;
    let limit = call.query.limit()? + 1;
    let found: Vec<_> = call.app.live.read().keys_after(after.as_ref()).take(limit).cloned().collect();
    let position =
        |known: &std::sync::Arc<KnownKey>| Position { key: String::new(), id: known.key.id.to_string() };
    let (keys, next_cursor) = call.page(found, position)?;
    Reply::json(&Page { items: keys.iter().map(|known| KeyView::of(&call, known)).collect(), next_cursor })
}

async fn create(call: Call) -> Result<Reply, Problem> {
    let (key, secret) = made(&call)?;
    let requires = key.tenant_id.iter().map(|id| Require::LiveTenants(vec![id.clone()])).collect();
    let mut view = KeyView::new(&call, key.clone(), None);
    // What is kept for a repetition of this request has no secret either.
    let kept = Reply::json(&view)?.created(format!("/keys/{}", key.id));
    let entry = Entry { action: "key.create", before: None, after: Some(Record::Key(Box::new(key))) };
    let written = call.write(vec![entry], requires, kept).await.map_err(|problem| match problem.code() {
        "unknown_tenant" => no_such_tenant(),
        _ => problem,
    })?;
    let is_ours = written.location == Some(format!("/keys/{}", view.key.id));
    if !is_ours {
        return Ok(written);
    }
    view.secret = Some(secret);
    Ok(Reply { content: Reply::json(&view)?.content, ..written })
}

fn made(call: &Call) -> Result<(Key, String), Problem> {
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
    let no_randomness = || {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_randomness", "There is no randomness for a secret")
    };
    let secret = new_secret().ok_or_else(no_randomness)?;
    let revisioned = Revisioned { created_at: call.now, updated_at: call.now, version: 1 };
    let (hash, hint) = (hash_of(&secret), hint_of(&secret));
    Ok((Key { id: new_id()?, name, kind, tenant_id, environment, hint, revisioned, hash }, secret))
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
    match call.write(vec![Entry { action: "key.revoke", before, after: None }], Vec::new(), reply).await {
        // Somebody else has revoked it just now.
        Err(problem) if problem.code() == "stale" => Err(Problem::not_found()),
        written => written,
    }
}

fn current(call: &Call) -> Result<std::sync::Arc<KnownKey>, Problem> {
    call.app.live.read().key(call.part("id")).cloned().ok_or_else(Problem::not_found)
}
