//! Slices over random histories of a real store, with restarts in between: nothing but a tenant's own decisions and record changes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dezky_core::flags::{Ruleset, Snapshot, Subject};
use dezky_core::model::{Partner, Tenant};
use dezky_core::names::{Environment, FlagKey};
use dezky_server::delivery::Slices;
use dezky_server::live::{Live, MAX_RECENT_CHANGES};
use dezky_server::store::sqlite::SqliteStore;
use dezky_server::store::{RecordChange, Store};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::directory::Directory;
use crate::records::*;

const FLAGS: usize = 4;
const PLANS: [&str; 3] = ["free", "business", "enterprise"];
const PARTNERS: [&str; 3] = ["partner-000", "partner-001", "partner-002"];
const ENVIRONMENTS: [&str; 2] = ["production", "staging"];
const MOST_TENANTS: usize = 7;

/// What happens. Numbers wrap around what there is.
#[derive(Debug, Clone)]
enum Step {
    Put(Vec<(usize, Content)>),
    Delete(usize),
    Kill(usize),
    Describe(usize),
    Found(usize),
    Plan(usize, usize),
    Partner(usize, Option<usize>),
    Rename(usize),
    RenamePartner(usize),
    Suspend(usize),
    Restart,
}

/// A flag's state, hundredths, and what each of its axes lists, as bits.
type Content = (usize, u64, [u8; 4]);

fn content() -> impl Strategy<Value = Content> {
    // Most axes are empty, so that many flags let somebody in.
    let axis = || prop_oneof![3 => Just(0_u8), 2 => any::<u8>()];
    (0..4_usize, prop_oneof![Just(0), Just(5_000), 0..=10_000_u64], [axis(), axis(), axis(), axis()])
}

fn step() -> impl Strategy<Value = Step> {
    let some = 0..100_usize;
    prop_oneof![
        6 => proptest::collection::vec((0..FLAGS, content()), 1..3).prop_map(Step::Put),
        1 => (0..FLAGS).prop_map(Step::Delete),
        1 => (0..FLAGS).prop_map(Step::Kill),
        1 => (0..FLAGS).prop_map(Step::Describe),
        1 => (0..PLANS.len()).prop_map(Step::Found),
        2 => (some.clone(), 0..PLANS.len()).prop_map(|(who, plan)| Step::Plan(who, plan)),
        2 => (some.clone(), proptest::option::of(0..PARTNERS.len()))
            .prop_map(|(who, partner)| Step::Partner(who, partner)),
        1 => some.clone().prop_map(Step::Rename),
        1 => (0..PARTNERS.len()).prop_map(Step::RenamePartner),
        1 => some.prop_map(Step::Suspend),
        1 => Just(Step::Restart),
    ]
}

/// What a tenant is told, and since when; as this test keeps it.
#[derive(Debug, Clone, Default, PartialEq)]
struct Told {
    explanations: Vec<String>,
    record: Value,
    revision: u64,
}

struct World {
    directory: Directory,
    running: Option<Running>,
    told: BTreeMap<(usize, usize), Told>,
    /// Every slice that was ever seen: of whom, at which revision, which bytes.
    seen: BTreeMap<(usize, usize, u64), Vec<u8>>,
    tenants: usize,
}

struct Running {
    store: Arc<dyn Store>,
    live: Live,
    slices: Arc<Slices>,
}

/// Changes that are held in memory: so few that most of the past is read from the store.
const RECENT: usize = 3;

async fn run(directory: &Directory, recent: usize) -> Running {
    let live = Live::with_max_changes(recent, Environment::new(ENVIRONMENTS[0]).unwrap()).unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(directory.path(), live.observer()).unwrap());
    live.load(store.initial_state().await.unwrap()).unwrap();
    Running { store, live, slices: Arc::default() }
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

