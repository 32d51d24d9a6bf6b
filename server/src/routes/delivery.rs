//! The handlers for local evaluation: snapshots, slices, event streams and reach.

use std::sync::Arc;

use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use axum::http::{HeaderName, HeaderValue};
use dezky_core::Timestamp;
use dezky_core::names::{Digest, Id, Slug};
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema, json_schema};
use serde::Serialize;
use tokio::time::Instant as Deadline;

use super::TENANT;
use crate::app::App;
use crate::delivery::{FollowedRules, InstanceList, InstanceReport};
use crate::http::call::Call;
use crate::http::caller::CallerKind;
use crate::http::follow::{EventSource, follow};
use crate::http::instance::{digest, instance, is_closing};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::live::{Coding, SnapshotVersion};

const HISTORY: HeaderName = HeaderName::from_static("dezky-history");
/// The newest revision that changed a tenant or a partner; clients then fetch subjects again.
pub const POPULATION: HeaderName = HeaderName::from_static("dezky-population");

pub const SNAPSHOT: Operation = Operation::new(|call| Box::pin(snapshot(call)))
    .summary("Returns the snapshot of the caller's environment, which instances evaluate locally")
    .returns_schema(document_schema)
    .log_refusals_only();

pub const SLICE: Operation = Operation::new(|call| Box::pin(slice(call)))
    .summary("Returns the part of the snapshot that one tenant's decisions depend on")
    .query(&[TENANT])
    .returns_schema(document_schema)
    .log_refusals_only();

pub const STREAM_SNAPSHOT: Operation = Operation::new(|call| Box::pin(stream_snapshot(call)))
    .summary(
        "Sends an event for every new snapshot: its revision, its digest and, as population, the \
         newest revision that changed a tenant or a partner; a change of the population alone sends \
         an event too",
    )
    .returns_schema(|_| Some(Schema::from(true)))
    .log_refusals_only()
    .streams_events();

pub const STREAM_SLICE: Operation = Operation::new(|call| Box::pin(stream_slice(call)))
    .summary("Sends an event for every new slice of one tenant: its revision and digest")
    .query(&[TENANT])
    .returns_schema(|_| Some(Schema::from(true)))
    .log_refusals_only()
    .streams_events();

pub const REACH: Operation = Operation::new(|call| Box::pin(reach(call)))
    .summary(
        "Lists the instances: those that evaluate with the newest flags, those that do not yet, and \
         those that have not reported lately",
    )
    .returns::<ReachView>();

fn document_schema(_: &mut SchemaGenerator) -> Option<Schema> {
    Some(json_schema!({ "type": "object", "description": "A snapshot, format 1, canonical." }))
}

async fn snapshot(call: Call) -> Result<Reply, Problem> {
    record_report(&call);
    let (release, population) = {
        let state = call.app.live.read();
        let release = call.app.live.release_at(&state, call.caller.environment(&state));
        (release, state.population_revision())
    };
    let head = Reply { etag: Some(release.etag.clone()), ..Reply::text("") };
    let head = head.with_header(HISTORY, call.app.history.clone());
    let head = head.with_header(POPULATION, HeaderValue::from(population));
    let head = head.with_header(VARY, HeaderValue::from_static("accept-encoding"));
    if call.is_known(release.etag.to_str().unwrap_or_default()) {
        return Ok(head.not_modified());
    }
    let accepted = call.headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let coding = accepted.map_or(Coding::Identity, Coding::accepted);
    let body = match release.ready_body(coding) {
        Some(body) => body,
        // The first request compresses the body for all. Others wait on blocking threads, not on
        // those that answer requests.
        None => tokio::task::spawn_blocking(move || release.body(coding)).await.unwrap_or_default(),
    };
    let reply = Reply { content: Reply::text(body).content, ..head };
    Ok(match coding {
        Coding::Identity => reply,
        coding => reply.with_header(CONTENT_ENCODING, HeaderValue::from_static(coding.as_str())),
    })
}

async fn slice(call: Call) -> Result<Reply, Problem> {
    record_report(&call);
    let (tenant, environment) = (call.tenant_id()?, call.caller.environment(&call.app.live.read()).clone());
    let App { live, store, slices, .. } = &*call.app;
    let gone = Problem::not_found;
    let version = slices.version(live, &**store, (&tenant, &environment)).await?.ok_or_else(gone)?;
    let head = |version: &SnapshotVersion, body| {
        Reply::text(body).tagged(&version.etag()).with_header(HISTORY, call.app.history.clone())
    };
    if call.is_known(&version.etag()) {
        return Ok(head(&version, axum::body::Bytes::new()).not_modified());
    }
    let slice = slices.slice(live, &**store, (&tenant, &environment)).await?.ok_or_else(gone)?;
    Ok(head(&slice.version, slice.body))
}

async fn stream_snapshot(call: Call) -> Result<Reply, Problem> {
    record_report(&call);
    follow(call, EventSource::Snapshot)
}

async fn stream_slice(call: Call) -> Result<Reply, Problem> {
    record_report(&call);
    follow(call, EventSource::Slice)
}

