//! The OFREP 0.3 handlers: evaluation over HTTP for OpenFeature clients.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::{HeaderName, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dezky_core::flags::{Axis, Explanation, Reason, Subject};
use dezky_core::names::{FlagKey, Percent};
use schemars::json_schema;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::http::call::Call;
use crate::http::context::bad_context;
use crate::http::follow::{EventSource, follow};
use crate::http::link::Link;
use crate::http::operation::{Body, BodyForm, CredentialPlace, Handler, Operation, RefusalFormat};
use crate::http::problem::Problem;
use crate::http::query::Parameter;
use crate::http::reply::Reply;
use crate::live::{LiveState, SnapshotVersion};
use crate::routes::TENANT;

const ASKED: Body = Body {
    members: &["context"],
    required: &["context"],
    form: BodyForm::Context,
    schema: |_| {
        json_schema!({ "properties": { "context": {
            "type": "object",
            "required": ["targetingKey"],
            "properties": {
                "targetingKey": { "type": "string", "description": "The id or slug of the tenant." },
                "environment": { "type": "string", "description": "The environment of the caller; optional." },
            },
        } } })
    },
};

/// Parameters that a client copies from a change event. They are ignored: every response has the
/// newest state.
const REFETCH: &[Parameter] = &[
    Parameter {
        name: "flagConfigEtag",
        description: "The value from the change event",
        schema: r#"{ "type": "string" }"#,
    },
    Parameter {
        name: "flagConfigLastModified",
        description: "The value from the change event",
        schema: r#"{ "type": "string" }"#,
    },
];

const TOKEN: Parameter = Parameter {
    name: "token",
    description: "The token from eventStreams",
    schema: r#"{ "type": "string" }"#,
};

/// The time after which a hidden page closes its stream.
const INACTIVITY_SECONDS: u32 = 120;

const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

pub const EVALUATE: Operation = evaluation(|call| Box::pin(evaluate(call)))
    .summary("Evaluates one flag for a tenant (OFREP)")
    .returns_schema(|_| {
        let required = ["key", "value", "reason", "variant", "metadata"];
        Some(json_schema!({ "type": "object", "required": required }))
    });

pub const EVALUATE_ALL: Operation = evaluation(|call| Box::pin(evaluate_all(call)))
    .summary("Evaluates all flags for a tenant (OFREP)")
    .query(REFETCH)
    .returns_schema(|_| {
        let required = ["flags", "metadata", "eventStreams"];
        Some(json_schema!({ "type": "object", "required": required }))
    });

pub const STREAM: Operation = Operation::new(|call| Box::pin(stream(call)))
    .summary(
        "Sends an event when a tenant's evaluations must be fetched again; eventStreams contains \
         the address",
    )
    .query(&[TENANT, TOKEN])
    .returns_schema(|_| Some(true.into()))
    .credential(CredentialPlace::Link)
    .log_refusals_only()
    .streams_events();

const fn evaluation(handler: Handler) -> Operation {
    Operation::new(handler).body(ASKED).refusals(RefusalFormat::Ofrep).log_refusals_only()
}

async fn evaluate(call: Call) -> Result<Reply, Problem> {
    let key = call.part("key");
    evaluate_with(&call, |state, subject, version| {
        let explanation = state.ruleset().explain(key, subject);
        if explanation.reason == Reason::UnknownFlag {
            return Err(Problem::new(StatusCode::NOT_FOUND, "flag_not_found", "The flag does not exist"));
        }
        let mut body = String::with_capacity(256);
        Entries::new(subject, version).push(&mut body, state, &explanation);
        Ok(Reply::text(body))
    })
    .await
}

async fn evaluate_all(call: Call) -> Result<Reply, Problem> {
    let tenant = call.target.tenant.as_ref().ok_or_else(Problem::not_found)?;
    let link = Link::new(&tenant.slug, call.caller.as_holder(), call.now);
    // The digest of a whole snapshot identifies every response, so the tag exists before the
    // body. The digest of a slice does not, because the metadata contain more.
    let has_early_tag = call.caller.covers_every_tenant();
    evaluate_with(&call, |state, subject, version| {
        let early = has_early_tag.then(|| early_tag(version, subject, &link));
        if let Some(tag) = early.as_ref().filter(|tag| call.is_known(tag)) {
            return Ok(Reply::text("").tagged(tag).not_modified());
        }
        let (rules, entries) = (state.ruleset(), Entries::new(subject, version));
        let mut body = String::with_capacity(256 + rules.keys().len() * 224);
        body.push_str("{\"flags\":[");
        for (index, key) in rules.keys().enumerate() {
            if index > 0 {
                body.push(',');
            }
            entries.push(&mut body, state, &rules.explain(key, subject));
        }
        body.push_str("],\"metadata\":");
        body.push_str(&entries.metadata);
        body.push_str(
            "},\"eventStreams\":[{\"type\":\"sse\",\"endpoint\":{\"requestUri\":\"/ofrep/v1/stream?",
        );
        body.push_str(&link.query(&call.app.seal));
        body.push_str(&format!("\"}},\"inactivityDelaySec\":{INACTIVITY_SECONDS}}}]}}"));
        let tag = early.unwrap_or_else(|| late_tag(&body));
        Ok(Reply::text(body).tagged(&tag))
    })
    .await
}

