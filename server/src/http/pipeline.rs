//! The way of every request: who, what, may they, once or again, answer.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use dezky_core::json::{JsonDocument, JsonNode, read_json};
use dezky_core::{Error, Timestamp};
use futures_util::FutureExt;
use futures_util::future::poll_immediate;
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::authorize::{Named, authorize, refuse_early};
use super::call::{Call, IdempotencyKey};
use super::caller::Caller;
use super::context::Context;
use super::host::judge_host;
use super::limits::{
    ANSWER_TIMEOUT, BODY_TIMEOUT, MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_IDEMPOTENCY_KEY, MAX_TARGET_BYTES,
};
use super::operation::{Answering, BodyForm, Credential, Operation, Route};
use super::problem::Problem;
use super::query::Query;
use super::reply::Reply;
use super::seen::{Outcome, Seen};
use super::{cors, document, operation};
use crate::app::{App, now};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Answers a request for an operation.
pub async fn answer(app: Arc<App>, route: Route, request: Request) -> Response<Body> {
    let seen = Seen::of(&app, Some(&route), &request);
    // In a box, because what is around it moves it about.
    let outcome = guarded(&seen, Box::pin(perform(&app, &route, request, seen.address))).await;
    seen.respond(outcome)
}

/// Answers a request for something that needs no caller: health, documents, the built-in identity provider.
pub async fn answer_open<F>(
    app: Arc<App>,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response<Body>
where
    F: Future<Output = Result<Reply, Problem>>,
{
    let seen = Seen::of(&app, None, &request);
    let answering = async {
        judge_host(request.version(), request.headers())?;
        answer(request).await
    };
    let outcome = guarded(&seen, async { (None, answering.await) }).await;
    seen.respond(outcome)
}

/// 404, for a path that is not there. Where it is there without the slash at its end, the answer says so.
pub async fn unknown_route(app: Arc<App>, paths: &[&'static str], request: Request) -> Response<Body> {
    let path = request.uri().path();
    let shorter = path.strip_suffix('/').filter(|shorter| !shorter.is_empty());
    let meant = shorter.and_then(|shorter| paths.iter().find(|template| is_of_template(shorter, template)));
    let problem = match meant {
        Some(template) => {
            let detail = format!("There is no slash at the end of this path: it is {template}");
            Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
        }
        None => Problem::not_found(),
    };
    answer_open(app, request, |_| async { Err(problem) }).await
}

fn is_of_template(path: &str, template: &str) -> bool {
    let (parts, given) = (template.split('/'), path.split('/'));
    parts.clone().count() == given.clone().count()
        && parts.zip(given).all(|(part, given)| part == given || (part.starts_with('{') && !given.is_empty()))
}

/// 405, for a path that is there and a method that is not.
pub async fn wrong_method(app: Arc<App>, allowed: &[Method], request: Request) -> Response<Body> {
    if let Some(permission) = cors::preflight(&app.origins, request.method(), request.headers()) {
        return permission;
    }
    let allowed: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This is not done here");
    let problem = match HeaderValue::try_from(allowed.join(", ")) {
        Ok(allowed) => problem.with_header(ALLOW, allowed),
        Err(_) => problem,
    };
    answer_open(app, request, |_| async { Err(problem) }).await
}

/// Waits for what comes of a request, within the time that it has; a panic is a failure like others.
async fn guarded(seen: &Seen<'_>, answering: impl Future<Output = Outcome>) -> Outcome {
    let answering = AssertUnwindSafe(within(ANSWER_TIMEOUT, answering)).catch_unwind();
    match answering.instrument(seen.span.clone()).await {
        Ok(Some(outcome)) => outcome,
        Ok(None) => (None, Err(timed_out())),
        Err(_) => (None, Err(panicked())),
    }
}

fn timed_out() -> Problem {
    let detail = "This took too long; whether it was done is not known";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail)
}

fn panicked() -> Problem {
    tracing::error!("a handler panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong here")
}

/// What comes of it, unless it takes too long. Most of it is there at once: only what has to be waited for is given a timer.
async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    match poll_immediate(future.as_mut()).await {
        Some(output) => Some(output),
        None => Box::pin(tokio::time::timeout(limit, future)).await.ok(),
    }
}