/// Records the report of an instance, or removes an instance that signs off. Only machine keys
/// have instances, because people could invent names.
fn record_report(call: &Call) {
    let CallerKind::Key(entry) = &call.caller.kind else { return };
    let Some(name) = instance(&call.headers) else { return };
    if is_closing(&call.headers) {
        return call.app.reach.forget(&entry.key, name);
    }
    let followed = FollowedRules {
        environment: entry.key.environment.clone(),
        tenant: call.target.tenant.as_ref().map(|tenant| tenant.id.clone()),
    };
    let report = InstanceReport { followed, digest: digest(&call.headers), at: call.now };
    call.app.reach.record(&entry.key, name, report, std::time::Instant::now());
}

/// The instances and whether they evaluate with the newest flags.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReachView {
    /// The newest revision that changed a flag.
    revision: u64,
    /// The digest of its snapshot in the environment of the server.
    digest: Digest,
    /// The standing of all instances together: `unknown` if some could not be tracked; else
    /// `pending` or `silent` if any instance is; `reached` if every instance evaluates with the
    /// newest flags.
    standing: Standing,
    /// The number of recently heard instances that evaluate with the newest flags.
    reached: usize,
    /// The number of recently heard instances that do not yet.
    pending: usize,
    /// The number of instances without a recent report; they do not count as reached.
    silent: usize,
    /// The ids of machine keys with more instances than the server tracks; how many of them are
    /// reached is unknown.
    incomplete_keys: Vec<Id>,
    /// The instances: pending ones first, then silent ones; 1,000 at most.
    instances: Vec<InstanceView>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InstanceView {
    /// The name that the instance reported.
    instance: String,
    /// The standing of the instance: pending, silent or reached.
    standing: Standing,
    /// The id of its machine key.
    key_id: Id,
    /// The slug of the tenant whose slice it follows, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_slug: Option<Slug>,
    environment: String,
    /// The digest of the rules that it evaluates with; null before it has any.
    digest: Option<Digest>,
    last_heard_at: Timestamp,
}

/// The standing of one instance, or of all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Standing {
    /// The last report named other rules.
    Pending,
    /// The instance has not reported lately.
    Silent,
    /// The instance evaluates with the newest flags.
    Reached,
    /// Some instances could not be tracked.
    Unknown,
}

const MAX_SHOWN: usize = 1_000;

async fn reach(call: Call) -> Result<Reply, Problem> {
    Reply::json(&standing(&call.app).await?)
}

/// Computes the current reach.
pub async fn standing(app: &App) -> Result<ReachView, Problem> {
    let own = app.live.read().environment().clone();
    let SnapshotVersion { revision, digest } = app.live.release(&own).version.clone();
    let mut newest: std::collections::HashMap<FollowedRules, Option<Digest>> = Default::default();
    let mut counts = [0; 3];
    let mut instances = Vec::new();
    let InstanceList { instances: reported, incomplete } = app.reach.list(std::time::Instant::now());
    for instance in reported {
        let InstanceReport { followed, digest, at } = instance.report;
        let current = match newest.get(&followed) {
            Some(current) => current.clone(),
            None => {
                let current = current(app, &followed).await?;
                newest.insert(followed.clone(), current.clone());
                current
            }
        };
        let standing = match digest.is_some() && digest == current {
            _ if !instance.is_recent => Standing::Silent,
            true => Standing::Reached,
            false => Standing::Pending,
        };
        if let Some(count) = counts.get_mut(standing as usize) {
            *count += 1;
        }
        let slug = |id: &Id| app.live.read().tenant_by_id(id.as_str()).map(|tenant| tenant.slug.clone());
        instances.push(InstanceView {
            instance: instance.name,
            standing,
            key_id: instance.key,
            tenant_slug: followed.tenant.as_ref().and_then(slug),
            environment: followed.environment.to_string(),
            digest,
            last_heard_at: at,
        });
    }
    instances.sort_by_key(|instance| instance.standing);
    instances.truncate(MAX_SHOWN);
    let [pending, silent, reached] = counts;
    let standing = match (incomplete.is_empty(), pending, silent) {
        (false, ..) => Standing::Unknown,
        (true, 0, 0) => Standing::Reached,
        (true, 0, _) => Standing::Silent,
        (true, ..) => Standing::Pending,
    };
    Ok(ReachView {
        revision,
        digest,
        standing,
        reached,
        pending,
        silent,
        incomplete_keys: incomplete,
        instances,
    })
}

async fn current(app: &App, followed: &FollowedRules) -> Result<Option<Digest>, Problem> {
    let FollowedRules { environment, tenant } = followed;
    let Some(tenant) = tenant else { return Ok(Some(app.live.release(environment).version.digest.clone())) };
    let version = app.slices.version(&app.live, &*app.store, (tenant, environment)).await?;
    Ok(version.map(|version| version.digest))
}

impl ReachView {
    /// Waits until no instance is pending or the deadline passes, and returns the reach at that
    /// moment.
    pub async fn awaited(app: &Arc<App>, until: Deadline) -> Result<ReachView, Problem> {
        loop {
            let changed = app.reach.changed();
            let view = standing(app).await?;
            if view.pending == 0 || tokio::time::timeout_at(until, changed).await.is_err() {
                return Ok(view);
            }
        }
    }
}
