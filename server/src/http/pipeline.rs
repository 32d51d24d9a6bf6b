//! The way of every request: who, what, may they, once or again, answer.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, Request};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use dezky_core::Timestamp;
use futures_util::FutureExt;
use futures_util::future::poll_immediate;
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::authorize::{Named, authorize, refuse_early};
use super::call::{Call, IdempotencyKey};
use super::caller::{Caller, Who, address};
use super::context::Context;
use super::etag::is_known;
use super::limits::{
    ANSWER_TIMEOUT, BODY_TIMEOUT, MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_IDEMPOTENCY_KEY, MAX_TARGET_BYTES,
};
use super::operation::{BodyForm, Credential, Logged, Operation, Refusals};
use super::problem::Problem;
use super::query::Query;
use super::reply::Reply;
use super::request_id::RequestId;
use super::{cors, document, ofrep, operation};
use crate::app::{App, now};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Which operation a request is for: its place among all, and itself.
#[derive(Clone)]
pub struct Route {
    /// Its place.
    pub index: usize,
    /// Itself.
    pub operation: Arc<Operation>,
}

/// Answers a request for an operation.
pub async fn answer(app: Arc<App>, route: Route, request: Request) -> Response<Body> {
    observed(&app, Some(&route), request, |request| perform(&app, &route, request)).await
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
    observed(&app, None, request, |request| async { (None, answer(request).await) }).await
}