/// An async block, because an async function has room for its arguments twice.
fn perform(
    app: &Arc<App>,
    route: &Route,
    request: Request,
    address: IpAddr,
) -> impl Future<Output = Outcome> {
    let (mut parts, body) = request.into_parts();
    async move {
        let (caller, now) = match admit(app, &parts, route.operation.credential, address).await {
            Ok(admitted) => admitted,
            Err(problem) => return (None, Err(problem)),
        };
        let who = Some(caller.who.clone());
        let answering = match judge(app, &route.operation, (caller, now), &mut parts, body).await {
            Ok(call) => begin(&route.operation, call),
            Err(problem) => return (who, Err(problem)),
        };
        (who, answering.await)
    }
}

/// Who is calling and when, if the request is of a size that is looked at.
async fn admit(
    app: &App,
    parts: &Parts,
    credential: Credential,
    address: IpAddr,
) -> Result<(Caller, Timestamp), Problem> {
    judge_host(parts.version, &parts.headers)?;
    let header_bytes: usize =
        parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if header_bytes > MAX_HEADER_BYTES {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Problem::new(status, "headers_too_large", "The headers are larger than is accepted"));
    }
    if parts.uri.path_and_query().is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES) {
        let detail = "Path and query are longer than is accepted";
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "target_too_long", detail));
    }
    let link = match credential {
        Credential::Header => None,
        Credential::Link => Some(parts.uri.query().unwrap_or_default()),
    };
    let now = now()?;
    let caller = Caller::of(app, (&parts.headers, link), address, now).await?;
    Ok((caller, now))
}

/// What the handler gets, if the request is well-formed and its caller may make it.
async fn judge(
    app: &Arc<App>,
    operation: &Operation,
    (caller, admitted_at): (Caller, Timestamp),
    parts: &mut Parts,
    body: Body,
) -> Result<Call, Problem> {
    refuse_early(&caller.principal, operation.action)?;
    let query = Query::parse(parts.uri.query().unwrap_or_default(), operation.query)?;
    let (bytes, arrived) = read_body(body).await?;
    let (caller, now) = match arrived {
        Arrived::WithHead => (caller, admitted_at),
        // The caller's rights may have changed meanwhile.
        Arrived::Later => {
            let now = now()?;
            let caller = caller.anew(app, now).ok_or_else(|| caller.lapsed())?;
            refuse_early(&caller.principal, operation.action)?;
            (caller, now)
        }
    };
    let (mut body, mut context) = (Map::new(), Context::default());
    match &operation.body {
        Some(form) => {
            judge_media_type(&parts.headers, form)?;
            match form.form {
                BodyForm::Context => context = parse_context(&bytes)?,
                BodyForm::Whole | BodyForm::MergePatch => body = document::members(parse(&bytes)?, form)?,
            }
        }
        None if bytes.is_empty() || bytes.as_ref() == b"{}" => {}
        None => return Err(Problem::new(StatusCode::BAD_REQUEST, "body_not_expected", "This takes no body")),
    }
    let path = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Problem::not_found())?;
    let target = authorize(
        app,
        &caller.principal,
        (operation.action, operation.bound),
        Named { path: &path, query: &query, body: &body, context: &context },
    )
    .await?;
    let key = idempotency_key(parts, &bytes, &caller)?.map(Arc::new);
    let headers = std::mem::take(&mut parts.headers);
    let app = Arc::clone(app);
    let (route, asked) = (operation.path, (operation.action, operation.bound));
    Ok(Call { app, caller, route, asked, target, now, path, query, headers, body, context, key })
}

/// Once or again: a request that has an idempotency key is done at most once.
fn begin(operation: &Operation, call: Call) -> Answering<'_> {
    match call.key.clone() {
        Some(key) => Box::pin(once(operation, call, key)),
        None => (operation.handler)(call),
    }
}

