//! What is noted of every request, and how every answer is said, counted and logged.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{CACHE_CONTROL, HeaderName, IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri};
use tracing::Span;

use super::address::client;
use super::caller::Who;
use super::etag::is_known;
use super::operation::{Logged, RefusalFormat, Route};
use super::page::NO_SNIFF;
use super::problem::Problem;
use super::reply::Reply;
use super::request_id::RequestId;
use super::{cors, ofrep};
use crate::app::App;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Who asked, if that is known, and what came of it.
pub type Outcome = (Option<Who>, Result<Reply, Problem>);

/// What of a request is still wanted when it has been judged: what it is called, since when it is under way, and how its answer is said.
pub struct Seen<'r> {
    app: &'r App,
    route: Option<&'r Route>,
    started: Instant,
    id: RequestId,
    /// The client's address.
    pub address: IpAddr,
    /// What is logged meanwhile belongs to it.
    pub span: Span,
    /// The tags that the reader has. A write judges its conditions itself.
    known: Vec<HeaderValue>,
    /// Where an evaluation was asked for, which is refused in OFREP's words.
    evaluated: Option<Uri>,
    origin: Option<HeaderValue>,
}

impl<'r> Seen<'r> {
    /// A request that has just arrived.
    pub fn of(app: &'r App, route: Option<&'r Route>, request: &Request) -> Seen<'r> {
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
        let is_evaluation = route.is_some_and(|route| route.endpoint.operation.refusals == RefusalFormat::Ofrep);
        Seen {
            app,
            route,
            started,
            id: request_id,
            address,
            span,
            known: match is_read || is_evaluation {
                true => request.headers().get_all(IF_NONE_MATCH).into_iter().cloned().collect(),
                false => Vec::new(),
            },
            evaluated: is_evaluation.then(|| request.uri().clone()),
            origin: cors::allowed(&app.origins, request.headers()),
        }
    }

    /// The answer, counted and logged.
    pub fn respond(self, (who, result): Outcome) -> Response<Body> {
        let id = self.id.as_str();
        let (mut code, mut reason) = (None, None);
        let mut response = match result {
            Ok(reply) => conditional(reply, &self.known).respond(),
            Err(problem) => {
                code = Some(problem.code());
                reason = (problem.status() == StatusCode::UNAUTHORIZED).then(|| problem.detail().to_owned());
                let problem = match self.evaluated {
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
        let actor = who.as_ref().and_then(Who::id);
        let is_refusal = matches!(status, 401 | 403 | 429);
        if let (true, Some(code)) = (is_refusal, code) {
            self.app.metrics.refused(code);
        }
        let is_quiet = is_quiet(self.route);
        if is_quiet && code.is_none() {
            return response;
        }
        // Anybody can cause these: there may be so many that they would hide everything else.
        let is_anybodys = is_refusal || who.is_none();
        if is_anybodys && !self.app.refusals.admits(self.address, self.started) {
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

fn conditional(reply: Reply, known: &[HeaderValue]) -> Reply {
    let tag = reply.etag.as_ref().and_then(|tag| tag.to_str().ok());
    let is_same = reply.status == StatusCode::OK && tag.is_some_and(|tag| is_known(known, tag));
    if is_same { reply.not_modified() } else { reply }
}
