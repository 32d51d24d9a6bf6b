//! The handlers for flags.

use std::time::Duration;

use axum::http::StatusCode;
use dezky_core::flags::State;
use dezky_core::limits::{MAX_DOCUMENT_BYTES, MAX_FLAGS};
use dezky_core::model::{Edited, Editor, Flag, FlagPatch};
use dezky_core::names::FlagKey;
use dezky_core::world::{Edit, Plan};
use dezky_core::{Code, Error};
use serde_json::{Value, json};

use super::delivery::ReachView;
use super::flag_views::{FlagView, author, history, with_history};
use super::{CURSOR, LIMIT, Page, stamp};
use crate::http::call::Call;
use crate::http::document::merged;
use crate::http::etag::etag;
use crate::http::limits::MAX_WAIT;
use crate::http::operation::{Body, Operation};
use crate::http::problem::Problem;
use crate::http::query::Parameter;
use crate::http::reply::{Reply, serialization_failed};
use crate::live::FLAG_KILL;
use crate::routes::plans;
use crate::store::{FlagQuery, PageStart, Record, RecordChange, Require};

const CREATED: Body = Body::whole::<Flag>(&["key", "state", "pct", "scope", "description"], &["key"]);

const CHANGED: Body =
    Body { schema: changed, ..Body::patch::<Flag>(&["state", "pct", "scope", "description", "planDigest"]) };

const RESTORED: Body =
    Body { members: &["revision"], required: &["revision"], ..Body::whole::<Revision>(&[], &[]) };

const WAIT: Parameter = Parameter {
    name: "wait",
    description: "The maximum time to wait until every instance evaluates with the change: a whole number with the \
                  unit ms or s, from 0ms to 10s, such as 500ms or 2s; the response contains the reach at that \
                  moment",
    schema: r#"{ "type": "string", "pattern": "^[0-9]{1,5}(ms|s)$" }"#,
};

/// The size of a snapshot without its flags, with the longest revision and environment.
const MAX_ENVELOPE_BYTES: usize = 256;

/// Rejects writes after which clients would refuse the snapshot.
const FITS: Require =
    Require::FlagsWithin { flags: MAX_FLAGS, bytes: MAX_DOCUMENT_BYTES - MAX_ENVELOPE_BYTES };

/// Keys that no flag can have, because they are paths beside `/flags/{key}`.
const RESERVED: [&str; 6] = ["evaluate", "plan", "snapshot", "slice", "stream", "reach"];

/// The state of a flag to restore.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Revision {
    /// The revision at which the flag had this state.
    revision: u64,
}

fn changed(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut schema = <Flag as schemars::JsonSchema>::json_schema(generator);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(
            "planDigest".to_owned(),
            json!({ "type": "string", "description": "The digest of the plan whose effect this change must have" }),
        );
    }
    schema
}

pub const LIST: Operation = Operation::new(|call| Box::pin(list(call)))
    .summary("Lists the flags by key")
    .query(&[LIMIT, CURSOR])
    .returns::<Page<FlagView>>();

pub const CREATE: Operation = Operation::new(|call| Box::pin(create(call)))
    .summary("Creates a flag")
    .body(CREATED)
    .creates()
    .returns::<FlagView>();

pub const READ: Operation = Operation::new(|call| Box::pin(read(call)))
    .summary("Returns one flag with its newest changes")
    .returns::<FlagView>();

pub const UPDATE: Operation = Operation::new(|call| Box::pin(update(call)))
    .summary("Changes a flag; with planDigest, only if the change still has the planned effect")
    .body(CHANGED)
    .if_match()
    .returns::<FlagView>();

pub const REMOVE: Operation = Operation::new(|call| Box::pin(remove(call)))
    .summary("Deletes a flag; the change log keeps its last state")
    .if_match()
    .returns::<FlagView>();

pub const KILL: Operation = Operation::new(|call| Box::pin(kill(call)))
    .summary("Turns a flag off for every tenant")
    .if_match()
    .query(&[WAIT])
    .returns::<FlagView>();

pub const RESTORE: Operation = Operation::new(|call| Box::pin(restore(call)))
    .summary("Restores the state that a flag had at a revision")
    .if_match()
    .body(RESTORED)
    .returns::<FlagView>();

async fn list(call: Call) -> Result<Reply, Problem> {
    let query = FlagQuery { after: call.after()?, limit: call.query.limit()? + 1 };
    let found = call.app.store.flags(query).await?;
    let position = |flag: &Flag| PageStart { key: flag.key().to_string(), id: String::new() };
    let (flags, next_cursor) = call.page(found, position)?;
    let items = flags.iter().map(|flag| FlagView::new(&call, flag)).collect();
    Reply::json(&Page { items, next_cursor })
}

async fn create(call: Call) -> Result<Reply, Problem> {
    let mut blank = stamp(&crate::app::new_id()?, &call);
    if let Some(members) = blank.as_object_mut() {
        members.remove("id");
        // A flag without a state is off.
        members.insert("state".to_owned(), json!(State::Off));
    }
    let flag: Flag = merged(&blank, &call.body)?;
    if RESERVED.contains(&flag.key().as_str()) {
        return Err(Problem::invalid(
            "/key",
            "reserved_key",
            "This key is the name of a path beside /flags/{key}",
        ));
    }
    let Edited { flag, warning } =
        Flag::create(flag.key().clone(), flag.content().clone(), editor(&call, 1)?)?;
    let view = FlagView::new(&call, &flag).warned(warning, plans::warnings(&call, &flag).await?);
    let reply = reply_with(&view, &flag)?.created(format!("/flags/{}", flag.key()));
    let change =
        RecordChange { action: "flag.create", before: None, after: Some(Record::Flag(Box::new(flag))) };
    call.write(vec![change], vec![FITS], reply).await
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let flag = current(&call).await?;
    reply_with(&FlagView::new(&call, &flag).with_history(&call).await?, &flag)
}

