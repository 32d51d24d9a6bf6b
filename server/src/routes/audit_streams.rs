//! Exports and verification of the change log, both streamed as lines of JSON (NDJSON).

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use dezky_core::access::{Action, Resource, decide};
use dezky_core::limits::MAX_REVISION;
use dezky_core::model::Change;
use dezky_core::names::Digest;
use futures_util::stream::try_unfold;
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::{App, now};
use crate::delivery::StreamPermit;
use crate::http::call::Call;
use crate::http::caller::Caller;
use crate::http::limits::MAX_EXPORTS;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::query::Parameter;
use crate::http::reply::Reply;
use crate::store::{LogHead, Verification, VerifyError};

const FROM: Parameter = Parameter {
    name: "from",
    description: "The first revision to export",
    schema: r#"{ "type": "integer", "minimum": 1, "maximum": 9007199254740991, "default": 1 }"#,
};

const EXPECT: Parameter = Parameter {
    name: "expect",
    description: "A kept head as REVISION:HASH; the log must contain this change",
    schema: r#"{ "type": "string", "pattern": "^[0-9]{1,16}:[0-9a-f]{64}$" }"#,
};

pub const EXPORT: Operation = Operation::new(|call| Box::pin(export(call)))
    .summary(
        "Exports the changes from a revision on, oldest first, one per line, up to the newest at \
         the time of the request",
    )
    .query(&[FROM])
    .returns::<Change>()
    .streams_lines();

pub const VERIFY: Operation = Operation::new(|call| Box::pin(verify(call)))
    .summary(
        "Verifies the change log and every record against it: one line for each step, the last \
         with state ok or failed",
    )
    .query(&[EXPECT])
    .returns::<VerifyLine>()
    .streams_lines();

/// One line of a verification.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct VerifyLine {
    /// The state of the verification.
    state: VerifyState,
    /// The revision up to which everything is verified, or at which the verification failed.
    revision: u64,
    /// The newest revision when the verification began.
    until: u64,
    /// The hash of the last verified change; with state ok, of the head of the log.
    hash: Digest,
    /// The stable code of the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// A sentence that explains the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// The state of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum VerifyState {
    /// The verification continues; more lines follow.
    Running,
    /// Every record and hash is correct. The last line.
    Ok,
    /// A record or hash is wrong or cannot be read. The last line.
    Failed,
}

/// The caller of a stream with its permit.
struct ExportCaller {
    app: Arc<App>,
    caller: Caller,
    _permit: StreamPermit,
}

impl ExportCaller {
    /// Takes a permit for a named kind of stream; `None` if all are taken.
    fn new(call: Call, name: &str, most: usize) -> Option<ExportCaller> {
        let permit = call.app.streams.acquire(Some((name, most)))?;
        Some(ExportCaller { app: call.app, caller: call.caller, _permit: permit })
    }

    /// Authorizes the reader again. An error cuts the stream off visibly: the server stops, or
    /// the caller lost access.
    fn authorize(&mut self) -> std::io::Result<()> {
        let cut = |reason: &str| std::io::Error::other(reason.to_owned());
        if *self.app.stopping.borrow() {
            return Err(cut("the server is stopping"));
        }
        let at = now().map_err(|problem| cut(problem.detail()))?;
        self.caller =
            self.caller.refreshed(&self.app, at).ok_or_else(|| cut("the credential is no longer valid"))?;
        match decide(&self.caller.principal, Action::AuditRead, &Resource::default()).allowed {
            true => Ok(()),
            false => Err(cut("the caller may no longer read the log")),
        }
    }
}

async fn export(call: Call) -> Result<Reply, Problem> {
    let revision = |text: &str| text.parse().ok().filter(|from| (1..=MAX_REVISION).contains(from));
    let from = call.query.read("from", revision)?.unwrap_or(1);
    let (until, _) = call.app.store.head().await?;
    let Some(reader) = ExportCaller::new(call, "audit export", MAX_EXPORTS) else {
        let detail = "The limit of concurrent exports is reached";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail);
        return Err(problem.with_header(RETRY_AFTER, HeaderValue::from_static("10")));
    };
    let lines = try_unfold((reader, from - 1), move |(mut reader, after)| async move {
        if after >= until {
            return Ok(None);
        }
        reader.authorize()?;
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
    let Some(reader) = ExportCaller::new(call, "audit verification", 1) else {
        let detail = "Another verification is running: retry when it has ended";
        return Err(Problem::new(StatusCode::CONFLICT, "verification_running", detail));
    };
    let (newest, _) = reader.app.store.head().await?;
    let start = Some((reader, Verification::new(expected)));
    let lines = try_unfold(start, move |running| async move {
        let Some((mut reader, so_far)) = running else { return Ok(None) };
        reader.authorize()?;
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

    /// Creates the last line of a failure. `newest` is the end of a verification that failed in
    /// its first step.
    fn failed(so_far: &Verification, newest: u64, error: VerifyError) -> std::io::Result<VerifyLine> {
        let until = so_far.until.unwrap_or(newest);
        let line = VerifyLine { until, ..VerifyLine::new(VerifyState::Failed, so_far)? };
        Ok(match error {
            VerifyError::Breach(breach) => {
                tracing::error!(
                    code = breach.code,
                    revision = breach.revision,
                    "the stored data differs from what was written"
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

/// Creates a streamed reply of lines that proxies do not buffer.
fn streamed(body: Body) -> Reply {
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Reply::stream(body).with_type("application/x-ndjson").with_header(unbuffered.0, unbuffered.1)
}