/// 404, for a path that is not there.
pub async fn unknown_route(app: Arc<App>, request: Request) -> Response<Body> {
    answer_open(app, request, |_| async { Err(Problem::not_found()) }).await
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

/// Gives a request its id, its span, its time limit and its place in the metrics; turns every failure, panics too, into a problem.
async fn observed<F>(
    app: &App,
    route: Option<&Route>,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response<Body>
where
    F: Future<Output = (Option<Who>, Result<Reply, Problem>)>,
{
    let started = Instant::now();
    let request_id = RequestId::new();
    let id = request_id.as_str();
    let path = route.map_or("-", |route| route.operation.path);
    let is_quiet = route.is_some_and(|route| route.operation.logged == Logged::Refusals);
    let span = match is_quiet {
        true => tracing::debug_span!("request", id, method = %request.method(), route = path),
        false => tracing::info_span!("request", id, method = %request.method(), route = path),
    };
    let known: Vec<HeaderValue> = request.headers().get_all(IF_NONE_MATCH).into_iter().cloned().collect();
    let is_evaluation = route.is_some_and(|route| route.operation.refusals == Refusals::Ofrep);
    let evaluated = is_evaluation.then(|| request.uri().clone());
    let origin = cors::allowed(&app.origins, request.headers());
    // In a box, because what is around it moves it about.
    let answering = Box::pin(answer(request));
    let answering = AssertUnwindSafe(within(ANSWER_TIMEOUT, answering)).catch_unwind();
    let (who, result) = match answering.instrument(span.clone()).await {
        Ok(Some(answered)) => answered,
        Ok(None) => (None, Err(timed_out())),
        Err(_) => (None, Err(panicked())),
    };
    let mut code = None;
    let mut response = match result {
        Ok(reply) => conditional(reply, &known).respond(),
        Err(problem) => {
            code = Some(problem.code());
            let problem = match evaluated {
                Some(uri) => ofrep::refusal(problem, &uri),
                None => problem,
            };
            problem.respond(id)
        }
    };
    let headers = response.headers_mut();
    if let Some(id) = request_id.to_header() {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.append(VARY, HeaderValue::from_static("authorization"));
    if let Some(origin) = origin {
        cors::expose(origin, headers);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let (status, duration) = (response.status().as_u16(), started.elapsed());
    app.metrics.answered(route.map(|route| route.index), status, duration);
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let actor = who.as_ref().and_then(Who::id);
    match is_quiet {
        false => span.in_scope(|| tracing::info!(status, micros, code, actor, "answered")),
        true if code.is_some() => tracing::info!(id, route = path, status, micros, code, actor, "refused"),
        true => {}
    }
    response
}

/// What comes of it, unless it takes too long. Most of it is there at once: only what has to be waited for is given a timer.
async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    match poll_immediate(future.as_mut()).await {
        Some(output) => Some(output),
        None => tokio::time::timeout(limit, future).await.ok(),
    }
}

fn conditional(reply: Reply, known: &[HeaderValue]) -> Reply {
    let tag = reply.etag.as_ref().and_then(|tag| tag.to_str().ok());
    let is_same = reply.status == StatusCode::OK && tag.is_some_and(|tag| is_known(known, tag));
    if is_same { reply.not_modified() } else { reply }
}

fn timed_out() -> Problem {
    let detail = "This took too long; whether it was done is not known";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail)
}

fn panicked() -> Problem {
    tracing::error!("a handler panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong here")
}

async fn perform(app: &Arc<App>, route: &Route, request: Request) -> (Option<Who>, Result<Reply, Problem>) {
    let (mut parts, body) = request.into_parts();
    let (caller, now) = match admit(app, &parts, route.operation.credential).await {
        Ok(admitted) => admitted,
        Err(problem) => return (None, Err(problem)),
    };
    let who = Some(caller.who.clone());
    (who, perform_for(app, &route.operation, (caller, now), &mut parts, body).await)
}

/// Who is calling and when, if the request is of a size that is looked at.
async fn admit(app: &App, parts: &Parts, credential: Credential) -> Result<(Caller, Timestamp), Problem> {
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
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let link = match credential {
        Credential::Header => None,
        Credential::Link => Some(parts.uri.query().unwrap_or_default()),
    };
    let now = now()?;
    let caller = Caller::of(app, (&parts.headers, link), address(app, peer, &parts.headers), now).await?;
    Ok((caller, now))
}

async fn perform_for(
    app: &Arc<App>,
    operation: &Operation,
    (caller, now): (Caller, Timestamp),
    parts: &mut Parts,
    body: Body,
) -> Result<Reply, Problem> {
    refuse_early(&caller.principal, operation.action)?;
    let query = Query::parse(parts.uri.query().unwrap_or_default(), operation.query)?;
    let bytes = read_body(body).await?;
    let (mut body, mut context) = (Map::new(), Context::default());
    match &operation.body {
        Some(form) => {
            let members = parse_body(&parts.headers, &bytes, form)?;
            match form.form {
                BodyForm::Context => context = Context::of(members)?,
                BodyForm::Whole | BodyForm::MergePatch => body = document::members(members, form)?,
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
    let call =
        Call { app, caller, route: operation.path, target, now, path, query, headers, body, context, key };
    match call.key.clone() {
        Some(key) => once(operation, call, &key).await,
        None => (operation.handler)(call).await,
    }
}

/// Answers a request that has an idempotency key: what it did before, if it did.
async fn once(operation: &Operation, call: Call, key: &IdempotencyKey) -> Result<Reply, Problem> {
    let app = Arc::clone(&call.app);
    if let Some(reply) = key.answered_before(&app).await? {
        return reply;
    }
    match (operation.handler)(call).await {
        // The same request may have been at work at the same time, and this one then met what it had done.
        Err(problem) => key.answered_before(&app).await?.unwrap_or(Err(problem)),
        reply => reply,
    }
}

/// The body, if it is of a size and a speed that is waited for.
async fn read_body(body: Body) -> Result<Bytes, Problem> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    within(BODY_TIMEOUT, collect(body)).await.unwrap_or_else(|| {
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "The body did not arrive in time"))
    })
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

fn parse_body(
    headers: &HeaderMap,
    bytes: &[u8],
    form: &operation::Body,
) -> Result<Map<String, Value>, Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let is = |other| media_type.eq_ignore_ascii_case(other);
    let is_patch = form.form == BodyForm::MergePatch && is("application/merge-patch+json");
    if !is("application/json") && !is_patch {
        let detail = "The body is JSON, and Content-Type says so";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    match dezky_core::read_json(bytes, MAX_BODY_BYTES) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Problem::invalid("", "wrong_type", "The body is a JSON object")),
        Err(error) => Err(Problem::from(error).with_status(StatusCode::BAD_REQUEST)),
    }
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
