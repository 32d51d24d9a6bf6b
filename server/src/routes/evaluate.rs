//! The handler for the evaluation of all flags for a tenant.

use std::collections::BTreeMap;

use dezky_core::flags::{Explanation, Ruleset, Subject};
use dezky_core::names::Slug;
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};

use crate::http::call::Call;
use crate::http::operation::{Body, Operation};
use crate::http::problem::Problem;
use crate::http::query::Parameter;
use crate::http::reply::Reply;

const ASKED: Body = Body::whole::<Asked>(&["tenantSlug"], &["tenantSlug"]);

const EXPLAIN: Parameter = Parameter {
    name: "explain",
    description: "Returns the reasons as well",
    schema: r#"{ "enum": ["true", "false"], "default": "false" }"#,
};

/// The tenant to evaluate for.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct Asked {
    /// The slug of the tenant.
    tenant_slug: Slug,
}

pub const EVALUATE: Operation = Operation::new(|call| Box::pin(evaluate(call)))
    .summary("Evaluates all flags for a tenant; with explain=true, returns the reasons as well")
    .query(&[EXPLAIN])
    .body(ASKED)
    .returns_schema(|generator| Some(result_schema(generator)));

fn result_schema(generator: &mut SchemaGenerator) -> Schema {
    let on = generator.subschema_for::<BTreeMap<String, bool>>();
    let why = generator.subschema_for::<BTreeMap<String, Explanation<'_>>>();
    schemars::json_schema!({ "anyOf": [on, why] })
}

async fn evaluate(call: Call) -> Result<Reply, Problem> {
    let explain = call.query.is_set("explain")?;
    // One state lock, so that the tenant and its flags have the same revision.
    let state = call.app.live.read();
    let tenant = call.target.tenant_in(&state)?;
    let subject = state.subject(tenant, call.caller.environment(&state));
    let body =
        if explain { explained(state.ruleset(), &subject) } else { evaluated(state.ruleset(), &subject) };
    Ok(Reply::text(body))
}

// Keys need no escaping: they consist of lowercase letters, digits, _ and -.

fn evaluated(rules: &Ruleset, subject: &Subject<'_>) -> String {
    let evaluation = rules.evaluate_all(subject);
    let mut body = String::with_capacity(2 + evaluation.iter().len() * 32);
    body.push('{');
    for (key, enabled) in evaluation.iter() {
        body.push_str(if body.len() > 1 { ",\"" } else { "\"" });
        body.push_str(key);
        body.push_str(if enabled { "\":true" } else { "\":false" });
    }
    body.push('}');
    body
}

fn explained(rules: &Ruleset, subject: &Subject<'_>) -> String {
    let mut body = String::from("{");
    for key in rules.keys() {
        body.push_str(if body.len() > 1 { ",\"" } else { "\"" });
        body.push_str(key);
        body.push_str("\":");
        body.push_str(&rules.explain(key, subject).to_json());
    }
    body.push('}');
    body
}
