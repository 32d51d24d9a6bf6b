//! Conditions that span records.

use dezky_core::access::UserRecord;
use dezky_core::model::{Role, Tenant, User};
use dezky_core::names::Prose;
use dezky_server::store::{ActorRights, Require, Store, Write, WriteError};

use super::Place;
use crate::records::*;

async fn is_met(store: &dyn Store, require: Require) -> bool {
    let head = store.head().await.unwrap();
    match store.write(requiring([], require.clone())).await {
        Ok(changes) => changes.is_empty(),
        Err(WriteError::Unmet(unmet)) => {
            assert_eq!(unmet, require);
            assert_eq!(store.head().await.unwrap(), head);
            false
        }
        other => panic!("{other:?}"),
    }
}

pub async fn an_active_partner(place: Place) {
    let store = place.open();
    let require = Require::ActivePartner(id("p1"));
    assert!(!is_met(&*store, require.clone()).await);
    // A write's own entries count.
    store.write(requiring([made(&partner(1))], require.clone())).await.unwrap();
    assert!(is_met(&*store, require.clone()).await);
    let mut terminated = partner(1);
    terminated.terminate(at(1)).unwrap();
    let refused = store.write(requiring([changed(&partner(1), &terminated)], require.clone())).await;
    assert!(matches!(refused, Err(WriteError::Unmet(_))), "{refused:?}");
    assert_eq!(store.partner(&id("p1")).await.unwrap(), Some(partner(1)));
    store.write(write([changed(&partner(1), &terminated)])).await.unwrap();
    assert!(!is_met(&*store, require).await);
}

fn terminated(tenant: &Tenant) -> Tenant {
    let mut tenant = tenant.clone();
    tenant.terminate(at(1)).unwrap();
    tenant
}

pub async fn live_tenants(place: Place) {
    let store = place.open();
    let require = |ids: &[&str]| Require::LiveTenants(ids.iter().map(|text| id(text)).collect());
    store.write(write([made(&tenant(1)), made(&tenant(2)), made(&tenant(3))])).await.unwrap();
    store.write(write([changed(&tenant(3), &terminated(&tenant(3)))])).await.unwrap();
    for (ids, expected) in [
        (&[][..], true),
        (&["t1"], true),
        (&["t1", "t2", "t1"], true),
        (&["t1", "t4"], false),
        (&["t3"], false),
    ] {
        assert_eq!(is_met(&*store, require(ids)).await, expected, "{ids:?}");
    }
}

pub async fn an_active_admin(place: Place) {
    let store = place.open();
    let require = || Require::AnActiveAdmin;
    store.write(write([made(&user(9))])).await.unwrap();
    assert!(!is_met(&*store, require()).await);
    store.write(requiring([made(&admin(1)), made(&admin(2))], require())).await.unwrap();
    let inactive = User { active: false, ..admin(1) };
    store.write(requiring([changed(&admin(1), &inactive)], require())).await.unwrap();
    for last in [
        changed(&admin(2), &User { active: false, ..admin(2) }),
        changed(&admin(2), &user(2)),
        removed(&admin(2)),
    ] {
        // No write has to ask for it.
        let refused = store.write(write([last, made(&tenant(1))])).await;
        assert!(matches!(refused, Err(WriteError::Unmet(Require::AnActiveAdmin))), "{refused:?}");
    }
    assert_eq!(store.user(&id("u2")).await.unwrap(), Some(admin(2)));
    // One goes and another comes, in whichever order.
    let heir = changed(&user(9), &User { platform_admin: true, ..user(9) });
    store.write(write([changed(&admin(2), &user(2)), heir])).await.unwrap();
    let inactive = User { active: false, ..admin(3) };
    store.write(write([made(&inactive), removed(&inactive)])).await.unwrap();
}

