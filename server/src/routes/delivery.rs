//! For instances that evaluate locally: snapshots, slices, streams of news, and reach.

use std::sync::Arc;

use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use axum::http::{HeaderName, HeaderValue};
use dezky_core::{Action, Digest, Id, Slug, Timestamp};
use schemars::{JsonSchema, Schema, json_schema};
use serde::Serialize;
use tokio::time::Instant as Deadline;

use super::TENANT;
use crate::app::App;
use crate::delivery::{FollowedRules, InstanceList, InstanceReport};
use crate::http::authorize::Bound;
use crate::http::call::Call;
use crate::http::caller::Who;
use crate::http::follow::{Following, follow};
use crate::http::instance::{digest, instance, is_closing};
use crate::http::operation::{Operation, get};
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::live::{Coding, SnapshotVersion};

const HISTORY: HeaderName = HeaderName::from_static("dezky-history");
/// The newest revision that changed a tenant or a partner: clients then ask for subjects again.
pub const POPULATION: HeaderName = HeaderName::from_static("dezky-population");

pub fn operations() -> Vec<Operation> {
    let document = |operation: Operation| Operation {
        answer: |_| {
            Some(json_schema!({ "type": "object", "description": "A snapshot, format 1, canonical." }))
        },
        ..operation.quietly()
    };
    let stream = |operation: Operation| {
        Operation { answer: |_| Some(Schema::from(true)), ..operation.quietly() }.streams()
    };
    vec![
        document(get("/flags/snapshot", Action::SnapshotRead, snapshot))
            .says("The flags of the caller's environment, as instances evaluate them"),
        document(get("/flags/slice", Action::FlagEvaluate, slice))
            .says("What of the snapshot one tenant's decisions depend on")
            .bound_to(Bound::TenantOfQuery)
            .asks(&[TENANT]),
        stream(get("/flags/stream", Action::SnapshotStream, stream_snapshot))
            .says("An event for every new snapshot: its revision and digest, and as population the newest revision that changed a tenant or a partner; sent too when only that changed"),
        stream(get("/flags/slice/stream", Action::FlagEvaluate, stream_slice))
            .says("An event for every slice of one tenant that is out: its revision and digest")
            .bound_to(Bound::TenantOfQuery)
            .asks(&[TENANT]),
        get("/flags/reach", Action::FlagPlan, reach)
            .says("Which instances evaluate with the newest flags, which do not yet, and which have not been heard of lately")
            .gives::<ReachView>(),
    ]
}

async fn snapshot(call: Call) -> Result<Reply, Problem> {
    hear(&call);
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
        // The first who asks makes it for all; others who ask now wait beside the threads that answer.
        None => tokio::task::spawn_blocking(move || release.body(coding)).await.unwrap_or_default(),
    };
    let reply = Reply { content: Reply::text(body).content, ..head };
    Ok(match coding {
        Coding::Identity => reply,
        coding => reply.with_header(CONTENT_ENCODING, HeaderValue::from_static(coding.as_str())),
    })
}

async fn slice(call: Call) -> Result<Reply, Problem> {
    hear(&call);
    let (tenant, environment) = (call.tenant_id()?, call.caller.environment(&call.app.live.read()).clone());
    let App { live, store, slices, .. } = &*call.app;
    let gone = Problem::not_found;
    let mark = slices.version(live, &**store, (&tenant, &environment)).await?.ok_or_else(gone)?;
    let head = |mark: &SnapshotVersion, body| {
        Reply::text(body).tagged(&mark.etag()).with_header(HISTORY, call.app.history.clone())
    };
    if call.is_known(&mark.etag()) {
        return Ok(head(&mark, axum::body::Bytes::new()).not_modified());
    }
    let slice = slices.slice(live, &**store, (&tenant, &environment)).await?.ok_or_else(gone)?;
    Ok(head(&slice.version, slice.body))
}

async fn stream_snapshot(call: Call) -> Result<Reply, Problem> {
    hear(&call);
    follow(call, Following::Snapshot)
}

async fn stream_slice(call: Call) -> Result<Reply, Problem> {
    hear(&call);
    follow(call, Following::Slice)
}

