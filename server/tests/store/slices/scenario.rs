//! A store with its slices, and the slices that each tenant must get.

use std::collections::BTreeMap;
use std::sync::Arc;

use dezky_core::flags::{Ruleset, Snapshot, Subject};
use dezky_core::model::{Partner, Tenant};
use dezky_core::names::{Environment, FlagKey};
use dezky_server::delivery::Slices;
use dezky_server::live::Live;
use dezky_server::store::sqlite::SqliteStore;
use dezky_server::store::{RecordChange, Store};
use serde_json::{Value, json};

use super::steps::{ENVIRONMENTS, MAX_TENANTS, PARTNERS, PLANS, Step, content_json};
use crate::directory::Directory;
use crate::records::*;

/// The slice that a tenant must get, and the revision since which it is valid.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExpectedSlice {
    explanations: Vec<String>,
    record: Value,
    revision: u64,
}

pub struct Scenario {
    directory: Directory,
    running: Option<RunningStore>,
    pub expected: BTreeMap<(usize, usize), ExpectedSlice>,
    /// The bytes of every slice so far, by tenant, environment and revision.
    seen_bodies: BTreeMap<(usize, usize, u64), Vec<u8>>,
    pub tenants: usize,
}

pub struct RunningStore {
    pub store: Arc<dyn Store>,
    pub live: Live,
    pub slices: Arc<Slices>,
}

/// The number of changes in memory, so low that most of the past is read from the store.
pub const RECENT_CHANGES: usize = 3;

async fn open_store(directory: &Directory, recent: usize) -> RunningStore {
    let live = Live::with_max_changes(recent, Environment::new(ENVIRONMENTS[0]).unwrap()).unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(directory.path(), live.observer()).unwrap());
    live.load(store.initial_state().await.unwrap()).unwrap();
    RunningStore { store, live, slices: Arc::default() }
}

fn edited<T: serde::Serialize>(record: &T, edits: &[(&str, Value)]) -> Value {
    let mut document = serde_json::to_value(record).unwrap();
    for (name, value) in edits {
        match value {
            Value::Null => drop(document.as_object_mut().unwrap().remove(*name)),
            value => document[*name] = value.clone(),
        }
    }
    document["version"] = json!(document["version"].as_u64().unwrap() + 1);
    document
}

fn flag_key(number: usize) -> FlagKey {
    FlagKey::new(&format!("flag-{number}")).unwrap()
}

impl Scenario {
    pub async fn new(recent: usize) -> Scenario {
        let directory = Directory::new();
        let running = Some(open_store(&directory, recent).await);
        let mut scenario = Scenario {
            directory,
            running,
            expected: BTreeMap::new(),
            seen_bodies: BTreeMap::new(),
            tenants: 0,
        };
        scenario.write((0..PARTNERS.len()).map(|number| created(&partner(number))).collect()).await;
        for _ in 0..3 {
            scenario.add_tenant(0).await;
            scenario.update_expectations(&[]).await;
        }
        scenario
    }

    pub fn running(&self) -> &RunningStore {
        self.running.as_ref().unwrap()
    }

    async fn write(&self, entries: Vec<RecordChange>) {
        self.running().store.write(write(entries)).await.unwrap();
    }

    async fn add_tenant(&mut self, plan: usize) {
        let new = tenant(self.tenants);
        let document = edited(&new, &[("plan", json!(PLANS[plan]))]);
        self.tenants += 1;
        self.write(vec![created(&Tenant::from_json(document.to_string().as_bytes()).unwrap())]).await;
    }

    pub async fn change_tenant(&self, number: usize, edits: &[(&str, Value)]) {
        let id = id(&format!("t{}", number % self.tenants));
        let before = self.running().store.tenant(&id).await.unwrap().unwrap();
        let after = Tenant::from_json(edited(&before, edits).to_string().as_bytes()).unwrap();
        self.write(vec![updated(&before, &after)]).await;
    }