pub async fn an_unchanged_world(place: Place) {
    let store = place.open();
    let kinds = [tenant(1).record(), partner(1).record(), flag("a").record()];
    for record in kinds {
        let (before, _) = store.head().await.unwrap();
        assert!(is_met(&*store, Require::UnchangedWorld(before)).await);
        // Its own entries do not stand in its way.
        let changes = store.write(requiring([made(&record)], Require::UnchangedWorld(before))).await.unwrap();
        assert!(!is_met(&*store, Require::UnchangedWorld(before)).await, "{}", record.kind());
        let refused = store.write(requiring([made(&tenant(7))], Require::UnchangedWorld(before))).await;
        assert!(matches!(refused, Err(WriteError::Unmet(_))), "{refused:?}");
        assert!(is_met(&*store, Require::UnchangedWorld(changes[0].revision)).await);
    }
    let (before, _) = store.head().await.unwrap();
    store.write(write([made(&user(1)), made(&subscription(1, &id("t1"), price(1)))])).await.unwrap();
    assert!(is_met(&*store, Require::UnchangedWorld(before)).await);
    store.write(write([removed(&flag("a"))])).await.unwrap();
    assert!(!is_met(&*store, Require::UnchangedWorld(before)).await);
}

fn rights(user: &User) -> Require {
    Require::Actor(user.id.clone(), ActorRights::from(UserRecord::from(user)))
}

pub async fn an_actors_rights(place: Place) {
    let store = place.open();
    let person = User { role: Role::Admin, tenant_ids: vec![id("t1")], ..admin(1) };
    assert!(!is_met(&*store, rights(&person)).await, "nobody has rights without a record");
    store.write(write([made(&person), made(&admin(2))])).await.unwrap();
    assert!(is_met(&*store, rights(&person)).await);
    // A sign-in and a change of name leave rights as they are.
    let mut current = person.clone();
    current.revisioned.version += 1;
    (current.name, current.last_login_at) = (Prose::new("Ada").unwrap(), Some(at(9)));
    store.write(write([changed(&person, &current)])).await.unwrap();
    assert!(is_met(&*store, rights(&person)).await);
    let changes: [fn(&mut User); 5] = [
        |user| user.active = false,
        |user| user.platform_admin = false,
        |user| user.role = Role::Owner,
        |user| user.tenant_ids = vec![id("t1"), id("t2")],
        |user| user.tenant_ids = Vec::new(),
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let mut next = current.clone();
        change(&mut next);
        next.revisioned.version += 1;
        let before = rights(&current);
        // The write that changes them is decided with the rights before it.
        store.write(requiring([changed(&current, &next)], before.clone())).await.unwrap();
        let refused = store.write(requiring([made(&tenant(place))], before.clone())).await;
        assert!(matches!(&refused, Err(WriteError::Unmet(unmet)) if *unmet == before), "{refused:?}");
        assert!(is_met(&*store, rights(&next)).await);
        current = next;
    }
    store.write(write([removed(&current)])).await.unwrap();
    assert!(!is_met(&*store, rights(&current)).await);
    assert!(store.initial_state().await.unwrap().tenants.is_empty());
}

pub async fn rights_come_before_receipts(place: Place) {
    let store = place.open();
    store.write(write([made(&user(1))])).await.unwrap();
    let ask = || Write {
        receipt: Some(receipt("u1", "k")),
        ..requiring([made(&tenant(1))], Require::Actor(id("u1"), UserRecord::from(&user(1)).into()))
    };
    store.write(ask()).await.unwrap();
    assert!(matches!(store.write(ask()).await, Err(WriteError::Received(_))));
    let inactive = User { active: false, ..user(1) };
    store.write(write([changed(&user(1), &inactive)])).await.unwrap();
    let refused = store.write(ask()).await;
    assert!(matches!(refused, Err(WriteError::Unmet(Require::Actor(..)))), "{refused:?}");
}

pub async fn a_key_that_exists(place: Place) {
    let store = place.open();
    let require = || Require::Actor(id("k1"), ActorRights::Key);
    assert!(!is_met(&*store, require()).await);
    store.write(write([made(&key(1)), made(&key(2))])).await.unwrap();
    assert!(is_met(&*store, require()).await);
    // It is the write's time that the expiry is held against.
    let expiry = key(1).expires_at.unwrap();
    let late = Write { at: expiry, ..requiring([made(&tenant(1))], require()) };
    assert!(matches!(store.write(late).await, Err(WriteError::Unmet(Require::Actor(..)))));
    store.write(write([removed(&key(1))])).await.unwrap();
    assert!(!is_met(&*store, require()).await);
    // A key is no person, and a person no key.
    store.write(write([made(&user(1))])).await.unwrap();
    assert!(!is_met(&*store, Require::Actor(id("u1"), ActorRights::Key)).await);
    assert!(!is_met(&*store, Require::Actor(id("k2"), UserRecord::from(&user(2)).into())).await);
}
