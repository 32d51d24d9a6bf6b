//! Event streams (server-sent events): the current version and every later one, while the reader
//! may see it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use dezky_core::access::{Action, Resource, decide};
use dezky_core::names::{Environment, Id};
use tokio::sync::watch;

use super::call::Call;
use super::caller::Caller;
use super::limits::{HEARTBEAT, MAX_STREAMS_PER_CALLER};
use super::problem::Problem;
use super::reply::Reply;
use crate::app::{App, now};
use crate::delivery::StreamPermit;
use crate::live::{Listener, SnapshotVersion};

/// The versions that a stream reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventSource {
    /// The snapshots of the environment of the caller.
    Snapshot,
    /// The slices of one tenant.
    Slice,
    /// The evaluations of one tenant, in the event format of OFREP.
    Evaluations {
        /// The revision of the last event that the reader received.
        last_event: Option<u64>,
    },
}

/// The version that the last event reported.
#[derive(PartialEq, Eq)]
struct Version {
    snapshot: SnapshotVersion,
    /// The newest revision that changed a tenant or a partner; only for readers of whole
    /// snapshots.
    population: Option<u64>,
}

struct StreamReader {
    app: Arc<App>,
    caller: Caller,
    tenant: Option<Id>,
    environment: Environment,
    source: EventSource,
    listener: Listener,
    stopping: watch::Receiver<bool>,
    last: Option<Version>,
    _permit: StreamPermit,
}

/// Opens an event stream that lasts until the reader leaves or loses access.
pub fn follow(call: Call, source: EventSource) -> Result<Reply, Problem> {
    let Call { app, caller, target, .. } = call;
    let limited = (!caller.covers_every_tenant()).then(|| (caller.holder(), MAX_STREAMS_PER_CALLER));
    let Some(permit) = app.streams.acquire(limited) else {
        let detail = "The caller reached the limit of open streams";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail);
        return Err(
            problem.with_header(axum::http::header::RETRY_AFTER, HeaderValue::from(HEARTBEAT.as_secs()))
        );
    };
    let tenant = target.tenant.as_ref().map(|tenant| tenant.id.clone());
    let environment = caller.environment(&app.live.read()).clone();
    let reader = StreamReader {
        environment,
        listener: app.live.notifier().listen(tenant.as_ref()),
        stopping: app.stopping.subscribe(),
        app,
        caller,
        tenant,
        source,
        last: None,
        _permit: permit,
    };
    let history = reader.app.history.clone();
    let events = futures_util::stream::unfold(reader, |mut reader| async {
        let event = reader.next().await?;
        Some((Ok::<Bytes, Infallible>(event), reader))
    });
    Ok(Reply::stream(Body::from_stream(events))
        .with_type("text/event-stream")
        .with_header(HeaderName::from_static("dezky-history"), history)
        // Proxies that buffer responses would hold back this stream indefinitely.
        .with_header(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")))
}

/// The delay after which a browser reconnects to an ended stream.
const RECONNECT_MILLISECONDS: u32 = 1_000;

const ALIVE: Bytes = Bytes::from_static(b":\n\n");

impl StreamReader {
    /// Returns the next bytes to send; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        let is_first = self.last.is_none();
        let is_heartbeat = match is_first {
            true => false,
            false => self.wait().await?,
        };
        loop {
            // Authorizes the reader again before every event.
            let version = self.authorized_version().await?;
            if self.last.as_ref() != Some(&version) {
                let revision = version.snapshot.revision;
                let is_repeated =
                    is_first && self.source == EventSource::Evaluations { last_event: Some(revision) };
                let event = if is_repeated { ALIVE } else { self.event(&version) };
                self.last = Some(version);
                return Some(event);
            }
            if is_heartbeat {
                return Some(ALIVE);
            }
            if self.wait().await? {
                self.authorized_version().await?;
                return Some(ALIVE);
            }
        }
    }

    /// Waits for a change (false) or for the next heartbeat (true); `None` when the server stops.
    async fn wait(&mut self) -> Option<bool> {
        tokio::select! {
            () = self.listener.changed() => Some(false),
            () = tokio::time::sleep(HEARTBEAT) => Some(true),
            _ = self.stopping.wait_for(|stopping| *stopping) => None,
        }
    }

    /// Returns the current version; `None` if the reader may no longer see it.
    async fn authorized_version(&mut self) -> Option<Version> {
        let App { live, store, slices, .. } = &*self.app;
        self.caller = self.caller.refreshed(&self.app, now().ok()?)?;
        let (action, resource) = match &self.tenant {
            None => (Action::SnapshotStream, Resource::default()),
            Some(id) => {
                let status = live.read().tenant_by_id(id.as_str())?.status;
                (Action::FlagEvaluate, Resource::tenant(id.clone(), status))
            }
        };
        if !decide(&self.caller.principal, action, &resource).allowed {
            return None;
        }
        match &self.tenant {
            None => {
                let state = live.read();
                let snapshot = live.release_at(&state, &self.environment).version.clone();
                Some(Version { snapshot, population: Some(state.population_revision()) })
            }
            Some(id) => match slices.version(live, &**store, (id, &self.environment)).await {
                Ok(snapshot) => Some(Version { snapshot: snapshot?, population: None }),
                Err(error) => {
                    tracing::error!(%error, "a stream ends: its slice cannot be computed");
                    None
                }
            },
        }
    }

    fn event(&self, version: &Version) -> Bytes {
        let SnapshotVersion { revision, digest } = &version.snapshot;
        let digest = digest.as_str();
        let text = match self.source {
            EventSource::Snapshot | EventSource::Slice => {
                let population = version.population.map(|population| format!(",\"population\":{population}"));
                let population = population.unwrap_or_default();
                format!(
                    "id: {revision}\nevent: revision\ndata: {{\"revision\":{revision},\"digest\":\"{digest}\"{population}}}\n\n"
                )
            }
            EventSource::Evaluations { .. } => format!(
                "retry: {RECONNECT_MILLISECONDS}\nid: {revision}\nevent: message\ndata: {{\"type\":\"refetchEvaluation\",\"etag\":\"{digest}\"}}\n\n"
            ),
        };
        text.into()
    }
}
