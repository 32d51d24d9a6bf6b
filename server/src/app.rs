//! What every request can reach.

use std::sync::Arc;

use axum::http::HeaderValue;
use dezky_core::names::Id;
use dezky_core::{Error, Timestamp};

use crate::delivery::{Reach, Slices, Streams};
use crate::http::address::Network;
use crate::http::limiter::Limiter;
use crate::http::metrics::Metrics;
use crate::http::metrics_access::MetricsAccess;
use crate::http::places::Places;
use crate::http::problem::Problem;
use crate::http::refusals::RefusalLog;
use crate::http::seal::Seal;
use crate::identity::Identity;
use crate::live::Live;
use crate::store::Store;

/// The server's parts.
pub struct App {
    /// What is durable.
    pub store: Arc<dyn Store>,
    /// What is held in memory.
    pub live: Live,
    /// Who verifies tokens.
    pub identity: Arc<Identity>,
    /// What operators are recognised by.
    pub rights: Rights,
    /// What clients carry for us is sealed with it.
    pub seal: Seal,
    /// What instances evaluate with.
    pub reach: Reach,
    /// What of the flags each tenant sees.
    pub slices: Slices,
    /// The streams that are open.
    pub streams: Arc<Streams>,
    /// Names the history that revisions belong to.
    pub history: HeaderValue,
    /// Whether the server is about to stop.
    pub stopping: tokio::sync::watch::Sender<bool>,
    /// The origins whose pages may ask.
    pub origins: Vec<HeaderValue>,
    /// How often a caller may ask.
    pub callers: Limiter,
    /// How often a server key may ask: it stands for a fleet.
    pub fleets: Limiter,
    /// How often an address may fail to say who it is.
    pub failures: Limiter,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// What is counted.
    pub metrics: Metrics,
    /// Who may read the metrics where everything is served.
    pub metrics_access: MetricsAccess,
    /// Which refusals are logged.
    pub refusals: Arc<RefusalLog>,
    /// The connections that are open.
    pub places: Arc<Places>,
    /// Held by writes that can change an effect, and alone by the one that was promised a certain effect.
    pub effects: tokio::sync::RwLock<()>,
    /// The document that describes all this.
    pub openapi: std::sync::OnceLock<axum::body::Bytes>,
}

/// By what the token tells operators and platform admins.
pub struct Rights {
    /// The audience of operators' tokens.
    pub operator_audience: String,
    /// The group at the identity provider whose members are platform admins.
    pub admin_group: String,
}

/// What time it is: the only place that asks.
pub fn now() -> Result<Timestamp, Problem> {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX);
    Ok(Timestamp::from_micros(micros)?)
}

/// A new id: it sorts by time of making.
pub fn new_id() -> Result<Id, Error> {
    Id::new(uuid::Uuid::now_v7().as_hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()))
}
