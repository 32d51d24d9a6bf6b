//! Streams of news (server-sent events): the current version, and every later one, for as long as the
//! reader may see it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use dezky_core::{Action, Environment, Id, Resource, decide};
use tokio::sync::watch;

use super::call::Call;
use super::caller::Caller;
use super::limits::{HEARTBEAT, MAX_STREAMS_PER_CALLER};
use super::problem::Problem;
use super::reply::Reply;
use crate::app::{App, now};
use crate::delivery::StreamPermit;
use crate::live::{Listener, SnapshotVersion};

/// What a reader follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Following {
    /// The snapshots of the caller's environment.
    Snapshot,
    /// The slices of a tenant.
    Slice,
    /// The evaluations of a tenant, as OFREP tells of them; the reader may have heard of a revision before.
    Evaluations {
        /// Which.
        heard: Option<u64>,
    },
}

/// The version of everything that a stream tells of.
#[derive(PartialEq, Eq)]
struct Version {
    mark: SnapshotVersion,
    /// The newest revision that changed a tenant or a partner; only for readers who may see all of them.
    population: Option<u64>,
}

struct Reader {
    app: Arc<App>,
    caller: Caller,
    tenant: Option<Id>,
    environment: Environment,
    following: Following,
    listener: Listener,
    stopping: watch::Receiver<bool>,
    last: Option<Version>,
    _permit: StreamPermit,
}

/// An answer that goes on for as long as the reader stays.
pub fn follow(call: Call, following: Following) -> Result<Reply, Problem> {
    let Call { app, caller, target, .. } = call;
    let limited = (!caller.covers_every_tenant()).then(|| (caller.holder(), MAX_STREAMS_PER_CALLER));
    let Some(permit) = app.streams.acquire(limited) else {
        let detail = "This caller has as many streams open as it may have";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail);
        return Err(
            problem.with_header(axum::http::header::RETRY_AFTER, HeaderValue::from(HEARTBEAT.as_secs()))
        );
    };
    let tenant = target.tenant.as_ref().map(|tenant| tenant.id.clone());
    let environment = caller.environment(&app.live.read()).clone();
    let reader = Reader {
        environment,
        listener: app.live.notifier().listen(tenant.as_ref()),
        stopping: app.stopping.subscribe(),
        app,
        caller,
        tenant,
        following,
        last: None,
        _permit: permit,
    };
    let history = reader.app.history.clone();
    let events = futures_util::stream::unfold(reader, |mut reader| async {
        let event = reader.next().await?;
        Some((Ok::<Bytes, Infallible>(event), reader))
    });
    Ok(Reply::stream(Body::from_stream(events))
        .as_type("text/event-stream")
        .with_header(HeaderName::from_static("dezky-history"), history)
        // Proxies that collect answers would collect this one for ever.
        .with_header(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")))
}

/// How soon a browser comes back to a stream that has ended.
const RECONNECT_MILLISECONDS: u32 = 1_000;

const ALIVE: Bytes = Bytes::from_static(b":\n\n");

impl Reader {
    /// The next thing to send; nothing, when it is over.
    async fn next(&mut self) -> Option<Bytes> {
        let is_first = self.last.is_none();
        let is_time = match is_first {
            true => false,
            false => self.wait().await?,
        };
        loop {
            // Checks again, before every event, that the reader may see it.
            let version = self.look().await?;
            if self.last.as_ref() != Some(&version) {
                let revision = version.mark.revision;
                let was_heard =
                    is_first && self.following == Following::Evaluations { heard: Some(revision) };
                let event = if was_heard { ALIVE } else { self.event(&version) };
                self.last = Some(version);
                return Some(event);
            }
            if is_time {
                return Some(ALIVE);
            }
            if self.wait().await? {
                self.look().await?;
                return Some(ALIVE);
            }
        }
    }

    /// Waits for news, or until it is time to show that the stream is alive. Nothing, when the server stops.
    async fn wait(&mut self) -> Option<bool> {
        tokio::select! {
            () = self.listener.changed() => Some(false),
            () = tokio::time::sleep(HEARTBEAT) => Some(true),
            _ = self.stopping.wait_for(|stopping| *stopping) => None,
        }
    }

    /// The current version; `None` if the reader may not see it any more.
    async fn look(&mut self) -> Option<Version> {
        let App { live, store, slices, .. } = &*self.app;
        self.caller = self.caller.anew(&self.app, now().ok()?)?;
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
                let mark = live.release_at(&state, &self.environment).version.clone();
                Some(Version { mark, population: Some(state.population_revision()) })
            }
            Some(id) => match slices.version(live, &**store, (id, &self.environment)).await {
                Ok(mark) => Some(Version { mark: mark?, population: None }),
                Err(error) => {
                    tracing::error!(%error, "a stream ends: its slice cannot be found");
                    None
                }
            },
        }
    }

    fn event(&self, version: &Version) -> Bytes {
        let SnapshotVersion { revision, digest } = &version.mark;
        let digest = digest.as_str();
        let text = match self.following {
            Following::Snapshot | Following::Slice => {
                let population = version.population.map(|population| format!(",\"population\":{population}"));
                let population = population.unwrap_or_default();
                format!(
                    "id: {revision}\nevent: revision\ndata: {{\"revision\":{revision},\"digest\":\"{digest}\"{population}}}\n\n"
                )
            }
            Following::Evaluations { .. } => format!(
                "retry: {RECONNECT_MILLISECONDS}\nid: {revision}\nevent: message\ndata: {{\"type\":\"refetchEvaluation\",\"etag\":\"{digest}\"}}\n\n"
            ),
        };
        text.into()
    }
}