async fn update(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.check_version(before.revisioned())?;
    let patch = FlagPatch::from_json(Value::Object(call.body.clone()).to_string().as_bytes())?;
    let Some(promised) = call.body.get("planDigest").and_then(Value::as_str) else {
        let edited = before.edit(patch, editor(&call, 1)?);
        return write(&call, "flag.update", before, edited, None).await;
    };
    // No other write changes an effect until this one is committed or rejected.
    let _exclusive = call.app.effects.write().await;
    let plan = plans::plan(&call, Edit::flag(patch.merged_rule(&before.rule()))).await?;
    if *plan.digest() != promised {
        return Err(effect_changed(&plan)?);
    }
    let edited = before.edit(patch, editor(&call, 1)?);
    write(&call, "flag.update", before, edited, Some(plan.base_revision())).await
}

fn effect_changed(plan: &Plan) -> Result<Problem, Problem> {
    let detail = "The effect differs from the plan: nothing was saved, and plan is the current one";
    let plan = serde_json::to_value(plan).map_err(crate::http::reply::serialization_failed)?;
    Ok(Problem::conflict("effect_changed", "/planDigest", detail).with_member("plan", plan))
}

async fn remove(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.check_version(before.revisioned())?;
    let reply = Reply::json(&FlagView::new(&call, &before))?;
    let before = Some(Record::Flag(Box::new(before)));
    call.write(vec![RecordChange { action: "flag.delete", before, after: None }], Vec::new(), reply).await
}

async fn kill(call: Call) -> Result<Reply, Problem> {
    let wait = call.query.get("wait").map(|text| duration(text).ok_or_else(wrong_wait)).transpose()?;
    let before = current(&call).await?;
    call.check_version(before.revisioned())?;
    let edited = before.kill(editor(&call, 1)?);
    let reply = write(&call, FLAG_KILL, before, edited, None).await?;
    let Some(wait) = wait else { return Ok(reply) };
    let reach = ReachView::awaited(&call.app, tokio::time::Instant::now() + wait).await?;
    let reach = serde_json::to_value(reach).map_err(serialization_failed)?;
    let mut answer: Value = serde_json::from_slice(reply.kept_body()).map_err(serialization_failed)?;
    if let Some(members) = answer.as_object_mut() {
        members.insert("reach".to_owned(), reach);
    }
    Ok(Reply { content: Reply::json(&answer)?.content, ..reply })
}

fn wrong_wait() -> Problem {
    let detail = "wait must be a whole number with the unit ms or s, from 0ms to 10s, such as 500ms or 2s";
    Problem::invalid("?wait", "invalid_parameter", detail).with_status(StatusCode::BAD_REQUEST)
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, Duration::from_millis(1)),
        None => (text.strip_suffix('s')?, Duration::from_secs(1)),
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse::<u32>().ok().filter(|_| is_number)?;
    Some(unit.saturating_mul(number)).filter(|wait| *wait <= MAX_WAIT)
}

async fn restore(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.check_version(before.revisioned())?;
    let Some(revision) = call.body.get("revision").and_then(Value::as_u64) else {
        return Err(Error::new(Code::InvalidRevision, "/revision").into());
    };
    let known = with_history(&before, &history(&call, before.key()).await?)?;
    let newest = known.history().first().map_or(0, |newest| newest.revision);
    let edited = known.restore(revision, editor(&call, newest + 1)?);
    write(&call, "flag.restore", before, edited, None).await
}

/// Commits an edit; an edit without changes returns the flag as it is.
async fn write(
    call: &Call,
    action: &'static str,
    before: Flag,
    edited: Result<Edited, Error>,
    planned_at: Option<u64>,
) -> Result<Reply, Problem> {
    let Edited { flag, warning } = match edited {
        Err(error) if error.code == Code::EmptyEdit => {
            return reply_with(&FlagView::new(call, &before), &before);
        }
        edited => edited?,
    };
    let warnings = plans::warnings(call, &flag).await?;
    let reply = reply_with(&FlagView::new(call, &flag).warned(warning, warnings), &flag)?;
    // Writes that shrink the flag, and kills, are never rejected.
    let grows = flag.rule().canonical_bytes() > before.rule().canonical_bytes() && action != FLAG_KILL;
    let mut requires: Vec<Require> = grows.then_some(FITS).into_iter().collect();
    let (before, after) = (Record::Flag(Box::new(before)), Record::Flag(Box::new(flag)));
    let changes = vec![RecordChange { action, before: Some(before), after: Some(after) }];
    match planned_at {
        Some(revision) => {
            requires.push(Require::UnchangedWorld(revision));
            call.write_exclusively(changes, requires, reply).await
        }
        None => call.write(changes, requires, reply).await,
    }
}

fn reply_with(view: &FlagView, flag: &Flag) -> Result<Reply, Problem> {
    Ok(Reply::json(view)?.tagged(&etag(flag.revisioned())))
}

/// Returns the editor of a change. The log is the history, so the revision must only exceed those
/// that the flag contains.
fn editor(call: &Call, revision: u64) -> Result<Editor, Problem> {
    let by = author(&call.actor())
        .ok_or_else(|| Problem::denied(dezky_core::access::AccessReason::DeniedNoUser))?;
    Ok(Editor { by, at: call.now, revision })
}

async fn current(call: &Call) -> Result<Flag, Problem> {
    let key = FlagKey::new(call.part("key")).map_err(|_| Problem::not_found())?;
    call.app.store.flag(&key).await?.ok_or_else(Problem::not_found)
}
