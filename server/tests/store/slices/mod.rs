//! Slices over random histories of a real store with restarts in between.
//!
//! A slice changes only with the decisions for its tenant and the record of its tenant.

mod scenario;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dezky_core::flags::Snapshot;
use dezky_core::names::Environment;
use dezky_server::live::MAX_RECENT_CHANGES;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use self::scenario::{RECENT_CHANGES, RunningStore, Scenario};
use self::steps::{ENVIRONMENTS, PLANS, Step, step};
use crate::records::*;

fn run_async<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(work)
}

#[test]
fn a_slice_changes_only_with_its_tenants_decisions_and_record() {
    let history = proptest::collection::vec((step(), any::<u16>()), 1..40);
    let config = Config { cases: 48, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let checks = std::cell::Cell::new([0_u32; 2]);
    TestRunner::new(config)
        .run(&history, |history| {
            run_async(async {
                let mut scenario = Scenario::new(RECENT_CHANGES).await;
                for (step, checked_tenants) in &history {
                    let before = scenario.expected.clone();
                    let written_flags = scenario.apply(step).await;
                    scenario.update_expectations(&written_flags).await;
                    // Only some slices are checked per step, so the cached slices differ in age.
                    for tenant_index in (0..scenario.tenants)
                        .filter(|tenant_index| checked_tenants & (1 << tenant_index) != 0)
                    {
                        for environment_index in 0..ENVIRONMENTS.len() {
                            scenario.check_slice(tenant_index, environment_index).await;
                            let is_same = before.get(&(tenant_index, environment_index))
                                == scenario.expected.get(&(tenant_index, environment_index));
                            let [same, other] = checks.get();
                            checks.set(if is_same { [same + 1, other] } else { [same, other + 1] });
                        }
                    }
                }
                for round in 0..2 {
                    for tenant_index in 0..scenario.tenants {
                        for environment_index in 0..ENVIRONMENTS.len() {
                            scenario.check_slice(tenant_index, environment_index).await;
                        }
                    }
                    if round == 0 {
                        scenario.apply(&Step::Restart).await;
                    }
                }
            });
            Ok(())
        })
        .unwrap();
    assert!(checks.get().iter().all(|&count| count > 500), "{checks:?}");
}

/// Each reader sees growing revisions, and all readers see the same bytes for a revision.
#[test]
fn concurrent_readers_see_the_same_bytes_for_each_revision() {
    run_async(async {
        let scenario = Scenario::new(MAX_RECENT_CHANGES).await;
        let is_done = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let RunningStore { store, live, slices } = scenario.running();
                let (store, live, slices) = (Arc::clone(store), live.clone(), Arc::clone(slices));
                let is_done = Arc::clone(&is_done);
                tokio::spawn(async move {
                    let (tenant, environment) = (id("t1"), Environment::new("production").unwrap());
                    let mut seen_bodies: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
                    while !is_done.load(Ordering::Relaxed) {
                        let slice = slices.slice(&live, &*store, (&tenant, &environment)).await;
                        let slice = slice.unwrap().unwrap();
                        let newest = seen_bodies.keys().next_back().copied().unwrap_or_default();
                        assert!(
                            slice.version.revision >= newest,
                            "{} after {newest}",
                            slice.version.revision
                        );
                        assert_eq!(Snapshot::from_json(&slice.body).unwrap().digest(), slice.version.digest);
                        let existing_flag =
                            seen_bodies.entry(slice.version.revision).or_insert_with(|| slice.body.to_vec());
                        assert_eq!(*existing_flag, slice.body);
                        tokio::task::yield_now().await;
                    }
                    seen_bodies
                })
            })
            .collect();
        for round in 0..200_usize {
            let state = ["on", "off", "targeted"][round % 3];
            scenario.put_flags(&[(round % 2, json!({ "state": state }))], "flag.update").await;
            if round % 5 == 0 {
                scenario.change_tenant(round, &[("plan", json!(PLANS[round % 2]))]).await;
            }
        }
        is_done.store(true, Ordering::Relaxed);
        let mut all: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for reader in readers {
            for (revision, bytes) in reader.await.unwrap() {
                assert_eq!(*all.entry(revision).or_insert_with(|| bytes.clone()), bytes);
            }
        }
        assert!(all.len() > 20, "{}", all.len());
    });
}

#[test]
fn an_unknown_tenant_has_no_slice() {
    run_async(async {
        let scenario = Scenario::new(MAX_RECENT_CHANGES).await;
        let (absent, environment) = (id("absent"), Environment::new("production").unwrap());
        let RunningStore { store, live, slices } = scenario.running();
        assert!(slices.version(live, &**store, (&absent, &environment)).await.unwrap().is_none());
        assert!(slices.slice(live, &**store, (&absent, &environment)).await.unwrap().is_none());
    });
}