    /// Writes the flags in one write, ordered by their keys, and returns the keys.
    pub async fn put_flags(&self, flags: &[(usize, Value)], action: &'static str) -> Vec<String> {
        let mut entries: BTreeMap<usize, RecordChange> = BTreeMap::new();
        for (number, content) in flags {
            let before = self.running().store.flag(&flag_key(*number)).await.unwrap();
            let mut document = match &before {
                Some(before) => edited(before, &[]),
                None => json!({ "key": flag_key(*number), "version": 1 }),
            };
            for (name, value) in content.as_object().unwrap() {
                document[name] = value.clone();
            }
            let after = dezky_core::model::Flag::from_json(document.to_string().as_bytes()).unwrap();
            let before = before.map(|before| before.record());
            entries.insert(*number, RecordChange { action, before, after: Some(after.record()) });
        }
        let keys = entries.keys().map(|number| flag_key(*number).to_string()).collect();
        self.write(entries.into_values().collect()).await;
        keys
    }

    /// Applies the step and returns the keys of the flags that it wrote in one write.
    pub async fn apply(&mut self, step: &Step) -> Vec<String> {
        let existing_flag =
            async |number: &usize| self.running().store.flag(&flag_key(*number)).await.unwrap();
        match step {
            Step::PutFlags(flags) => {
                let flags: Vec<_> =
                    flags.iter().map(|(number, content)| (*number, content_json(content))).collect();
                return self.put_flags(&flags, "flag.update").await;
            }
            Step::DeleteFlag(number) => {
                if let Some(before) = existing_flag(number).await {
                    self.write(vec![deleted(&before)]).await;
                }
            }
            Step::KillFlag(number) => {
                if existing_flag(number).await.is_some() {
                    self.put_flags(&[(*number, json!({ "state": "off", "pct": 0 }))], "flag.kill").await;
                }
            }
            Step::DescribeFlag(number) => {
                if existing_flag(number).await.is_some() {
                    self.put_flags(&[(*number, json!({ "description": "A description." }))], "flag.update")
                        .await;
                }
            }
            Step::AddTenant(plan) if self.tenants < MAX_TENANTS => self.add_tenant(*plan).await,
            Step::AddTenant(_) => {}
            Step::ChangePlan(tenant_index, plan) => {
                self.change_tenant(*tenant_index, &[("plan", json!(PLANS[*plan]))]).await
            }
            Step::ChangePartner(tenant_index, partner) => {
                let partner = partner.map(|number| json!(format!("p{number}"))).unwrap_or_default();
                self.change_tenant(*tenant_index, &[("partnerId", partner)]).await;
            }
            Step::RenameTenant(tenant_index) => {
                self.change_tenant(*tenant_index, &[("name", json!("Another name"))]).await
            }
            Step::SuspendTenant(tenant_index) => {
                self.change_tenant(*tenant_index, &[("status", json!("suspended"))]).await
            }
            Step::RenamePartner(number) => {
                let before = self.running().store.partner(&id(&format!("p{number}"))).await.unwrap().unwrap();
                let after = edited(&before, &[("name", json!("Another name"))]);
                let after = Partner::from_json(after.to_string().as_bytes()).unwrap();
                self.write(vec![updated(&before, &after)]).await;
            }
            Step::Restart => {
                self.running = None;
                self.running = Some(open_store(&self.directory, RECENT_CHANGES).await);
            }
        }
        Vec::new()
    }

