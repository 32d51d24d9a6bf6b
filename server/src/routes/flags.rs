//! Flags.

use std::time::Duration;

use axum::http::StatusCode;
use dezky_core::limits::{MAX_DOCUMENT_BYTES, MAX_FLAGS};
use dezky_core::{Action, Code, Edit, Edited, Editor, Error, Flag, FlagKey, FlagPatch, Plan, State};
use serde_json::{Value, json};

use super::delivery::ReachView;
use super::flag_views::{FlagView, history, named, with_history};
use super::{CURSOR, LIMIT, Page, evaluate, stamp};
use crate::http::call::Call;
use crate::http::document::merged;
use crate::http::etag::etag;
use crate::http::operation::{Body, Operation, delete, get, patch, post};

use crate::http::limits::MAX_WAIT;
use crate::http::problem::Problem;
use crate::http::query::Parameter;
use crate::http::reply::{Reply, unwritable};
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
    about: "How long to wait for every instance to evaluate with it: a whole number followed by its unit, ms or s, from 0ms to 10s, such as 500ms or 2s; the answer has the reach at that moment",
    schema: r#"{ "type": "string", "pattern": "^[0-9]{1,5}(ms|s)$" }"#,
};

/// The snapshot's first and last bytes, with the longest revision and environment, take less than this.
const MAX_ENVELOPE_BYTES: usize = 256;

/// No write makes a snapshot that clients refuse.
const FITS: Require =
    Require::FlagsWithin { flags: MAX_FLAGS, bytes: MAX_DOCUMENT_BYTES - MAX_ENVELOPE_BYTES };

/// Paths that stand beside `/flags/{key}`: no flag can have these keys.
const RESERVED: [&str; 6] = ["evaluate", "plan", "snapshot", "slice", "stream", "reach"];

/// Which state of a flag is wanted back.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Revision {
    /// The revision at which it stood so.
    revision: u64,
}

fn changed(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut schema = <Flag as schemars::JsonSchema>::json_schema(generator);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(
            "planDigest".to_owned(),
            json!({ "type": "string", "description": "The digest of the plan whose effect this must have" }),
        );
    }
    schema
}

pub fn operations() -> Vec<Operation> {
    vec![
        get("/flags", Action::FlagList, list)
            .says("The flags, by key")
            .asks(&[LIMIT, CURSOR])
            .gives::<Page<FlagView>>(),
        post("/flags", Action::FlagCreate, create)
            .says("A new flag")
            .takes(CREATED)
            .creates()
            .gives::<FlagView>(),
        evaluate::operation(),
        get("/flags/{key}", Action::FlagRead, read)
            .says("One flag, with its newest changes")
            .gives::<FlagView>(),
        patch("/flags/{key}", Action::FlagUpdate, update)
            .says("Changes a flag; with planDigest only if it still has the effect that was planned")
            .takes(CHANGED)
            .gives::<FlagView>(),
        delete("/flags/{key}", Action::FlagDelete, remove)
            .says("Removes a flag; the log keeps what it was")
            .gives::<FlagView>(),
        post("/flags/{key}/kill", Action::FlagUpdate, kill)
            .says("Turns a flag off for everybody")
            .if_match()
            .asks(&[WAIT])
            .gives::<FlagView>(),
        post("/flags/{key}/restore", Action::FlagUpdate, restore)
            .says("Brings a flag back to what it was at a revision")
            .if_match()
            .takes(RESTORED)
            .gives::<FlagView>(),
    ]
}

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
        // A flag of which only its name is said is off.
        members.insert("state".to_owned(), json!(State::Off));
    }
    let flag: Flag = merged(&blank, &call.body)?;
    if RESERVED.contains(&flag.key().as_str()) {
        return Err(Problem::invalid(
            "/key",
            "reserved_key",
            "This key is the name of a path beside the flags",
        ));
    }
    let Edited { flag, warning } =
        Flag::create(flag.key().clone(), flag.content().clone(), editor(&call, 1)?)?;
    let view = FlagView::new(&call, &flag).warned(warning, plans::warnings(&call, &flag).await?);
    let reply = shown(&view, &flag)?.created(format!("/flags/{}", flag.key()));
    let entry =
        RecordChange { action: "flag.create", before: None, after: Some(Record::Flag(Box::new(flag))) };
    call.write(vec![entry], vec![FITS], reply).await
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let flag = current(&call).await?;
    shown(&FlagView::new(&call, &flag).with_history(&call).await?, &flag)
}

