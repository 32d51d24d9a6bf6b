//! Unleash at its best: the compiled state, called without the engine's lock-free cell.

use std::collections::HashMap;

use chrono::DateTime;
use serde_json::{Value, json};
use unleash_yggdrasil::state::EnrichedContext;
use unleash_yggdrasil::{ClientFeatures, CompiledState, CompiledToggle, Context, EngineState, compile_state};

use crate::engine::FlagEngine;
use crate::workload::{ENVIRONMENT, Flag, ROLLOUT_PERCENT, State, Tenant, Workload};

pub struct Unleash(CompiledState);

impl FlagEngine for Unleash {
    type Subject<'a> = Context;
    type Evaluation = Vec<bool>;

    fn document(workload: &Workload) -> Vec<u8> {
        let features: Vec<Value> = workload.flags.iter().map(|flag| flag_document(workload, flag)).collect();
        json!({ "version": 2, "features": features }).to_string().into_bytes()
    }

    fn load(document: Vec<u8>) -> Result<Self, String> {
        let features: ClientFeatures =
            serde_json::from_slice(&document).map_err(|error| error.to_string())?;
        let (state, warnings) = compile_state(&features);
        match warnings.first() {
            Some(warning) => Err(warning.message.clone()),
            None => Ok(Self(state)),
        }
    }

    fn subject(tenant: &Tenant) -> Context {
        let properties = HashMap::from([("plan".to_owned(), tenant.plan.to_owned())]);
        Context {
            user_id: Some(tenant.id.clone()),
            session_id: None,
            environment: Some(ENVIRONMENT.to_owned()),
            app_name: None,
            current_time: None,
            remote_address: None,
            properties: Some(properties),
        }
    }

    #[inline]
    fn is_enabled(&self, key: &str, subject: &Context) -> bool {
        self.0.get(key).is_some_and(|toggle| toggle_enabled(toggle, key, subject))
    }

    fn new_evaluation(&self) -> Vec<bool> {
        Vec::with_capacity(self.0.len())
    }

    fn evaluate_all(&self, subject: &Context, evaluation: &mut Vec<bool>) {
        evaluation.clear();
        evaluation.extend(self.0.iter().map(|(key, toggle)| toggle_enabled(toggle, key, subject)));
    }

    fn enabled_in(&self, evaluation: &Vec<bool>, key: &str) -> bool {
        let position = self.0.keys().position(|candidate| candidate == key);
        position.is_some_and(|position| evaluation[position])
    }
}

/// Unleash behind the engine of its SDKs: a swappable cell, and a check of dependencies.
pub struct UnleashEngine(EngineState);

/// The answers with the names of all flags, fetched once, because listing them is slow.
pub struct NamedEvaluation {
    keys: Vec<String>,
    enabled: Vec<bool>,
}

impl FlagEngine for UnleashEngine {
    type Subject<'a> = Context;
    type Evaluation = NamedEvaluation;

    fn document(workload: &Workload) -> Vec<u8> {
        Unleash::document(workload)
    }

    fn load(document: Vec<u8>) -> Result<Self, String> {
        let features: ClientFeatures =
            serde_json::from_slice(&document).map_err(|error| error.to_string())?;
        let engine = EngineState::initial_state(DateTime::UNIX_EPOCH);
        match engine.apply_client_features(features) {
            Some(warnings) => Err(format!("{} flags do not compile", warnings.len())),
            None => Ok(Self(engine)),
        }
    }

    fn subject(tenant: &Tenant) -> Context {
        Unleash::subject(tenant)
    }

    #[inline]
    fn is_enabled(&self, key: &str, subject: &Context) -> bool {
        self.0.is_enabled(key, subject, &None)
    }

    fn new_evaluation(&self) -> NamedEvaluation {
        let keys: Vec<String> = self.0.list_known_toggles().into_iter().map(|toggle| toggle.name).collect();
        let enabled = Vec::with_capacity(keys.len());
        NamedEvaluation { keys, enabled }
    }

    fn evaluate_all(&self, subject: &Context, evaluation: &mut NamedEvaluation) {
        let NamedEvaluation { keys, enabled } = evaluation;
        enabled.clear();
        enabled.extend(keys.iter().map(|key| self.is_enabled(key, subject)));
    }

    fn enabled_in(&self, evaluation: &NamedEvaluation, key: &str) -> bool {
        let position = evaluation.keys.iter().position(|candidate| candidate == key);
        position.is_some_and(|position| evaluation.enabled[position])
    }
}

/// The flags have no dependencies, so the check of parents is left out in the peer's favor.
#[inline]
fn toggle_enabled(toggle: &CompiledToggle, key: &str, subject: &Context) -> bool {
    toggle.enabled && (toggle.compiled_strategy)(&EnrichedContext::from(subject, key, None))
}

/// Tenants are listed by id as `userId`, a plain field, which is faster than a property.
fn flag_document(workload: &Workload, flag: &Flag) -> Value {
    let mut constraints = Vec::new();
    if !flag.plans.is_empty() {
        constraints.push(json!({ "contextName": "plan", "operator": "IN", "values": flag.plans }));
    }
    if !flag.tenants.is_empty() {
        let ids: Vec<&str> = workload.ids(flag).collect();
        constraints.push(json!({ "contextName": "userId", "operator": "IN", "values": ids }));
    }
    let strategies = match flag.state {
        State::Off | State::On => json!([]),
        State::Targeted => json!([{ "name": "default", "constraints": constraints }]),
        State::Rollout => json!([{
            "name": "flexibleRollout",
            "parameters": { "rollout": ROLLOUT_PERCENT.to_string(), "stickiness": "userId" },
            "constraints": constraints,
        }]),
    };
    json!({ "name": flag.key, "enabled": flag.state != State::Off, "strategies": strategies })
}
