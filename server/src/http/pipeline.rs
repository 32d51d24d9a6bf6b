//! The path of every request: authenticate, authorize, deduplicate, handle, respond.

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

use super::authorize::{RequestData, authorize, refuse_early};
use super::call::{Call, IdempotencyKey};
use super::caller::Caller;
use super::context::Context;
use super::host::check_host;
use super::limits::{
    ANSWER_TIMEOUT, BODY_TIMEOUT, MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_IDEMPOTENCY_KEY, MAX_TARGET_BYTES,
};
use super::operation::{BodyForm, CredentialPlace, Endpoint, Operation, ReplyFuture, Route};
use super::problem::Problem;
use super::query::Query;
use super::reply::Reply;
use super::request_log::{Outcome, RequestLog};
use super::{cors, document, operation};
use crate::app::{App, now};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Answers a request for an operation of the route table.
pub async fn answer(app: Arc<App>, route: Route, request: Request) -> Response<Body> {
    let log = RequestLog::new(&app, Some(&route), &request);
    // Boxed to keep the wrapping futures small.
    let outcome = guarded(&log, Box::pin(perform(&app, &route, request, log.address))).await;
    log.respond(outcome)
}

/// Answers a request that needs no caller: health, documents, the built-in identity provider.
pub async fn answer_open<F>(
    app: Arc<App>,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response<Body>
where
    F: Future<Output = Result<Reply, Problem>>,
{
    let log = RequestLog::new(&app, None, &request);
    let answering = async {
        check_host(request.version(), request.headers())?;
        answer(request).await
    };
    let outcome = guarded(&log, async { (None, answering.await) }).await;
    log.respond(outcome)
}

/// Answers 404 for an unknown path. If the path exists without its trailing slash, the detail
/// names that path.
pub async fn unknown_route(app: Arc<App>, paths: &[&'static str], request: Request) -> Response<Body> {
    let path = request.uri().path();
    let shorter = path.strip_suffix('/').filter(|shorter| !shorter.is_empty());
    let known = shorter.and_then(|shorter| paths.iter().find(|template| matches_template(shorter, template)));
    let problem = match known {
        Some(template) => {
            let detail = format!("This path has no trailing slash: use {template}");
            Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
        }
        None => Problem::not_found(),
    };
    answer_open(app, request, |_| async { Err(problem) }).await
}

fn matches_template(path: &str, template: &str) -> bool {
    let (parts, given) = (template.split('/'), path.split('/'));
    parts.clone().count() == given.clone().count()
        && parts.zip(given).all(|(part, given)| part == given || (part.starts_with('{') && !given.is_empty()))
}

/// Answers 405 for a known path with another method, and CORS preflight requests.
pub async fn wrong_method(app: Arc<App>, allowed: &[Method], request: Request) -> Response<Body> {
    if let Some(permission) = cors::preflight(&app.origins, request.method(), request.headers()) {
        return permission;
    }
    let allowed: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This path does not support the method; Allow lists those that it does",
    );
    let problem = match HeaderValue::try_from(allowed.join(", ")) {
        Ok(allowed) => problem.with_header(ALLOW, allowed),
        Err(_) => problem,
    };
    answer_open(app, request, |_| async { Err(problem) }).await
}

/// Runs a handler with the response timeout and turns a panic into a 500 response.
async fn guarded(log: &RequestLog<'_>, answering: impl Future<Output = Outcome>) -> Outcome {
    let answering = AssertUnwindSafe(within(ANSWER_TIMEOUT, answering)).catch_unwind();
    match answering.instrument(log.span.clone()).await {
        Ok(Some(outcome)) => outcome,
        Ok(None) => (None, Err(timed_out())),
        Err(_) => (None, Err(panicked())),
    }
}

fn timed_out() -> Problem {
    let detail = "The request timed out; it is unknown whether it took effect";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail)
}

fn panicked() -> Problem {
    tracing::error!("a handler panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "An internal error occurred")
}

/// Runs a future with a timeout; the timer starts only if the first poll is pending.
async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    match poll_immediate(future.as_mut()).await {
        Some(output) => Some(output),
        None => Box::pin(tokio::time::timeout(limit, future)).await.ok(),
    }
}

/// Returns an async block: an async function would reserve space for its arguments twice.
fn perform(
    app: &Arc<App>,
    route: &Route,
    request: Request,
    address: IpAddr,
) -> impl Future<Output = Outcome> {
    let (mut parts, body) = request.into_parts();
    async move {
        let (caller, now) = match admit(app, &parts, route.endpoint.operation.credential, address).await {
            Ok(admitted) => admitted,
            Err(problem) => return (None, Err(problem)),
        };
        let kind = Some(caller.kind.clone());
        let answering = match prepare(app, route.endpoint, (caller, now), &mut parts, body).await {
            Ok(call) => begin(&route.endpoint.operation, call),
            Err(problem) => return (kind, Err(problem)),
        };
        (kind, answering.await)
    }
}

/// Checks the sizes of the request head and authenticates the caller.
async fn admit(
    app: &App,
    parts: &Parts,
    credential: CredentialPlace,
    address: IpAddr,
) -> Result<(Caller, Timestamp), Problem> {
    check_host(parts.version, &parts.headers)?;
    let header_bytes: usize =
        parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if header_bytes > MAX_HEADER_BYTES {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Problem::new(status, "headers_too_large", "The headers exceed the size limit"));
    }
    if parts.uri.path_and_query().is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES) {
        let detail = "Path and query exceed the length limit";
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "target_too_long", detail));
    }
    let link = match credential {
        CredentialPlace::Header => None,
        CredentialPlace::Link => Some(parts.uri.query().unwrap_or_default()),
    };
    let now = now()?;
    let caller = Caller::authenticate(app, (&parts.headers, link), address, now).await?;
    Ok((caller, now))
}