/// Answers what it did before, if it did.
async fn once(operation: &Operation, call: Call, key: Arc<IdempotencyKey>) -> Result<Reply, Problem> {
    let app = Arc::clone(&call.app);
    if let Some(reply) = key.answered_before(&app).await? {
        return reply;
    }
    match (operation.handler)(call).await {
        // Whoever may no longer do this is not told what came of it either.
        Err(problem) if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&problem.status()) => {
            Err(problem)
        }
        // The same request may have been at work at the same time, and this one then met what it had done.
        Err(problem) => key.answered_before(&app).await?.unwrap_or(Err(problem)),
        reply => reply,
    }
}

/// When the whole body was there.
#[derive(Clone, Copy)]
enum Arrived {
    /// At once, so that nothing can have changed since the caller was looked up.
    WithHead,
    /// After a wait.
    Later,
}

/// The body, if it is of a size and a speed that is waited for.
async fn read_body(body: Body) -> Result<(Bytes, Arrived), Problem> {
    if body.is_end_stream() {
        return Ok((Bytes::new(), Arrived::WithHead));
    }
    let mut collecting = std::pin::pin!(collect(body));
    if let Some(bytes) = poll_immediate(collecting.as_mut()).await {
        return Ok((bytes?, Arrived::WithHead));
    }
    match Box::pin(tokio::time::timeout(BODY_TIMEOUT, collecting)).await {
        Ok(bytes) => Ok((bytes?, Arrived::Later)),
        Err(_) => {
            let detail = "The body did not arrive in time";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail))
        }
    }
}

/// All frames of a body. Most have one, which is taken as it is.
async fn collect(mut body: Body) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let broken =
            |_| Problem::new(StatusCode::BAD_REQUEST, "body_broken", "The body did not arrive whole");
        // What are no data are trailers, which say nothing here.
        let Ok(bytes) = frame.map_err(broken)?.into_data() else { continue };
        if first.len() + all.len() + bytes.len() > MAX_BODY_BYTES {
            let detail = "The body is larger than is accepted";
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail));
        }
        if first.is_empty() && all.is_empty() {
            first = bytes;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&bytes);
        }
    }
    Ok(if all.is_empty() { first } else { all.into() })
}

fn judge_media_type(headers: &HeaderMap, form: &operation::Body) -> Result<(), Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let is = |other| media_type.eq_ignore_ascii_case(other);
    let is_patch = form.form == BodyForm::MergePatch && is("application/merge-patch+json");
    if is("application/json") || is_patch {
        return Ok(());
    }
    let detail = "The body is JSON, and Content-Type says so";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    match read_json(bytes, MAX_BODY_BYTES).map_err(unreadable)? {
        Value::Object(members) => Ok(members),
        _ => Err(not_an_object()),
    }
}

/// The same for an evaluation, of which there are many: nothing is copied that is not wanted.
fn parse_context(bytes: &[u8]) -> Result<Context, Problem> {
    let body = JsonDocument::read(bytes, MAX_BODY_BYTES).map_err(unreadable)?;
    match body.at(&[]) {
        JsonNode::Object => Context::of(&body),
        _ => Err(not_an_object()),
    }
}

fn unreadable(error: Error) -> Problem {
    Problem::from(error).with_status(StatusCode::BAD_REQUEST)
}

fn not_an_object() -> Problem {
    Problem::invalid("", "wrong_type", "The body is a JSON object")
}

fn idempotency_key(parts: &Parts, body: &[u8], caller: &Caller) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = parts.headers.get(&IDEMPOTENCY_KEY).filter(|_| parts.method == Method::POST) else {
        return Ok(None);
    };
    let key = value.to_str().ok().filter(|key| (1..=MAX_IDEMPOTENCY_KEY).contains(&key.len()));
    let Some(key) = key.filter(|_| parts.headers.get_all(&IDEMPOTENCY_KEY).iter().count() == 1) else {
        return Err(Problem::invalid(
            "Idempotency-Key",
            "invalid_idempotency_key",
            "An idempotency key is 1 to 255 visible characters, given once",
        )
        .with_status(StatusCode::BAD_REQUEST));
    };
    let mut hasher = Sha256::new();
    hasher.update(parts.method.as_str());
    hasher.update(parts.uri.path_and_query().map_or("", |target| target.as_str()));
    hasher.update(b"\n");
    hasher.update(body);
    let fingerprint = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(IdempotencyKey { holder: caller.holder(), key: key.to_owned(), fingerprint }))
}
