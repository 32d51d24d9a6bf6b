//! Evaluation and authorization allocate nothing, counted by the global allocator.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use dezky_core::access::{AccessReason, Action, Person, Principal, Resource, UserRecord, decide};
use dezky_core::flags::{Ruleset, Snapshot, Subject};
use dezky_core::model::{Role, TenantStatus};
use dezky_core::names::Id;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is forwarded to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller upholds the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the same contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

fn rules() -> Ruleset {
    let flag = |number: usize| {
        let state = ["off", "on", "targeted", "rollout"][number % 4];
        format!(r#"{{"key":"flag-{number}","state":"{state}","pct":25,"scope":{{"plans":["business"]}}}}"#)
    };
    let flags: Vec<_> = (0..200).map(flag).collect();
    let document =
        format!(r#"{{"format":1,"revision":1,"environment":"production","flags":[{}]}}"#, flags.join(","));
    Ruleset::new(Snapshot::from_json(document.as_bytes()).unwrap())
}

#[test]
fn an_allocation_is_counted() {
    assert_eq!(allocations_of(|| drop(black_box(Box::new(7)))), 1);
}

#[test]
fn evaluation_allocates_nothing() {
    let rules = rules();
    let mut all = rules.evaluate_all(&Subject::new("t1", "acme", "business").unwrap());
    let allocations = allocations_of(|| {
        for tenant in ["t1", "t2", "65f1c0ffee65f1c0ffee65f1"] {
            let subject = Subject::new(tenant, "acme", "business").unwrap().with_partner("nordic").unwrap();
            rules.evaluate_all_into(black_box(&subject), &mut all);
            black_box(all.is_enabled("flag-3"));
            for key in ["flag-0", "flag-1", "flag-2", "flag-3", "no_such_flag"] {
                black_box(rules.is_enabled(black_box(key), &subject));
                black_box(rules.explain(black_box(key), &subject));
            }
        }
    });
    assert_eq!(allocations, 0);
    assert!(all.iter().any(|(_, enabled)| enabled));
}

#[test]
fn authorization_allocates_nothing() {
    let id = |text| Id::new(text).unwrap();
    let record = UserRecord {
        id: id("u1"),
        active: true,
        platform_admin: false,
        role: Role::Member,
        tenant_ids: vec![id("t1")],
    };
    let principal = Principal::Person(Person::new("s", ["portal"], Some(record)));
    let resource = Resource::tenant(id("t1"), TenantStatus::Active);
    let allocations = allocations_of(|| {
        for action in Action::ALL {
            black_box(decide(black_box(&principal), *action, black_box(&resource)));
        }
    });
    assert_eq!(allocations, 0);
    assert_eq!(decide(&principal, Action::TenantRead, &resource).reason, AccessReason::AllowedMember);
}
