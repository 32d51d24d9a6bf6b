//! The record of one request: completes its response, counts it and logs it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{CACHE_CONTROL, HeaderName, IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri};
use tracing::Span;

use super::address::client;
use super::caller::CallerKind;
use super::etag::is_known;
use super::operation::{Logged, RefusalFormat, Route};
use super::page::NO_SNIFF;
use super::problem::Problem;
use super::reply::Reply;
use super::request_id::RequestId;
use super::{cors, ofrep};
use crate::app::App;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The caller, if authenticated, and the result of the request.
pub type Outcome = (Option<CallerKind>, Result<Reply, Problem>);

/// The data of a request that its response, the metrics and the log need.
pub struct RequestLog<'r> {
    app: &'r App,
    route: Option<&'r Route>,
    started: Instant,
    id: RequestId,
    /// The address of the client.
    pub address: IpAddr,
    /// The tracing span of the request.
    pub span: Span,
    /// The `If-None-Match` headers of a read; a write checks its own conditions.
    if_none_match: Vec<HeaderValue>,
    /// The URI of an OFREP evaluation, whose refusals are OFREP errors.
    evaluation_uri: Option<Uri>,
    origin: Option<HeaderValue>,
}

impl<'r> RequestLog<'r> {
    /// Starts the record of a request.
    pub fn new(app: &'r App, route: Option<&'r Route>, request: &Request) -> RequestLog<'r> {
        let (started, request_id) = (Instant::now(), RequestId::new());
        let (id, path, method) = (request_id.as_str(), path(route), request.method());
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let address = client(&app.trusted_proxies, peer, request.headers());
        let span = match is_quiet(route) {
            true => tracing::debug_span!("request", id, %method, route = path, %address),
            false => tracing::info_span!("request", id, %method, route = path, %address),
        };
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        let is_evaluation =
            route.is_some_and(|route| route.endpoint.operation.refusals == RefusalFormat::Ofrep);
        RequestLog {
            app,
            route,
            started,
            id: request_id,
            address,
            span,
            if_none_match: match is_read || is_evaluation {
                true => request.headers().get_all(IF_NONE_MATCH).into_iter().cloned().collect(),
                false => Vec::new(),
            },
            evaluation_uri: is_evaluation.then(|| request.uri().clone()),
            origin: cors::allowed(&app.origins, request.headers()),
        }
    }

    /// Builds the response, counts it and logs it.
    pub fn respond(self, (caller, result): Outcome) -> Response<Body> {
        let id = self.id.as_str();
        let (mut code, mut reason) = (None, None);
        let mut response = match result {
            Ok(reply) => conditional(reply, &self.if_none_match).respond(),
            Err(problem) => {
                code = Some(problem.code());
                reason = (problem.status() == StatusCode::UNAUTHORIZED).then(|| problem.detail().to_owned());
                let problem = match self.evaluation_uri {
                    Some(uri) => ofrep::refusal(problem, &uri),
                    None => problem,
                };
                problem.respond(id)
            }
        };
        let headers = response.headers_mut();
        if let Some(id) = self.id.to_header() {
            headers.insert(REQUEST_ID, id);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.append(VARY, HeaderValue::from_static("authorization"));
        if let Some(origin) = self.origin {
            cors::expose(origin, headers);
        }
        headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
        let (status, duration) = (response.status().as_u16(), self.started.elapsed());
        self.app.metrics.answered(self.route.map(|route| route.index), status, duration);
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let actor = caller.as_ref().and_then(CallerKind::id);
        let is_refusal = matches!(status, 401 | 403 | 429);
        if let (true, Some(code)) = (is_refusal, code) {
            self.app.metrics.refused(code);
        }
        let is_quiet = is_quiet(self.route);
        if is_quiet && code.is_none() {
            return response;
        }
        // Every client can cause these lines, so their number is limited.
        let is_limited = is_refusal || caller.is_none();
        if is_limited && !self.app.refusals.admits(self.address, self.started) {
            return response;
        }
        match is_quiet {
            false => self.span.in_scope(|| tracing::info!(status, micros, code, reason, actor, "answered")),
            true => {
                let (route, address) = (path(self.route), self.address);
                tracing::info!(id, route, %address, status, micros, code, reason, actor, "refused");
            }
        }
        response
    }
}

fn path(route: Option<&Route>) -> &'static str {
    route.map_or("-", |route| route.endpoint.path)
}

fn is_quiet(route: Option<&Route>) -> bool {
    route.is_some_and(|route| route.endpoint.operation.logged == Logged::Refusals)
}

fn conditional(reply: Reply, if_none_match: &[HeaderValue]) -> Reply {
    let tag = reply.etag.as_ref().and_then(|tag| tag.to_str().ok());
    let is_same = reply.status == StatusCode::OK && tag.is_some_and(|tag| is_known(if_none_match, tag));
    if is_same { reply.not_modified() } else { reply }
}
