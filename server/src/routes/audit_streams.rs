//! The change log as a whole: exported from a revision on, and verified. Both answers are streams of lines (NDJSON) that are made while they are read.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use dezky_core::limits::MAX_REVISION;
use dezky_core::{Action, Change, Digest, Resource, decide};
use futures_util::stream::try_unfold;
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::{App, now};
use crate::delivery::StreamPermit;
use crate::http::call::Call;
use crate::http::caller::Caller;
use crate::http::limits::MAX_EXPORTS;
use crate::http::operation::{Operation, get, post};
use crate::http::problem::Problem;
use crate::http::query::Parameter;
use crate::http::reply::Reply;
use crate::store::{LogHead, Verification, VerifyError};

const FROM: Parameter = Parameter {
    name: "from",
    about: "The first revision that is wanted",
    schema: r#"{ "type": "integer", "minimum": 1, "maximum": 9007199254740991, "default": 1 }"#,
};

const EXPECT: Parameter = Parameter {
    name: "expect",
    about: "A head that was kept outside, as REVISION:HASH: the log must have this change",
    schema: r#"{ "type": "string", "pattern": "^[0-9]{1,16}:[0-9a-f]{64}$" }"#,
};

pub fn operations() -> Vec<Operation> {
    vec![
        get("/audit/export", Action::AuditRead, export)
            .says("The changes from a revision on, oldest first, a line each, up to the newest at the time of the request")
            .asks(&[FROM])
            .gives::<Change>()
            .lines(),
        post("/audit/verify", Action::AuditRead, verify)
            .says("Verifies the change log and every record against it: a line for each step, and a last one that says ok or failed")
            .asks(&[EXPECT])
            .gives::<VerifyLine>()
            .lines(),
    ]
}

/// A line of a verification.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct VerifyLine {
    /// How it stands.
    state: VerifyState,
    /// The revision up to which everything is verified, or at which the verification failed.
    revision: u64,
    /// The newest revision when the verification began.
    until: u64,
    /// The hash of the last change that is verified: of the log's head, where the state is ok.
    hash: Digest,
    /// Why it failed: a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// Why it failed, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// How a verification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum VerifyState {
    /// More lines follow.
    Running,
    /// Everything is as it was written. The last line.
    Ok,
    /// Something is not as it was written, or cannot be read. The last line.
    Failed,
}

/// The caller of a stream, and the stream's place among those that are open.
struct Reader {
    app: Arc<App>,
    caller: Caller,
    _permit: StreamPermit,
}

impl Reader {
    /// A reader of one of so many streams of a name; nothing, where all of them are taken.
    fn new(call: Call, name: &str, most: usize) -> Option<Reader> {
        let permit = call.app.streams.acquire(Some((name, most)))?;
        Some(Reader { app: call.app, caller: call.caller, _permit: permit })
    }

    /// Ends the stream, visibly cut off, where the server stops or the caller may not read it any more.
    fn judge(&mut self) -> std::io::Result<()> {
        let cut = |reason: &str| std::io::Error::other(reason.to_owned());
        if *self.app.stopping.borrow() {
            return Err(cut("the server stops"));
        }
        let at = now().map_err(|problem| cut(problem.detail()))?;
        self.caller =
            self.caller.anew(&self.app, at).ok_or_else(|| cut("the credential is not valid any more"))?;
        match decide(&self.caller.principal, Action::AuditRead, &Resource::default()).allowed {
            true => Ok(()),
            false => Err(cut("the caller may not read the log any more")),
        }
    }
}

async fn export(call: Call) -> Result<Reply, Problem> {
    let revision = |text: &str| text.parse().ok().filter(|from| (1..=MAX_REVISION).contains(from));
    let from = call.query.read("from", revision)?.unwrap_or(1);
    let (until, _) = call.app.store.head().await?;
    let Some(reader) = Reader::new(call, "audit export", MAX_EXPORTS) else {
        let detail = "As many exports are under way as there may be";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail);
        return Err(problem.with_header(RETRY_AFTER, HeaderValue::from_static("10")));
    };
    let lines = try_unfold((reader, from - 1), move |(mut reader, after)| async move {
        if after >= until {
            return Ok(None);
        }
        reader.judge()?;
        let exported = reader.app.store.export(after, until).await.map_err(std::io::Error::other)?;
        match exported.last > after {
            true => Ok(Some((Bytes::from(exported.lines), (reader, exported.last)))),
            false => Err(std::io::Error::other("a change is missing")),
        }
    });
    Ok(streamed(Body::from_stream(lines)))
}

async fn verify(call: Call) -> Result<Reply, Problem> {
    let expected = call.query.read("expect", |text| text.parse::<LogHead>().ok())?;
    let Some(reader) = Reader::new(call, "audit verification", 1) else {
        let detail = "A verification is under way: wait until it has ended";
        return Err(Problem::new(StatusCode::CONFLICT, "verification_running", detail));
    };
    let (newest, _) = reader.app.store.head().await?;
    let start = Some((reader, Verification::new(expected)));
    let lines = try_unfold(start, move |under_way| async move {
        let Some((mut reader, so_far)) = under_way else { return Ok(None) };
        reader.judge()?;
        let before = so_far.clone();
        let (line, next) = match reader.app.store.verify(so_far).await {
            Ok(verified) => {
                let state = if verified.is_complete { VerifyState::Ok } else { VerifyState::Running };
                let line = VerifyLine::new(state, &verified)?;
                (line, Some((reader, verified)).filter(|_| state == VerifyState::Running))
            }
            Err(error) => (VerifyLine::failed(&before, newest, error)?, None),
        };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        Ok::<_, std::io::Error>(Some((Bytes::from(bytes), next)))
    });
    Ok(streamed(Body::from_stream(lines)))
}

impl VerifyLine {
    fn new(state: VerifyState, so_far: &Verification) -> std::io::Result<VerifyLine> {
        let head = so_far.head().map_err(std::io::Error::other)?;
        let until = so_far.until.unwrap_or(head.revision);
        Ok(VerifyLine { state, revision: head.revision, until, hash: head.hash, code: None, detail: None })
    }

    /// The last line. `newest` is where a verification ends that failed in its first step.
    fn failed(so_far: &Verification, newest: u64, error: VerifyError) -> std::io::Result<VerifyLine> {
        let until = so_far.until.unwrap_or(newest);
        let line = VerifyLine { until, ..VerifyLine::new(VerifyState::Failed, so_far)? };
        Ok(match error {
            VerifyError::Breach(breach) => {
                tracing::error!(
                    code = breach.code,
                    revision = breach.revision,
                    "what is stored is not what was written"
                );
                let (revision, code) = (breach.revision, Some(breach.code));
                VerifyLine { revision, code, detail: Some(breach.detail), ..line }
            }
            VerifyError::Store(error) => {
                let problem = Problem::from(error);
                VerifyLine { code: Some(problem.code()), detail: Some(problem.detail().to_owned()), ..line }
            }
        })
    }
}

/// An answer of lines. Proxies that collect answers pass it on as it comes.
fn streamed(body: Body) -> Reply {
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Reply::stream(body).as_type("application/x-ndjson").with_header(unbuffered.0, unbuffered.1)
}
