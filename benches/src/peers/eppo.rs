//! Eppo at its best: compiled configuration, shared attributes, time taken once, no event.

use std::sync::Arc;

use eppo_core::configuration_store::ConfigurationStore;
use eppo_core::eval::{Evaluator, EvaluatorConfig, get_assignment};
use eppo_core::timestamp::Timestamp;
use eppo_core::ufc::{Assignment, AssignmentValue, UniversalFlagConfig};
use eppo_core::{Attributes, Configuration, EvaluationError, SdkMetadata, Str};
use serde_json::{Map, Value, json};

use crate::engine::FlagEngine;
use crate::workload::{ENVIRONMENT, Flag, ROLLOUT_PERCENT, State, Tenant, Workload};

const TOTAL_SHARDS: u32 = 10_000;
const METADATA: SdkMetadata = SdkMetadata { name: "benches", version: "0" };

pub struct Eppo {
    configuration: Configuration,
    now: Timestamp,
}

pub struct EppoSubject {
    key: Str,
    attributes: Arc<Attributes>,
}

impl FlagEngine for Eppo {
    type Subject<'a> = EppoSubject;
    type Evaluation = Vec<bool>;

    fn document(workload: &Workload) -> Vec<u8> {
        let flags: Map<String, Value> =
            workload.flags.iter().map(|flag| (flag.key.clone(), flag_document(workload, flag))).collect();
        json!({
            "createdAt": "2026-01-01T00:00:00.000Z",
            "format": "SERVER",
            "environment": { "name": ENVIRONMENT },
            "flags": flags,
        })
        .to_string()
        .into_bytes()
    }

    fn load(document: Vec<u8>) -> Result<Self, String> {
        let flags = UniversalFlagConfig::from_json(METADATA, document).map_err(|error| error.to_string())?;
        Ok(Self {
            configuration: Configuration::from_server_response(flags, None),
            now: eppo_core::timestamp::now(),
        })
    }

    fn subject(tenant: &Tenant) -> EppoSubject {
        let attributes: Attributes =
            [(Str::from("plan"), tenant.plan.into()), (Str::from("tenantSlug"), tenant.slug.as_str().into())]
                .into_iter()
                .collect();
        EppoSubject { key: Str::from(tenant.id.as_str()), attributes: Arc::new(attributes) }
    }

    #[inline]
    fn is_enabled(&self, key: &str, subject: &EppoSubject) -> bool {
        let EppoSubject { key: subject_key, attributes } = subject;
        is_true(get_assignment(Some(&self.configuration), key, subject_key, attributes, None, self.now))
    }

    fn new_evaluation(&self) -> Vec<bool> {
        Vec::with_capacity(self.configuration.flag_keys().count())
    }

    fn evaluate_all(&self, subject: &EppoSubject, evaluation: &mut Vec<bool>) {
        evaluation.clear();
        evaluation.extend(self.configuration.flag_keys().map(|key| self.is_enabled(key, subject)));
    }

    fn enabled_in(&self, evaluation: &Vec<bool>, key: &str) -> bool {
        let position = self.configuration.flag_keys().position(|candidate| candidate.as_str() == key);
        position.is_some_and(|position| evaluation[position])
    }
}

/// Eppo behind the evaluator of its SDKs: a store shared between threads, and a clock.
pub struct EppoEvaluator {
    evaluator: Evaluator,
    configuration: Arc<Configuration>,
}

impl FlagEngine for EppoEvaluator {
    type Subject<'a> = EppoSubject;
    type Evaluation = Vec<bool>;

    fn document(workload: &Workload) -> Vec<u8> {
        Eppo::document(workload)
    }

    fn load(document: Vec<u8>) -> Result<Self, String> {
        let configuration = Arc::new(Eppo::load(document)?.configuration);
        let configuration_store = Arc::new(ConfigurationStore::new());
        configuration_store.set_configuration(Arc::clone(&configuration));
        let evaluator = Evaluator::new(EvaluatorConfig { configuration_store, sdk_metadata: METADATA });
        Ok(Self { evaluator, configuration })
    }

    fn subject(tenant: &Tenant) -> EppoSubject {
        Eppo::subject(tenant)
    }

    #[inline]
    fn is_enabled(&self, key: &str, subject: &EppoSubject) -> bool {
        is_true(self.evaluator.get_assignment(key, &subject.key, &subject.attributes, None))
    }

    fn new_evaluation(&self) -> Vec<bool> {
        Vec::with_capacity(self.configuration.flag_keys().count())
    }

    fn evaluate_all(&self, subject: &EppoSubject, evaluation: &mut Vec<bool>) {
        evaluation.clear();
        evaluation.extend(self.configuration.flag_keys().map(|key| self.is_enabled(key, subject)));
    }

    fn enabled_in(&self, evaluation: &Vec<bool>, key: &str) -> bool {
        let position = self.configuration.flag_keys().position(|candidate| candidate.as_str() == key);
        position.is_some_and(|position| evaluation[position])
    }
}

#[inline]
fn is_true(outcome: Result<Option<Assignment>, EvaluationError>) -> bool {
    matches!(outcome, Ok(Some(Assignment { value: AssignmentValue::Boolean(true), .. })))
}

fn flag_document(workload: &Workload, flag: &Flag) -> Value {
    let mut conditions = Vec::new();
    if !flag.plans.is_empty() {
        conditions.push(json!({ "attribute": "plan", "operator": "ONE_OF", "value": flag.plans }));
    }
    if !flag.tenants.is_empty() {
        let slugs: Vec<&str> = workload.slugs(flag).collect();
        conditions.push(json!({ "attribute": "tenantSlug", "operator": "ONE_OF", "value": slugs }));
    }
    let rules = if conditions.is_empty() { json!([]) } else { json!([{ "conditions": conditions }]) };
    let shards = match flag.state {
        State::Rollout => json!([{
            "salt": flag.key,
            "ranges": [{ "start": 0, "end": TOTAL_SHARDS * ROLLOUT_PERCENT / 100 }],
        }]),
        State::Off | State::On | State::Targeted => json!([]),
    };
    json!({
        "key": flag.key,
        "enabled": flag.state != State::Off,
        "variationType": "BOOLEAN",
        "variations": { "on": { "key": "on", "value": true } },
        "totalShards": TOTAL_SHARDS,
        "allocations": [{
            "key": "scope",
            "rules": rules,
            "splits": [{ "variationKey": "on", "shards": shards }],
            "doLog": false,
        }],
    })
}
