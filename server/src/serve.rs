//! Starting and stopping the server.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::app::{App, Rights, now};
use crate::config::{Settings, SettingsError};
use crate::delivery::{Reach, Slices};
use crate::dev;
use crate::http::accept::serve as accept_connections;
use crate::http::connection::{ConnectionContext, Timeouts};
use crate::http::connection_slots::{AddressLimit, ConnectionSlots};
use crate::http::limiter::Limiter;
use crate::http::limits::FLEET_FACTOR;
use crate::http::metrics::Metrics;
use crate::http::metrics_access::MetricsAccess;
use crate::http::problem::Problem;
use crate::http::seal::Seal;
use crate::http::tls::{Tls, TlsError};
use crate::http::{openapi, router};
use crate::identity::{Identity, IdentitySettings, KeyTiming, TrustedIssuer};
use crate::live::Live;
use crate::routes::ENDPOINTS;
use crate::seeds;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::store::{StoreError, Write};

/// The reason for which the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings are invalid or contradict each other.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The store cannot be opened or read.
    #[error("{0}")]
    Store(#[from] crate::store::StoreError),
    /// The store contains a record that core rejects.
    #[error("the data contains a record that cannot be served: {0}")]
    Data(#[from] dezky_core::Error),
    /// The initial records cannot be written.
    #[error("the initial records cannot be written: {0}")]
    Seed(&'static str),
    /// The settings of the identity provider are invalid.
    #[error("{0}")]
    Identity(String),
    /// The development mode cannot start.
    #[error(transparent)]
    Dev(#[from] dev::DevError),
    /// The TLS files cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A metric cannot be registered.
    #[error("the metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    /// An operation of the network or of the signal handler failed.
    #[error("{0}: {1}")]
    System(String, std::io::Error),
}

impl From<Problem> for StartError {
    fn from(problem: Problem) -> StartError {
        StartError::Seed(problem.code())
    }
}

/// Runs the server until it receives a stop signal.
pub async fn serve(settings: Settings) -> Result<(), StartError> {
    // Every stream is an open file, and shells and supervisors start processes with low limits.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    let (listener, address) = listen(settings.listen).await?;
    let tls = settings.tls_files().map(Tls::load).transpose()?;
    let metrics_listener = match settings.metrics_listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let (store, live) = open(&settings).await?;
    let issuer = dev::issuer(address);
    let dev_router = match settings.dev {
        true => Some(dev::start(&store, &live, &issuer).await?),
        false => None,
    };
    let app = Arc::new(app(&settings, store, live, identity(&settings, &issuer)?).await?);
    let mut router = router::router(&app, ENDPOINTS);
    if let Some(dev_router) = dev_router {
        router = router.merge(dev_router);
        announce(&address.to_string());
    }
    let refreshers = app.identity.start();
    tracing::info!(%address, tls = tls.is_some(), environment = %settings.environment, "serving");
    warn_of_weak_settings(&settings, &app);

    let forwarding = tokio::spawn({
        let live = app.live.clone();
        async move { live.notifier().forward().await }
    });
    let recording = tokio::spawn(record_key_uses(Arc::clone(&app)));
    let summarizing = tokio::spawn({
        let refusals = Arc::clone(&app.refusals);
        async move { refusals.keep_summarizing().await }
    });
    if let Some(tls) = &tls {
        tokio::spawn(reload_on_hangup(Arc::clone(tls), hangup()?));
    }
    let serving_metrics = match metrics_listener {
        Some((listener, address)) => {
            tracing::info!(%address, "serving metrics");
            let (_, access) = settings.metrics_access();
            Some(serve_metrics(listener, router::metrics_router(&app, access), &app)?)
        }
        None => None,
    };
    accept_connections(listener, context(router, tls, Arc::clone(&app.connections), &app), stop(&app)?).await;

    if let Some(serving) = serving_metrics {
        let _ = serving.await;
    }
    summarizing.abort();
    app.refusals.summarize();
    drop(refreshers);
    forwarding.abort();
    // The task writes the remaining key uses and then ends.
    let _ = recording.await;
    tracing::info!("stopped");
    Ok(())
}

/// Builds the state that all requests share.
async fn app(
    settings: &Settings,
    store: Arc<dyn Store>,
    live: Live,
    identity: Arc<Identity>,
) -> Result<App, StartError> {
    let connections = ConnectionSlots::new(settings.address_limit())?;
    let routes = ENDPOINTS.iter().map(|endpoint| (endpoint.method.as_str(), endpoint.path));
    let history = HeaderValue::try_from(store.history().await?)
        .map_err(|_| StoreError::Broken("the history has no name".to_owned()))?;
    let (metrics_access, _) = settings.metrics_access();
    Ok(App {
        seal: Seal::new(&store.secret().await?),
        reach: Reach::default(),
        slices: Slices::default(),
        streams: Arc::default(),
        history,
        stopping: tokio::sync::watch::Sender::new(false),
        origins: settings.origins.clone(),
        metrics: Metrics::new(routes, store.times(), &connections)?,
        store,
        live,
        identity,
        rights: Rights {
            operator_audience: settings.operator_audience.clone(),
            admin_group: settings.admin_group.clone(),
        },
        callers: Limiter::new(settings.rate_limit),
        fleets: Limiter::new(settings.rate_limit.saturating_mul(FLEET_FACTOR)),
        failures: Limiter::new(settings.failure_limit),
        trusted_proxies: settings.trusted_proxies.clone(),
        metrics_access,
        refusals: Arc::default(),
        connections,
        effects: tokio::sync::RwLock::default(),
        openapi: OnceLock::from(axum::body::Bytes::from(openapi::document(ENDPOINTS).to_string())),
    })
}

fn warn_of_weak_settings(settings: &Settings, app: &App) {
    if settings.behind_proxy && settings.trusted_proxies.is_empty() {
        tracing::warn!(
            "no --trusted-proxy: all clients share the address of the proxy, and one of them can use up its failure limit"
        );
    }
    if app.metrics_access == MetricsAccess::Closed {
        tracing::warn!("/metrics is closed: set --metrics-token or --metrics-listen");
    }
}

fn context(
    router: Router,
    tls: Option<Arc<Tls>>,
    slots: Arc<ConnectionSlots>,
    app: &App,
) -> ConnectionContext {
    ConnectionContext {
        router,
        tls,
        slots,
        refusals: Arc::clone(&app.refusals),
        timeouts: Timeouts::default(),
    }
}

/// Binds the listener and returns its actual address.
async fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::System(format!("cannot listen on {wanted}"), error);
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Serves the metrics at a separate address until the server stops.
fn serve_metrics(
    listener: TcpListener,
    router: Router,
    app: &Arc<App>,
) -> Result<JoinHandle<()>, StartError> {
    let context = context(router, None, ConnectionSlots::new(AddressLimit::default())?, app);
    let mut stopping = app.stopping.subscribe();
    let stop = async move {
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    Ok(tokio::spawn(accept_connections(listener, context, stop)))
}

/// Reloads the certificate on every SIGHUP.
async fn reload_on_hangup(tls: Arc<Tls>, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        match tls.reload() {
            Ok(()) => tracing::info!("the certificate was reloaded"),
            Err(error) => {
                tracing::error!(%error, "the certificate cannot be reloaded; the old one stays in use")
            }
        }
    }
}

fn hangup() -> Result<Signal, StartError> {
    signal(SignalKind::hangup()).map_err(cannot_wait)
}

fn cannot_wait(error: std::io::Error) -> StartError {
    StartError::System("cannot wait for signals".to_owned(), error)
}

/// The interval at which the last uses of machine keys are written.
const KEY_USE_INTERVAL: Duration = Duration::from_secs(60);

/// Writes the last uses of machine keys periodically and once more at the end.
async fn record_key_uses(app: Arc<App>) {
    let mut stopping = app.stopping.subscribe();
    loop {
        let is_over =
            tokio::time::timeout(KEY_USE_INTERVAL, stopping.wait_for(|stopping| *stopping)).await.is_ok();
        let key_uses = app.live.take_new_key_uses();
        if let (false, Ok(at)) = (key_uses.is_empty(), now()) {
            let actor = dezky_core::model::Actor::default();
            let (entries, requires) = (Vec::new(), Vec::new());
            let write = Write { at, actor, entries, requires, receipt: None, key_uses };
            if let Err(error) = app.store.write(write).await {
                tracing::warn!(%error, "the last uses of machine keys cannot be written");
            }
        }
        if is_over {
            return;
        }
    }
}

async fn open(settings: &Settings) -> Result<(Arc<dyn Store>, Live), StartError> {
    let directory = settings.data_location.directory()?;
    let live = Live::new(settings.environment.clone())?;
    let permissions = settings.data_location.permissions();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_with(&directory, permissions, live.observer())?);
    // No other part can write before this, because the store is not shared yet.
    live.load(store.initial_state().await?)?;
    seeds::seed(&store, &live).await?;
    Ok((store, live))
}

/// Creates the token verifier; it fetches no keys yet.
pub(crate) fn identity(settings: &Settings, dev_issuer: &str) -> Result<Arc<Identity>, StartError> {
    let issuers = if settings.dev { vec![TrustedIssuer::new(dev_issuer)] } else { settings.issuers.clone() };
    let settings = IdentitySettings {
        issuers,
        jwks_url: settings.jwks_url.clone(),
        audiences: settings.audiences.clone(),
        extra_ca: settings.extra_ca.clone(),
        timing: KeyTiming::default(),
    };
    Identity::new(settings).map_err(|error| StartError::Identity(error.to_string()))
}

/// Returns a future that waits for SIGINT or SIGTERM and then tells all parts to stop.
fn stop(app: &Arc<App>) -> Result<impl Future<Output = ()> + use<>, StartError> {
    let on = |kind| signal(kind).map_err(cannot_wait);
    let (mut interrupt, mut terminate) = (on(SignalKind::interrupt())?, on(SignalKind::terminate())?);
    let app = Arc::clone(app);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping: open requests may finish");
        app.stopping.send_replace(true);
    })
}

#[allow(clippy::print_stderr)]
fn announce(address: &str) {
    eprintln!(
        "
  DEVELOPMENT MODE: every client can sign in as any person. Never use it with real data.

  Documentation   http://{address}/docs
  Issuer          http://{address}/dev/oidc
  A token         TOKEN=$(curl -s http://{address}/dev/token -H 'content-type: application/json' \\
                    -d '{{\"persona\":\"operator\"}}' | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')
  A request       curl -s http://{address}/tenants -H \"Authorization: Bearer $TOKEN\"
"
    );
}