    /// Evaluates the whole snapshot for every tenant and stores the result as the expectation.
    ///
    /// Each flag of a write has its own revision.
    pub async fn update_expectations(&mut self, written_flags: &[String]) {
        let running = self.running.as_ref().unwrap();
        let (revision, _) = running.store.head().await.unwrap();
        let rules = Ruleset::new(running.live.read().snapshot().clone());
        for tenant_index in 0..self.tenants {
            let record = running.store.tenant(&id(&format!("t{tenant_index}"))).await.unwrap().unwrap();
            let record = serde_json::to_value(&record).unwrap();
            for (environment_index, environment) in ENVIRONMENTS.iter().enumerate() {
                let explanations =
                    explain_all(&running.live, &rules, tenant_index, &Environment::new(environment).unwrap());
                let expected = self.expected.entry((tenant_index, environment_index)).or_default();
                let key = |explanation: &str| explanation.split('"').nth(3).unwrap().to_owned();
                let differ = |one: &[String], other: &[String]| -> Vec<String> {
                    one.iter().filter(|own| !other.contains(own)).map(|own| key(own)).collect()
                };
                let mut keys = differ(&expected.explanations, &explanations);
                keys.extend(differ(&explanations, &expected.explanations));
                if !keys.is_empty() || expected.record != record {
                    let newest = written_flags.iter().rev().position(|key| keys.contains(key)).unwrap_or(0);
                    let revision = revision - newest as u64;
                    *expected = ExpectedSlice { explanations, record: record.clone(), revision };
                }
            }
        }
    }

    /// Compares the current slice of a tenant with the expectation.
    pub async fn check_slice(&mut self, tenant_index: usize, environment_index: usize) {
        let running = self.running.as_ref().unwrap();
        let (tenant, environment) =
            (id(&format!("t{tenant_index}")), Environment::new(ENVIRONMENTS[environment_index]).unwrap());
        let slice_of = (&tenant, &environment);
        let version =
            running.slices.version(&running.live, &*running.store, slice_of).await.unwrap().unwrap();
        let slice = running.slices.slice(&running.live, &*running.store, slice_of).await.unwrap().unwrap();
        assert_eq!(slice.version, version);
        let expected = &self.expected[&(tenant_index, environment_index)];
        assert_eq!(version.revision, expected.revision, "tenant {tenant_index} in {environment}");
        let text = std::str::from_utf8(&slice.body).unwrap();
        let read = Snapshot::from_json(&slice.body).unwrap();
        assert_eq!((read.to_canonical_json().as_str(), read.digest()), (text, version.digest));
        assert_eq!((read.revision(), read.environment()), (version.revision, &environment));
        let rules = Ruleset::new(read);
        assert_eq!(explain_all(&running.live, &rules, tenant_index, &environment), expected.explanations);
        let record = &expected.record;
        for other in (0..MAX_TENANTS).filter(|other| *other != tenant_index) {
            assert!(!text.contains(crate::records::tenant(other).slug().as_str()), "{text}");
        }
        assert!(PARTNERS.iter().all(|partner| !text.contains(partner)), "{text}");
        assert!(!text.contains(record["id"].as_str().unwrap()), "{text}");
        let bytes = self
            .seen_bodies
            .entry((tenant_index, environment_index, version.revision))
            .or_insert_with(|| slice.body.to_vec());
        assert_eq!(*bytes, slice.body, "two contents with one revision");
        let newest = self
            .seen_bodies
            .range((tenant_index, environment_index, 0)..=(tenant_index, environment_index, u64::MAX))
            .next_back()
            .unwrap()
            .0
            .2;
        assert_eq!(newest, version.revision, "the revision went back");
    }
}

/// Returns the explanations of all flags for a tenant.
fn explain_all(live: &Live, rules: &Ruleset, tenant_index: usize, environment: &Environment) -> Vec<String> {
    let state = live.read();
    let tenant = state.tenant_by_id(&format!("t{tenant_index}")).unwrap();
    let subject: Subject<'_> = state.subject(tenant, environment);
    let evaluation = rules.evaluate_all(&subject);
    let all: BTreeMap<&str, bool> = evaluation.iter().collect();
    let explain = |key| {
        let explanation = rules.explain(key, &subject);
        assert_eq!(explanation.enabled, all[key]);
        explanation.to_json()
    };
    rules.keys().map(explain).collect()
}