/// Reads and authorizes the request, and returns the call for the handler.
async fn prepare(
    app: &Arc<App>,
    endpoint: &Endpoint,
    (caller, admitted_at): (Caller, Timestamp),
    parts: &mut Parts,
    body: Body,
) -> Result<Call, Problem> {
    let operation = &endpoint.operation;
    refuse_early(&caller.principal, endpoint.action)?;
    let query = Query::parse(parts.uri.query().unwrap_or_default(), operation.query)?;
    let (bytes, arrived) = read_body(body).await?;
    let (caller, now) = match arrived {
        Arrived::WithHead => (caller, admitted_at),
        // The caller's rights may have changed while the body arrived.
        Arrived::Later => {
            let now = now()?;
            let caller = caller.refreshed(app, now).ok_or_else(|| caller.credential_expired())?;
            refuse_early(&caller.principal, endpoint.action)?;
            (caller, now)
        }
    };
    let (mut body, mut context) = (Map::new(), Context::default());
    match &operation.body {
        Some(form) => {
            check_media_type(&parts.headers, form)?;
            match form.form {
                BodyForm::Context => context = parse_context(&bytes)?,
                BodyForm::Whole | BodyForm::MergePatch => body = document::members(parse(&bytes)?, form)?,
            }
        }
        None if bytes.is_empty() || bytes.as_ref() == b"{}" => {}
        None => {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "body_not_expected",
                "This operation takes no body",
            ));
        }
    }
    let path = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Problem::not_found())?;
    let target = authorize(
        app,
        &caller.principal,
        (endpoint.action, endpoint.bound),
        RequestData { path: &path, query: &query, body: &body, context: &context },
    )
    .await?;
    let key = idempotency_key(parts, &bytes, &caller)?.map(Arc::new);
    let headers = std::mem::take(&mut parts.headers);
    let app = Arc::clone(app);
    let (route, access) = (endpoint.path, (endpoint.action, endpoint.bound));
    Ok(Call { app, caller, route, access, target, now, path, query, headers, body, context, key })
}

/// Calls the handler; a request with an idempotency key is executed at most once.
fn begin(operation: &Operation, call: Call) -> ReplyFuture<'_> {
    match call.key.clone() {
        Some(key) => Box::pin(once(operation, call, key)),
        None => (operation.handler)(call),
    }
}

/// Replays the stored response of an idempotency key, or executes the request.
async fn once(operation: &Operation, call: Call, key: Arc<IdempotencyKey>) -> Result<Reply, Problem> {
    let app = Arc::clone(&call.app);
    if let Some(reply) = key.answered_before(&app).await? {
        return reply;
    }
    match (operation.handler)(call).await {
        // A caller who lost the right must not learn the outcome either.
        Err(problem) if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&problem.status()) => {
            Err(problem)
        }
        // A concurrent run of this request may have succeeded, so that this run met its effect.
        Err(problem) => key.answered_before(&app).await?.unwrap_or(Err(problem)),
        reply => reply,
    }
}

/// The moment at which the body was complete.
#[derive(Clone, Copy)]
enum Arrived {
    /// The body arrived with the head, so the rights of the caller are still current.
    WithHead,
    /// The body arrived later than the head.
    Later,
}

/// Reads the body within the size limit and the body timeout.
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
            let detail = "The body did not arrive within the time limit";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail))
        }
    }
}

/// Collects all frames of a body; a single frame is returned without copying.
async fn collect(mut body: Body) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let broken = |_| Problem::new(StatusCode::BAD_REQUEST, "body_broken", "The body is incomplete");
        // Frames without data are trailers, which are ignored.
        let Ok(bytes) = frame.map_err(broken)?.into_data() else { continue };
        if first.len() + all.len() + bytes.len() > MAX_BODY_BYTES {
            let detail = "The body exceeds the size limit";
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

fn check_media_type(headers: &HeaderMap, form: &operation::Body) -> Result<(), Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let is = |other| media_type.eq_ignore_ascii_case(other);
    let is_patch = form.form == BodyForm::MergePatch && is("application/merge-patch+json");
    if is("application/json") || is_patch {
        return Ok(());
    }
    let detail = "The body must be JSON, with the matching Content-Type";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    match read_json(bytes, MAX_BODY_BYTES).map_err(unreadable)? {
        Value::Object(members) => Ok(members),
        _ => Err(not_an_object()),
    }
}

/// Like `parse`, but reads an evaluation context without copying unused members.
fn parse_context(bytes: &[u8]) -> Result<Context, Problem> {
    let body = JsonDocument::read(bytes, MAX_BODY_BYTES).map_err(unreadable)?;
    match body.at(&[]) {
        JsonNode::Object => Context::from_document(&body),
        _ => Err(not_an_object()),
    }
}

fn unreadable(error: Error) -> Problem {
    Problem::from(error).with_status(StatusCode::BAD_REQUEST)
}

fn not_an_object() -> Problem {
    Problem::invalid("", "wrong_type", "The body must be a JSON object")
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
            "An idempotency key has 1 to 255 visible ASCII characters and is sent once",
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