async fn update(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.judge_version(before.revisioned())?;
    let patch = FlagPatch::from_json(Value::Object(call.body.clone()).to_string().as_bytes())?;
    let Some(promised) = call.body.get("planDigest").and_then(Value::as_str) else {
        let edited = before.edit(patch, editor(&call, 1)?);
        return write(&call, "flag.update", before, edited, None).await;
    };
    // Nobody else changes an effect until this is written, or refused.
    let _alone = call.app.effects.write().await;
    let plan = plans::plan(&call, Edit::flag(patch.merged_rule(&before.rule()))).await?;
    if *plan.digest() != promised {
        return Err(effect_changed(&plan)?);
    }
    let edited = before.edit(patch, editor(&call, 1)?);
    write(&call, "flag.update", before, edited, Some(plan.base_revision())).await
}

fn effect_changed(plan: &Plan) -> Result<Problem, Problem> {
    let detail =
        "The effect is no longer the one that was planned: nothing was saved, and this is the plan now";
    let plan = serde_json::to_value(plan).map_err(crate::http::reply::unwritable)?;
    Ok(Problem::conflict("effect_changed", "/planDigest", detail).with_member("plan", plan))
}

async fn remove(call: Call) -> Result<Reply, Problem> {
    let before = current(&call).await?;
    call.judge_version(before.revisioned())?;
    let reply = Reply::json(&FlagView::new(&call, &before))?;
    let before = Some(Record::Flag(Box::new(before)));
    call.write(vec![RecordChange { action: "flag.delete", before, after: None }], Vec::new(), reply).await
}

async fn kill(call: Call) -> Result<Reply, Problem> {
    let wait = call.query.get("wait").map(|text| duration(text).ok_or_else(wrong_wait)).transpose()?;
    let before = current(&call).await?;
    call.judge_version(before.revisioned())?;
    let edited = before.kill(editor(&call, 1)?);
    let reply = write(&call, FLAG_KILL, before, edited, None).await?;
    let Some(wait) = wait else { return Ok(reply) };
    let reach = ReachView::awaited(&call.app, tokio::time::Instant::now() + wait).await?;
    let reach = serde_json::to_value(reach).map_err(unwritable)?;
    let mut answer: Value = serde_json::from_slice(reply.kept_body()).map_err(unwritable)?;
    if let Some(members) = answer.as_object_mut() {
        members.insert("reach".to_owned(), reach);
    }
    Ok(Reply { content: Reply::json(&answer)?.content, ..reply })
}

fn wrong_wait() -> Problem {
    let detail = "wait is a whole number followed by its unit, ms or s, from 0ms to 10s: such as 500ms or 2s";
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
    call.judge_version(before.revisioned())?;
    let Some(revision) = call.body.get("revision").and_then(Value::as_u64) else {
        return Err(Error::new(Code::InvalidRevision, "/revision").into());
    };
    let known = with_history(&before, &history(&call, before.key()).await?)?;
    let newest = known.history().first().map_or(0, |newest| newest.revision);
    let edited = known.restore(revision, editor(&call, newest + 1)?);
    write(&call, "flag.restore", before, edited, None).await
}

/// Writes an edit; one that changes nothing is done already.
async fn write(
    call: &Call,
    action: &'static str,
    before: Flag,
    edited: Result<Edited, Error>,
    planned_at: Option<u64>,
) -> Result<Reply, Problem> {
    let Edited { flag, warning } = match edited {
        Err(error) if error.code == Code::EmptyEdit => return shown(&FlagView::new(call, &before), &before),
        edited => edited?,
    };
    let warnings = plans::warnings(call, &flag).await?;
    let reply = shown(&FlagView::new(call, &flag).warned(warning, warnings), &flag)?;
    // What only shrinks is never refused, and a kill never is at all.
    let grows = flag.rule().canonical_bytes() > before.rule().canonical_bytes() && action != FLAG_KILL;
    let mut requires: Vec<Require> = grows.then_some(FITS).into_iter().collect();
    let (before, after) = (Record::Flag(Box::new(before)), Record::Flag(Box::new(flag)));
    let entries = vec![RecordChange { action, before: Some(before), after: Some(after) }];
    match planned_at {
        Some(revision) => {
            requires.push(Require::UnchangedWorld(revision));
            call.write_alone(entries, requires, reply).await
        }
        None => call.write(entries, requires, reply).await,
    }
}

fn shown(view: &FlagView, flag: &Flag) -> Result<Reply, Problem> {
    Ok(Reply::json(view)?.tagged(&etag(flag.revisioned())))
}

/// Who edits. The log is the history, so the revision only has to be above what the flag at hand knows of.
fn editor(call: &Call, revision: u64) -> Result<Editor, Problem> {
    let by = named(&call.actor()).ok_or_else(|| Problem::denied(dezky_core::AccessReason::DeniedNoUser))?;
    Ok(Editor { by, at: call.now, revision })
}

async fn current(call: &Call) -> Result<Flag, Problem> {
    let key = FlagKey::new(call.part("key")).map_err(|_| Problem::not_found())?;
    call.app.store.flag(&key).await?.ok_or_else(Problem::not_found)
}