fn content_json((state, hundredths, axes): &Content) -> Value {
    let tenants: Vec<String> = (0..MOST_TENANTS).map(|number| tenant(number).slug().to_string()).collect();
    let listed = |axis: usize, names: Vec<&str>| -> Vec<String> {
        let is_listed = |index: &usize| axes[axis] & (1 << index) != 0;
        (0..names.len()).filter(is_listed).map(|index| names[index].to_owned()).collect()
    };
    let state = ["off", "on", "targeted", "rollout"][*state];
    json!({
        "state": state,
        "pct": *hundredths as f64 / 100.0,
        "scope": {
            "plans": listed(0, PLANS.to_vec()),
            "tenantSlugs": listed(1, tenants.iter().map(String::as_str).collect()),
            "partnerSlugs": listed(2, PARTNERS.to_vec()),
            "environments": listed(3, ENVIRONMENTS.to_vec()),
        },
    })
}

impl World {
    async fn new(recent: usize) -> World {
        let directory = Directory::new();
        let running = Some(run(&directory, recent).await);
        let mut world =
            World { directory, running, told: BTreeMap::new(), seen: BTreeMap::new(), tenants: 0 };
        world.write((0..PARTNERS.len()).map(|number| made(&partner(number))).collect()).await;
        for _ in 0..3 {
            world.found(0).await;
            world.take_down(&[]).await;
        }
        world
    }