/// Evaluates for the requested tenant; tenant, flags and version have one revision.
async fn evaluate_with(
    call: &Call,
    evaluate: impl FnOnce(&LiveState, &Subject<'_>, &SnapshotVersion) -> Result<Reply, Problem>,
) -> Result<Reply, Problem> {
    let App { live, store, slices, .. } = &*call.app;
    let id = &call.target.tenant.as_ref().ok_or_else(Problem::not_found)?.id;
    let environment = {
        let state = live.read();
        let environment = call.caller.environment(&state);
        if call.context.environment.as_ref().is_some_and(|named| named != environment.as_str()) {
            return Err(bad_context("The environment is not that of the caller's credential"));
        }
        if call.caller.covers_every_tenant() {
            let tenant = call.target.tenant_in(&state)?;
            let subject = state.subject(tenant, environment);
            let release = live.release_at(&state, environment);
            return evaluate(&state, &subject, &release.version);
        }
        environment.clone()
    };
    // A caller with access to single tenants must not see a version that moves with changes of
    // others.
    let evaluation = Box::pin(slices.look(live, &**store, (id, &environment), evaluate));
    evaluation.await?.ok_or_else(Problem::not_found)?
}

async fn stream(call: Call) -> Result<Reply, Problem> {
    let last_event =
        call.headers.get(&LAST_EVENT).and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    follow(call, EventSource::Evaluations { last_event })
}

/// Returns the tag from the inputs of the body: the snapshot, the subject and the link.
fn early_tag(version: &SnapshotVersion, subject: &Subject<'_>, link: &Link<'_>) -> String {
    let mut hasher = DefaultHasher::new();
    (subject.tenant_id(), Axis::ALL.map(|axis| subject.value(axis)), link).hash(&mut hasher);
    let mut tag = String::with_capacity(84);
    tag.push('"');
    tag.push_str(version.digest.as_str());
    // Writing to a string cannot fail.
    let _ = write!(tag, "-{:x}\"", hasher.finish());
    tag
}

/// Returns the tag of a complete body.
fn late_tag(body: &str) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(body)))
}

/// Serializes evaluations. None of the names needs escaping.
struct Entries {
    /// The start of the metadata of every entry.
    metadata: String,
}

impl Entries {
    fn new(subject: &Subject<'_>, version: &SnapshotVersion) -> Entries {
        let mut metadata = String::with_capacity(160);
        let _ = write!(metadata, "{{\"version\":\"rev-{}\"", version.revision);
        let environment = subject.value(Axis::Environments).unwrap_or_default();
        push_text(&mut metadata, ",\"flagSetId\":\"", environment);
        push_text(&mut metadata, ",\"contextId\":\"", subject.tenant_id());
        Entries { metadata }
    }

    fn push(&self, out: &mut String, state: &LiveState, explanation: &Explanation<'_>) {
        let key = explanation.key;
        out.push_str("{\"key\":\"");
        out.push_str(key);
        out.push_str(value_reason_variant(explanation));
        out.push_str(&self.metadata);
        match explanation.reason {
            Reason::Off if state.is_killed(key) => out.push_str(",\"killSwitch\":true"),
            Reason::Targeted => push_text(out, ",\"axis\":\"", matched_axis(state, key)),
            Reason::OutOfScope => {
                push_text(out, ",\"missedAxis\":\"", explanation.axis.map_or("", Axis::as_str));
            }
            _ => {}
        }
        push_percent(out, ",\"bucket\":", explanation.position);
        push_percent(out, ",\"pct\":", explanation.pct);
        out.push_str("}}");
    }
}

fn value_reason_variant(explanation: &Explanation<'_>) -> &'static str {
    match explanation.reason {
        Reason::Off => r#"","value":false,"reason":"DISABLED","variant":"off","metadata":"#,
        Reason::On => r#"","value":true,"reason":"STATIC","variant":"on","metadata":"#,
        Reason::Targeted => r#"","value":true,"reason":"TARGETING_MATCH","variant":"on","metadata":"#,
        Reason::InRollout => r#"","value":true,"reason":"SPLIT","variant":"on","metadata":"#,
        Reason::OutOfRollout => r#"","value":false,"reason":"SPLIT","variant":"off","metadata":"#,
        Reason::EmptyScope | Reason::OutOfScope | Reason::UnknownFlag => {
            r#"","value":false,"reason":"DEFAULT","variant":"off","metadata":"#
        }
    }
}

/// Returns the subject member that the first axis of the flag's scope compares.
fn matched_axis(state: &LiveState, key: &str) -> &'static str {
    let Some(scope) =
        FlagKey::new(key).ok().and_then(|key| state.flag(&key)).map(|flag| &flag.content().scope)
    else {
        return "";
    };
    let listed = Axis::ALL.into_iter().find(|&axis| scope.values(axis).next().is_some());
    match listed {
        Some(Axis::Plans) => "plan",
        Some(Axis::TenantSlugs) => "tenantSlug",
        Some(Axis::PartnerSlugs) => "partnerSlug",
        Some(Axis::Environments) => "environment",
        None => "",
    }
}

fn push_text(out: &mut String, name: &str, text: &str) {
    out.push_str(name);
    out.push_str(text);
    out.push('"');
}

fn push_percent(out: &mut String, name: &str, number: Option<Percent>) {
    if let Some(number) = number {
        out.push_str(name);
        number.push_to(out);
    }
}
