//! Conditions that span records.

use dezky_core::{Tenant, User};
use dezky_server::store::{Require, Store, WriteError};

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
        let refused = store.write(requiring([last], require())).await;
        assert!(matches!(refused, Err(WriteError::Unmet(Require::AnActiveAdmin))), "{refused:?}");
    }
    assert_eq!(store.user(&id("u2")).await.unwrap(), Some(admin(2)));
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
