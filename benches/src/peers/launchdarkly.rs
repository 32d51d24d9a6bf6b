//! LaunchDarkly at its best: flags borrowed from a fast map, contexts built once, id targets.

use ahash::AHashMap;
use launchdarkly_server_sdk_evaluation::{
    Context, ContextBuilder, Flag as CompiledFlag, Segment, Store, evaluate,
};
use serde_json::{Map, Value, json};

use crate::engine::FlagEngine;
use crate::workload::{Flag, ROLLOUT_PERCENT, State, Tenant, Workload};

pub struct LaunchDarkly(AHashMap<String, CompiledFlag>);

/// The evaluator reads prerequisites and segments from the store. The workload has neither.
struct NothingElse;

impl Store for NothingElse {
    fn flag(&self, _key: &str) -> Option<CompiledFlag> {
        None
    }

    fn segment(&self, _key: &str) -> Option<Segment> {
        None
    }
}

impl FlagEngine for LaunchDarkly {
    type Subject<'a> = Context;
    type Evaluation = Vec<bool>;

    fn document(workload: &Workload) -> Vec<u8> {
        let flags: Map<String, Value> =
            workload.flags.iter().map(|flag| (flag.key.clone(), flag_document(workload, flag))).collect();
        Value::Object(flags).to_string().into_bytes()
    }

    fn load(document: Vec<u8>) -> Result<Self, String> {
        serde_json::from_slice(&document).map(Self).map_err(|error| error.to_string())
    }

    fn subject(tenant: &Tenant) -> Context {
        let mut builder = ContextBuilder::new(tenant.id.as_str());
        builder.set_string("plan", tenant.plan);
        builder.build().expect("a tenant id is a valid context key")
    }

    #[inline]
    fn is_enabled(&self, key: &str, subject: &Context) -> bool {
        self.0.get(key).is_some_and(|flag| flag_enabled(flag, subject))
    }

    fn new_evaluation(&self) -> Vec<bool> {
        Vec::with_capacity(self.0.len())
    }

    fn evaluate_all(&self, subject: &Context, evaluation: &mut Vec<bool>) {
        evaluation.clear();
        evaluation.extend(self.0.values().map(|flag| flag_enabled(flag, subject)));
    }

    fn enabled_in(&self, evaluation: &Vec<bool>, key: &str) -> bool {
        let position = self.0.keys().position(|candidate| candidate == key);
        position.is_some_and(|position| evaluation[position])
    }
}

#[inline]
fn flag_enabled(flag: &CompiledFlag, subject: &Context) -> bool {
    let detail = evaluate(&NothingElse, flag, subject, None);
    detail.value.and_then(|value| value.as_bool()).unwrap_or(false)
}

/// A list of tenants becomes individual targets by key, which the peer compares without copies.
///
/// With plans beside the tenants both must match, so they become two clauses of one rule.
fn flag_document(workload: &Workload, flag: &Flag) -> Value {
    let ids: Vec<&str> = workload.ids(flag).collect();
    let is_individual = !ids.is_empty() && flag.plans.is_empty();
    let mut clauses = Vec::new();
    if !flag.plans.is_empty() {
        clauses.push(clause("plan", json!(flag.plans)));
    }
    if !ids.is_empty() && !is_individual {
        clauses.push(clause("key", json!(ids)));
    }
    let outcome = match flag.state {
        State::Rollout => json!({ "rollout": {
            "contextKind": "user",
            "variations": [
                { "variation": 1, "weight": ROLLOUT_PERCENT * 1000 },
                { "variation": 0, "weight": (100 - ROLLOUT_PERCENT) * 1000 },
            ],
        } }),
        State::Off | State::On | State::Targeted => json!({ "variation": 1 }),
    };
    let mut rule = json!({ "id": "scope", "clauses": clauses, "trackEvents": false });
    merge(&mut rule, outcome);
    json!({
        "key": flag.key,
        "version": 1,
        "on": flag.state != State::Off,
        "targets": if is_individual { json!([{ "values": ids, "variation": 1 }]) } else { json!([]) },
        "rules": if clauses.is_empty() { json!([]) } else { json!([rule]) },
        "prerequisites": [],
        "fallthrough": { "variation": u32::from(flag.state == State::On) },
        "offVariation": 0,
        "variations": [false, true],
        "clientSide": false,
        "salt": "salt",
    })
}

fn clause(attribute: &str, values: Value) -> Value {
    json!({ "contextKind": "user", "attribute": attribute, "op": "in", "values": values })
}

fn merge(target: &mut Value, source: Value) {
    if let (Value::Object(target), Value::Object(source)) = (target, source) {
        target.extend(source);
    }
}