    fn now(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    async fn write(&self, entries: Vec<RecordChange>) {
        self.now().store.write(write(entries)).await.unwrap();
    }

    async fn found(&mut self, plan: usize) {
        let new = tenant(self.tenants);
        let document = edited(&new, &[("plan", json!(PLANS[plan]))]);
        self.tenants += 1;
        self.write(vec![made(&Tenant::from_json(document.to_string().as_bytes()).unwrap())]).await;
    }

    async fn change_tenant(&self, number: usize, edits: &[(&str, Value)]) {
        let id = id(&format!("t{}", number % self.tenants));
        let before = self.now().store.tenant(&id).await.unwrap().unwrap();
        let after = Tenant::from_json(edited(&before, edits).to_string().as_bytes()).unwrap();
        self.write(vec![changed(&before, &after)]).await;
    }

    /// Writes these flags as one, in the order of their keys, which are given back.
    async fn put(&self, flags: &[(usize, Value)], action: &'static str) -> Vec<String> {
        let mut entries: BTreeMap<usize, RecordChange> = BTreeMap::new();
        for (number, content) in flags {
            let before = self.now().store.flag(&flag_key(*number)).await.unwrap();
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

    /// Lets it happen; the flags that were written as one, where there are several.
    async fn take(&mut self, step: &Step) -> Vec<String> {
        let known = async |number: &usize| self.now().store.flag(&flag_key(*number)).await.unwrap();
        match step {
            Step::Put(flags) => {
                let flags: Vec<_> =
                    flags.iter().map(|(number, content)| (*number, content_json(content))).collect();
                return self.put(&flags, "flag.update").await;
            }
            Step::Delete(number) => {
                if let Some(before) = known(number).await {
                    self.write(vec![removed(&before)]).await;
                }
            }
            Step::Kill(number) => {
                if known(number).await.is_some() {
                    self.put(&[(*number, json!({ "state": "off", "pct": 0 }))], "flag.kill").await;
                }
            }
            Step::Describe(number) => {
                if known(number).await.is_some() {
                    self.put(&[(*number, json!({ "description": "Told to people." }))], "flag.update").await;
                }
            }
            Step::Found(plan) if self.tenants < MOST_TENANTS => self.found(*plan).await,
            Step::Found(_) => {}
            Step::Plan(who, plan) => self.change_tenant(*who, &[("plan", json!(PLANS[*plan]))]).await,
            Step::Partner(who, partner) => {
                let partner = partner.map(|number| json!(format!("p{number}"))).unwrap_or_default();
                self.change_tenant(*who, &[("partnerId", partner)]).await;
            }
            Step::Rename(who) => self.change_tenant(*who, &[("name", json!("Another name"))]).await,
            Step::Suspend(who) => self.change_tenant(*who, &[("status", json!("suspended"))]).await,
            Step::RenamePartner(number) => {
                let before = self.now().store.partner(&id(&format!("p{number}"))).await.unwrap().unwrap();
                let after = edited(&before, &[("name", json!("Another name"))]);
                let after = Partner::from_json(after.to_string().as_bytes()).unwrap();
                self.write(vec![changed(&before, &after)]).await;
            }
            Step::Restart => {
                self.running = None;
                self.running = Some(run(&self.directory, RECENT).await);
            }
        }
        Vec::new()
    }

    /// Takes down what every tenant is told now, by evaluating the whole snapshot. Each of several flags has a revision of its own.
    async fn take_down(&mut self, written: &[String]) {
        let now = self.running.as_ref().unwrap();
        let (revision, _) = now.store.head().await.unwrap();
        let rules = Ruleset::new(now.live.read().snapshot().clone());
        for who in 0..self.tenants {
            let record = now.store.tenant(&id(&format!("t{who}"))).await.unwrap().unwrap();
            let record = serde_json::to_value(&record).unwrap();
            for (place, environment) in ENVIRONMENTS.iter().enumerate() {
                let explanations = explained(&now.live, &rules, who, &Environment::new(environment).unwrap());
                let told = self.told.entry((who, place)).or_default();
                let key = |explanation: &str| explanation.split('"').nth(3).unwrap().to_owned();
                let differ = |one: &[String], other: &[String]| -> Vec<String> {
                    one.iter().filter(|own| !other.contains(own)).map(|own| key(own)).collect()
                };
                let mut keys = differ(&told.explanations, &explanations);
                keys.extend(differ(&explanations, &told.explanations));
                if !keys.is_empty() || told.record != record {
                    let newest = written.iter().rev().position(|key| keys.contains(key)).unwrap_or(0);
                    let revision = revision - newest as u64;
                    *told = Told { explanations, record: record.clone(), revision };
                }
            }
        }
    }

    async fn look(&mut self, who: usize, place: usize) {
        let now = self.running.as_ref().unwrap();
        let (tenant, environment) = (id(&format!("t{who}")), Environment::new(ENVIRONMENTS[place]).unwrap());
        let whose = (&tenant, &environment);
        let mark = now.slices.version(&now.live, &*now.store, whose).await.unwrap().unwrap();
        let slice = now.slices.slice(&now.live, &*now.store, whose).await.unwrap().unwrap();
        assert_eq!(slice.version, mark);
        let told = &self.told[&(who, place)];
        assert_eq!(mark.revision, told.revision, "tenant {who} in {environment}");
        let text = std::str::from_utf8(&slice.body).unwrap();
        let read = Snapshot::from_json(&slice.body).unwrap();
        assert_eq!((read.to_canonical_json().as_str(), read.digest()), (text, mark.digest));
        assert_eq!((read.revision(), read.environment()), (mark.revision, &environment));
        let rules = Ruleset::new(read);
        assert_eq!(explained(&now.live, &rules, who, &environment), told.explanations);
        let record = &told.record;
        for other in (0..MOST_TENANTS).filter(|other| *other != who) {
            assert!(!text.contains(crate::records::tenant(other).slug().as_str()), "{text}");
        }
        assert!(PARTNERS.iter().all(|partner| !text.contains(partner)), "{text}");
        assert!(!text.contains(record["id"].as_str().unwrap()), "{text}");
        let bytes = self.seen.entry((who, place, mark.revision)).or_insert_with(|| slice.body.to_vec());
        assert_eq!(*bytes, slice.body, "two contents with one revision");
        let newest = self.seen.range((who, place, 0)..=(who, place, u64::MAX)).next_back().unwrap().0.2;
        assert_eq!(newest, mark.revision, "the revision went back");
    }
}

/// What every flag is to a tenant, and why.
fn explained(live: &Live, rules: &Ruleset, who: usize, environment: &Environment) -> Vec<String> {
    let state = live.read();
    let tenant = state.tenant_by_id(&format!("t{who}")).unwrap();
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

fn on_a_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(work)
}

#[test]
fn a_slice_changes_by_its_tenants_decisions_and_record_alone() {
    let history = proptest::collection::vec((step(), any::<u16>()), 1..40);
    let config = Config { cases: 48, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let looks = std::cell::Cell::new([0_u32; 2]);
    TestRunner::new(config)
        .run(&history, |history| {
            on_a_runtime(async {
                let mut world = World::new(RECENT).await;
                for (step, watched) in &history {
                    let before = world.told.clone();
                    let written = world.take(step).await;
                    world.take_down(&written).await;
                    // Not everybody looks every time: what is remembered is of different ages.
                    for who in (0..world.tenants).filter(|who| watched & (1 << who) != 0) {
                        for place in 0..ENVIRONMENTS.len() {
                            world.look(who, place).await;
                            let is_same = before.get(&(who, place)) == world.told.get(&(who, place));
                            let [same, other] = looks.get();
                            looks.set(if is_same { [same + 1, other] } else { [same, other + 1] });
                        }
                    }
                }
                for round in 0..2 {
                    for who in 0..world.tenants {
                        for place in 0..ENVIRONMENTS.len() {
                            world.look(who, place).await;
                        }
                    }
                    if round == 0 {
                        world.take(&Step::Restart).await;
                    }
                }
            });
            Ok(())
        })
        .unwrap();
    assert!(looks.get().iter().all(|&count| count > 500), "{looks:?}");
}

/// Readers look while the writer writes: each sees revisions that only grow, and one content for each.
#[test]
fn readers_beside_the_writer_see_one_content_for_each_revision() {
    on_a_runtime(async {
        let world = World::new(MAX_RECENT_CHANGES).await;
        let is_over = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let Running { store, live, slices } = world.now();
                let (store, live, slices) = (Arc::clone(store), live.clone(), Arc::clone(slices));
                let is_over = Arc::clone(&is_over);
                tokio::spawn(async move {
                    let (tenant, environment) = (id("t1"), Environment::new("production").unwrap());
                    let mut seen: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
                    while !is_over.load(Ordering::Relaxed) {
                        let slice = slices.slice(&live, &*store, (&tenant, &environment)).await;
                        let slice = slice.unwrap().unwrap();
                        let newest = seen.keys().next_back().copied().unwrap_or_default();
                        assert!(
                            slice.version.revision >= newest,
                            "{} after {newest}",
                            slice.version.revision
                        );
                        assert_eq!(Snapshot::from_json(&slice.body).unwrap().digest(), slice.version.digest);
                        let known = seen.entry(slice.version.revision).or_insert_with(|| slice.body.to_vec());
                        assert_eq!(*known, slice.body);
                        tokio::task::yield_now().await;
                    }
                    seen
                })
            })
            .collect();
        for round in 0..200_usize {
            let state = ["on", "off", "targeted"][round % 3];
            world.put(&[(round % 2, json!({ "state": state }))], "flag.update").await;
            if round % 5 == 0 {
                world.change_tenant(round, &[("plan", json!(PLANS[round % 2]))]).await;
            }
        }
        is_over.store(true, Ordering::Relaxed);
        let mut all: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for reader in readers {
            for (revision, bytes) in reader.await.unwrap() {
                assert_eq!(*all.entry(revision).or_insert_with(|| bytes.clone()), bytes);
            }
        }
        assert!(all.len() > 20, "{}", all.len());
    });
}

/// The record of a tenant that is gone has a slice no longer asked for; one that never was has none.
#[test]
fn who_is_not_there_has_no_slice() {
    on_a_runtime(async {
        let world = World::new(MAX_RECENT_CHANGES).await;
        let (absent, environment) = (id("absent"), Environment::new("production").unwrap());
        let Running { store, live, slices } = world.now();
        assert!(slices.version(live, &**store, (&absent, &environment)).await.unwrap().is_none());
        assert!(slices.slice(live, &**store, (&absent, &environment)).await.unwrap().is_none());
    });
}