/// Remembers what the instance reports, or forgets an instance that signs off. Only machine keys have
/// instances: people could invent names.
fn hear(call: &Call) {
    let Who::Key(known) = &call.caller.who else { return };
    let Some(name) = instance(&call.headers) else { return };
    if is_closing(&call.headers) {
        return call.app.reach.forget(&known.key, name);
    }
    let watching = FollowedRules {
        environment: known.key.environment.clone(),
        tenant: call.target.tenant.as_ref().map(|tenant| tenant.id.clone()),
    };
    let heard = InstanceReport { followed: watching, digest: digest(&call.headers), at: call.now };
    call.app.reach.record(&known.key, name, heard, std::time::Instant::now());
}

/// Which instances evaluate with the newest flags.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReachView {
    /// The newest revision that changed a flag.
    revision: u64,
    /// The digest of its snapshot in the server's environment.
    digest: Digest,
    /// The answer for all instances together: `unknown` if some could not be remembered; else `pending` or
    /// `silent` if any instance is; `reached` if every known instance evaluates with the newest flags.
    standing: Standing,
    /// How many instances, heard of lately, evaluate with it.
    reached: usize,
    /// How many, heard of lately, do not yet.
    pending: usize,
    /// How many have not been heard of lately; whatever they said then, they do not count as reached.
    silent: usize,
    /// Machine keys (by id) with more instances than the server remembers: how many of them are
    /// reached is unknown.
    incomplete_keys: Vec<Id>,
    /// The instances: those that are pending first, then the silent ones; 1,000 at most.
    instances: Vec<InstanceView>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InstanceView {
    /// The name that it gave itself.
    instance: String,
    /// Where it stands: pending, silent or reached.
    standing: Standing,
    /// The machine key that it uses.
    key_id: Id,
    /// The tenant whose slice it follows, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_slug: Option<Slug>,
    environment: String,
    /// The digest of what it evaluates with; null before it has anything.
    digest: Option<Digest>,
    last_heard_at: Timestamp,
}

/// Where an instance stands, or all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Standing {
    /// It evaluates with something else, as far as it has said.
    Pending,
    /// It has not been heard of lately.
    Silent,
    /// It evaluates with the newest.
    Reached,
    /// Some instances could not be remembered.
    Unknown,
}

const MAX_SHOWN: usize = 1_000;

async fn reach(call: Call) -> Result<Reply, Problem> {
    Reply::json(&standing(&call.app).await?)
}

/// Which instances evaluate with the newest flags, now.
pub async fn standing(app: &App) -> Result<ReachView, Problem> {
    let own = app.live.read().environment().clone();
    let SnapshotVersion { revision, digest } = app.live.release(&own).version.clone();
    let mut newest: std::collections::HashMap<FollowedRules, Option<Digest>> = Default::default();
    let mut counts = [0; 3];
    let mut instances = Vec::new();
    let InstanceList { instances: heard, incomplete } = app.reach.list(std::time::Instant::now());
    for instance in heard {
        let InstanceReport { followed: watching, digest, at } = instance.report;
        let current = match newest.get(&watching) {
            Some(current) => current.clone(),
            None => {
                let current = current(app, &watching).await?;
                newest.insert(watching.clone(), current.clone());
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
            tenant_slug: watching.tenant.as_ref().and_then(slug),
            environment: watching.environment.to_string(),
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

async fn current(app: &App, watching: &FollowedRules) -> Result<Option<Digest>, Problem> {
    let FollowedRules { environment, tenant } = watching;
    let Some(tenant) = tenant else { return Ok(Some(app.live.release(environment).version.digest.clone())) };
    let mark = app.slices.version(&app.live, &*app.store, (tenant, environment)).await?;
    Ok(mark.map(|mark| mark.digest))
}

impl ReachView {
    /// Waits until no known instance is pending, or until the deadline; then answers the reach of that moment.
    pub async fn awaited(app: &Arc<App>, until: Deadline) -> Result<ReachView, Problem> {
        loop {
            let news = app.reach.changed();
            let view = standing(app).await?;
            if view.pending == 0 || tokio::time::timeout_at(until, news).await.is_err() {
                return Ok(view);
            }
        }
    }
}
