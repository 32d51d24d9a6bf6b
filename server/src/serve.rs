//! Putting the parts together, and taking them apart again.

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
use crate::http::connection::{self, Front, Patience};
use crate::http::limiter::Limiter;
use crate::http::limits::FLEET_FACTOR;
use crate::http::metrics::Metrics;
use crate::http::metrics_access::MetricsAccess;
use crate::http::places::{PerAddress, Places};
use crate::http::problem::Problem;
use crate::http::refusals::RefusalLog;
use crate::http::seal::Seal;
use crate::http::tls::{Tls, TlsError};
use crate::http::{openapi, router};
use crate::identity::{Identity, IdentitySettings, KeyTiming, TrustedIssuer};
use crate::live::Live;
use crate::routes;
use crate::seeds;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::store::{StoreError, Write};

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings cannot be.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The data cannot be used.
    #[error("{0}")]
    Store(#[from] crate::store::StoreError),
    /// The data cannot be understood.
    #[error("the data holds something that cannot be served: {0}")]
    Data(#[from] dezky_core::Error),
    /// What a fresh server has cannot be put there.
    #[error("the data cannot be seeded: {0}")]
    Seed(&'static str),
    /// The identity provider's settings cannot be.
    #[error("{0}")]
    Identity(String),
    /// Development mode does not start.
    #[error(transparent)]
    Dev(#[from] dev::DevError),
    /// TLS cannot be served.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A metric cannot be made.
    #[error("the metrics cannot be counted: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The network, or a signal.
    #[error("{0}: {1}")]
    System(String, std::io::Error),
}

impl From<Problem> for StartError {
    fn from(problem: Problem) -> StartError {
        StartError::Seed(problem.code())
    }
}

/// Serves until told to stop.
pub async fn serve(settings: Settings) -> Result<(), StartError> {
    // Every stream is an open file; shells and supervisors begin with few.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "there may be no more open files than there were");
    }
    let (listener, address) = listen(settings.listen).await?;
    let issuer = dev::issuer(address);
    let tls = settings.tls_files().map(Tls::load).transpose()?;
    let metrics_listener = match settings.metrics_listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let (store, live) = open(&settings).await?;
    let dev_router = match settings.dev {
        true => Some(dev::start(&store, &live, &issuer).await?),
        false => None,
    };
    let identity = identity(&settings, &issuer)?;
    let operations = routes::operations();
    let places = Places::new(settings.per_address())?;
    let (metrics_access, own_metrics_access) = settings.metrics_access();
    let named = operations.iter().map(|operation| (operation.method.as_str(), operation.path));
    let metrics = Metrics::new(named, store.times(), &places)?;
    let refusals = Arc::<RefusalLog>::default();
    let app = Arc::new(App {
        seal: Seal::new(&store.secret().await?),
        reach: Reach::default(),
        slices: Slices::default(),
        streams: Arc::default(),
        history: HeaderValue::try_from(store.history().await?)
            .map_err(|_| StoreError::Broken("the history has no name".to_owned()))?,
        stopping: tokio::sync::watch::Sender::new(false),
        origins: settings.origins.clone(),
        store,
        live,
        identity: Arc::clone(&identity),
        rights: Rights {
            operator_audience: settings.operator_audience.clone(),
            admin_group: settings.admin_group.clone(),
        },
        callers: Limiter::new(settings.rate_limit),
        fleets: Limiter::new(settings.rate_limit.saturating_mul(FLEET_FACTOR)),
        failures: Limiter::new(settings.failure_limit),
        trusted_proxies: settings.trusted_proxies.clone(),
        metrics,
        metrics_access,
        refusals: Arc::clone(&refusals),
        places: Arc::clone(&places),
        effects: tokio::sync::RwLock::default(),
        openapi: OnceLock::from(axum::body::Bytes::from(openapi::document(&operations).to_string())),
    });
    let mut router = router::router(&app, operations);
    if let Some(dev_router) = dev_router {
        router = router.merge(dev_router);
        announce(&address.to_string());
    }
    let refreshers = identity.start();
    tracing::info!(%address, tls = tls.is_some(), environment = %settings.environment, "serving");
    if settings.behind_proxy && settings.trusted_proxies.is_empty() {
        tracing::warn!(
            "no --trusted-proxy: all clients have the proxy's address, and one of them can use up its failures"
        );
    }
    if app.metrics_access == MetricsAccess::Closed {
        tracing::warn!("/metrics is closed: it needs --metrics-token or --metrics-listen");
    }
    let passing = app.live.clone();
    let news = tokio::spawn(async move { passing.notifier().forward().await });
    let noting = tokio::spawn(note_key_uses(Arc::clone(&app)));
    let stopping = Arc::clone(&app);
    let stopped = stopped()?;
    let stop = async move {
        stopped.await;
        stopping.stopping.send_replace(true);
    };
    let summarizing = Arc::clone(&refusals);
    let summaries = tokio::spawn(async move { summarizing.keep_summarizing().await });
    if let Some(tls) = &tls {
        tokio::spawn(reload_on_hangup(Arc::clone(tls), hangup()?));
    }
    let patience = Patience::default();
    let front = Front { router, tls, places, refusals: Arc::clone(&refusals), patience };
    let serving_metrics = metrics_listener.map(|(listener, address)| {
        tracing::info!(%address, "serving metrics");
        let router = router::metrics_router(&app, own_metrics_access);
        serve_metrics(listener, router, Arc::clone(&app))
    });
    let serving_metrics = serving_metrics.transpose()?;
    connection::serve(listener, front, stop).await;
    if let Some(serving) = serving_metrics {
        let _ = serving.await;
    }
    summaries.abort();
    refusals.summarize();
    drop(refreshers);
    news.abort();
    // It notes what was used up to now, and ends.
    let _ = noting.await;
    tracing::info!("stopped");
    Ok(())
}

/// The listener, and the address that it has got.
async fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::System(format!("cannot listen on {wanted}"), error);
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Serves the metrics at an address of their own, until the server stops.
fn serve_metrics(listener: TcpListener, router: Router, app: Arc<App>) -> Result<JoinHandle<()>, StartError> {
    let places = Places::new(PerAddress::default())?;
    let (tls, refusals, patience) = (None, Arc::clone(&app.refusals), Patience::default());
    let front = Front { router, tls, places, refusals, patience };
    let mut stopping = app.stopping.subscribe();
    let stop = async move {
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    Ok(tokio::spawn(connection::serve(listener, front, stop)))
}

/// Reads the certificate again whenever the signal comes.
async fn reload_on_hangup(tls: Arc<Tls>, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        match tls.reload() {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(error) => tracing::error!(%error, "the certificate stays as it was"),
        }
    }
}

fn hangup() -> Result<Signal, StartError> {
    signal(SignalKind::hangup()).map_err(cannot_wait)
}

fn cannot_wait(error: std::io::Error) -> StartError {
    StartError::System("cannot wait for signals".to_owned(), error)
}

/// How often it is noted when machine keys were last used.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// Notes when machine keys were last used, now and then and at the end.
async fn note_key_uses(app: Arc<App>) {
    let mut stopping = app.stopping.subscribe();
    loop {
        let is_over = tokio::time::timeout(NOTE_EVERY, stopping.wait_for(|stopping| *stopping)).await.is_ok();
        let key_uses = app.live.take_new_key_uses();
        if let (false, Ok(at)) = (key_uses.is_empty(), now()) {
            let actor = dezky_core::Actor::default();
            let (entries, requires) = (Vec::new(), Vec::new());
            let write = Write { at, actor, entries, requires, receipt: None, key_uses };
            if let Err(error) = app.store.write(write).await {
                tracing::warn!(%error, "it was not noted when machine keys were last used");
            }
        }
        if is_over {
            return;
        }
    }
}

async fn open(settings: &Settings) -> Result<(Arc<dyn Store>, Live), StartError> {
    let directory = settings.place.directory()?;
    let live = Live::new(settings.environment.clone())?;
    let permissions = settings.place.permissions();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_with(&directory, permissions, live.observer())?);
    // Nothing is written before this: nobody has the store yet.
    live.load(store.initial_state().await?)?;
    seeds::seed(&store, &live).await?;
    Ok((store, live))
}

/// What verifies tokens. Nothing is fetched yet.
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

/// A signal to stop.
fn stopped() -> Result<impl Future<Output = ()>, StartError> {
    let on = |kind| signal(kind).map_err(cannot_wait);
    let (mut interrupt, mut terminate) = (on(SignalKind::interrupt())?, on(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping: what is under way may finish");
    })
}

#[allow(clippy::print_stderr)]
fn announce(address: &str) {
    eprintln!(
        "
  DEVELOPMENT MODE: anybody who reaches this server can be anybody. Never use it with real data.

  Documentation   http://{address}/docs
  Issuer          http://{address}/dev/oidc
  A token         TOKEN=$(curl -s http://{address}/dev/token -H 'content-type: application/json' \\
                    -d '{{\"persona\":\"operator\"}}' | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')
  A question      curl -s http://{address}/tenants -H \"Authorization: Bearer $TOKEN\"
"
    );
}
