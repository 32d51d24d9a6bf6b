//! The axum router, built from the route table. A path that is not declared is not served.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodFilter, MethodRouter};

use super::metrics::Gauges;
use super::metrics_access::MetricsAccess;
use super::operation::{Endpoint, Route};
use super::page;
use super::pipeline::{answer, answer_open, unknown_route, wrong_method};
use super::problem::Problem;
use super::reply::Reply;
use crate::app::App;

/// Paths that need no credential; their responses do not depend on the caller.
pub const OPEN_PATHS: [&str; 5] = ["/healthz", "/readyz", METRICS, "/openapi.json", "/docs"];

const METRICS: &str = "/metrics";

/// Builds the router of the route table and of the open paths.
pub(crate) fn router(app: &Arc<App>, endpoints: &'static [Endpoint]) -> Router {
    let mut by_path: BTreeMap<&'static str, Vec<Route>> = BTreeMap::new();
    for (index, endpoint) in endpoints.iter().enumerate() {
        by_path.entry(endpoint.path).or_default().push(Route { index, endpoint });
    }
    let paths: Arc<[&'static str]> = by_path.keys().copied().chain(OPEN_PATHS).collect();
    let mut router = Router::new();
    for (path, routes) in by_path {
        router = router.route(path, methods(app, routes));
    }
    for path in OPEN_PATHS {
        let methods = match path {
            METRICS => metrics(app, app.metrics_access.clone()),
            path => open(app, path),
        };
        router = router.route(path, methods);
    }
    with_unknown_route(app, router, paths)
}

/// Builds the router for the separate address of the metrics.
pub(crate) fn metrics_router(app: &Arc<App>, access: MetricsAccess) -> Router {
    let router = Router::new().route(METRICS, metrics(app, access));
    with_unknown_route(app, router, Arc::from([METRICS]))
}

fn with_unknown_route(app: &Arc<App>, router: Router, paths: Arc<[&'static str]>) -> Router {
    let app = Arc::clone(app);
    router.fallback(move |request: Request| {
        let (app, paths) = (Arc::clone(&app), Arc::clone(&paths));
        async move { unknown_route(app, &paths, request).await }
    })
}

fn methods(app: &Arc<App>, routes: Vec<Route>) -> MethodRouter {
    let mut methods = MethodRouter::new();
    let mut allowed: Vec<Method> = routes.iter().map(|route| route.endpoint.method.clone()).collect();
    if allowed.contains(&Method::GET) {
        allowed.push(Method::HEAD);
    }
    for route in routes {
        let Ok(filter) = MethodFilter::try_from(route.endpoint.method.clone()) else { continue };
        let app = Arc::clone(app);
        methods = methods.on(filter, move |request: Request| answer(app, route, request));
    }
    with_wrong_method(app, methods, allowed)
}

fn with_wrong_method(app: &Arc<App>, methods: MethodRouter, allowed: Vec<Method>) -> MethodRouter {
    let (app, allowed): (_, Arc<[Method]>) = (Arc::clone(app), allowed.into());
    methods.fallback(move |request: Request| {
        let (app, allowed) = (Arc::clone(&app), Arc::clone(&allowed));
        async move { wrong_method(app, &allowed, request).await }
    })
}

fn open(app: &Arc<App>, path: &'static str) -> MethodRouter {
    let shared = Arc::clone(app);
    let answer = move |request: Request| {
        let app = Arc::clone(&shared);
        let reply = open_reply(&shared, path);
        answer_open(app, request, |_| async { reply })
    };
    with_wrong_method(app, axum::routing::get(answer), vec![Method::GET, Method::HEAD])
}

fn metrics(app: &Arc<App>, access: MetricsAccess) -> MethodRouter {
    let (shared, access) = (Arc::clone(app), Arc::new(access));
    let answer = move |request: Request| {
        let (app, access) = (Arc::clone(&shared), Arc::clone(&access));
        answer_open(Arc::clone(&app), request, |request| async move {
            access.check(request.headers())?;
            printed(&app)
        })
    };
    with_wrong_method(app, axum::routing::get(answer), vec![Method::GET, Method::HEAD])
}

fn gauges(app: &App) -> Gauges {
    let state = app.live.read();
    Gauges {
        key_ages: app.identity.key_ages(),
        streams: app.streams.count(),
        connections: app.connections.open(),
        revision: state.revision,
        entities: state.sizes().into_iter().collect(),
    }
}

fn printed(app: &App) -> Result<Reply, Problem> {
    let text = app.metrics.print(&gauges(app)).map_err(|error| {
        tracing::error!(%error, "the metrics cannot be serialized");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The metrics cannot be serialized")
    })?;
    Ok(Reply::text(text).with_type("text/plain; version=0.0.4; charset=utf-8"))
}

fn open_reply(app: &App, path: &str) -> Result<Reply, Problem> {
    match path {
        "/healthz" => Reply::json(&serde_json::json!({ "status": "ok" })),
        "/readyz" => match app.identity.readiness() {
            Ok(()) => Reply::json(&serde_json::json!({ "status": "ready" })),
            Err(reason) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", reason)),
        },
        "/openapi.json" => Ok(Reply::text(app.openapi.get().cloned().unwrap_or_default())),
        _ => Ok(page::docs()),
    }
}
