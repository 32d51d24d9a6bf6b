//! The state that all request handlers share.

use std::sync::Arc;

use axum::http::HeaderValue;
use dezky_core::names::Id;
use dezky_core::{Error, Timestamp};

use crate::delivery::{Reach, Slices, Streams};
use crate::http::address::Network;
use crate::http::connection_slots::ConnectionSlots;
use crate::http::limiter::Limiter;
use crate::http::metrics::Metrics;
use crate::http::metrics_access::MetricsAccess;
use crate::http::problem::Problem;
use crate::http::refusals::RefusalLog;
use crate::http::seal::Seal;
use crate::identity::Identity;
use crate::live::Live;
use crate::store::Store;

/// The shared parts of the server.
pub(crate) struct App {
    /// The durable storage of all records.
    pub store: Arc<dyn Store>,
    /// The records and rulesets in memory.
    pub live: Live,
    /// The verifier of access tokens.
    pub identity: Arc<Identity>,
    /// The claims that mark operators and platform admins.
    pub rights: Rights,
    /// The key that seals cursors and links.
    pub seal: Seal,
    /// The reports of instances about their rules.
    pub reach: Reach,
    /// The slices of the snapshot for single tenants.
    pub slices: Slices,
    /// The open event streams.
    pub streams: Arc<Streams>,
    /// The value of `Dezky-History`, which identifies the database of the revisions.
    pub history: HeaderValue,
    /// Becomes true when the server stops.
    pub stopping: tokio::sync::watch::Sender<bool>,
    /// The allowed origins of cross-origin requests.
    pub origins: Vec<HeaderValue>,
    /// The rate limit of people and tenant keys.
    pub callers: Limiter,
    /// The rate limit of server keys, each of which stands for a fleet.
    pub fleets: Limiter,
    /// The limit of failed authentications from one address.
    pub failures: Limiter,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<Network>,
    /// The Prometheus metrics of the server.
    pub metrics: Metrics,
    /// The access to the metrics at the main address.
    pub metrics_access: MetricsAccess,
    /// The limit on log lines about refusals.
    pub refusals: Arc<RefusalLog>,
    /// The open connections and their limits.
    pub connections: Arc<ConnectionSlots>,
    /// Shared by writes that affect flags; exclusive for a PATCH with `planDigest`.
    pub effects: tokio::sync::RwLock<()>,
    /// The serialized OpenAPI document.
    pub openapi: std::sync::OnceLock<axum::body::Bytes>,
}

/// The claims of a token that mark operators and platform admins.
pub(crate) struct Rights {
    /// The audience of operators' tokens.
    pub operator_audience: String,
    /// The group of platform admins at the identity provider.
    pub admin_group: String,
}

/// Returns the current time. No other function of the server reads the wall clock.
pub fn now() -> Result<Timestamp, Problem> {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX);
    Ok(Timestamp::from_micros(micros)?)
}

/// Creates an id; ids sort by their time of creation.
pub fn new_id() -> Result<Id, Error> {
    Id::new(uuid::Uuid::now_v7().as_hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()))
}
