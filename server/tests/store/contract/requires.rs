//! Conditions of writes that span several records.

use dezky_core::access::UserRecord;
use dezky_core::model::{Role, Tenant, User};
use dezky_core::names::Prose;
use dezky_server::store::{ActorRights, Require, Store, Write, WriteError};

use super::DataLocation;
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

pub async fn a_partner_must_be_active(location: DataLocation) {
    let store = location.open();
    let require = Require::ActivePartner(id("p1"));
    assert!(!is_met(&*store, require.clone()).await);
    // The changes of the write itself count.
    store.write(requiring([created(&partner(1))], require.clone())).await.unwrap();
    assert!(is_met(&*store, require.clone()).await);
    let mut terminated = partner(1);
    terminated.terminate(at(1)).unwrap();
    let refused = store.write(requiring([updated(&partner(1), &terminated)], require.clone())).await;
    assert!(matches!(refused, Err(WriteError::Unmet(_))), "{refused:?}");
    assert_eq!(store.partner(&id("p1")).await.unwrap(), Some(partner(1)));
    store.write(write([updated(&partner(1), &terminated)])).await.unwrap();
    assert!(!is_met(&*store, require).await);
}

fn terminated(tenant: &Tenant) -> Tenant {
    let mut tenant = tenant.clone();
    tenant.terminate(at(1)).unwrap();
    tenant
}

pub async fn tenants_must_be_live(location: DataLocation) {
    let store = location.open();
    let require = |ids: &[&str]| Require::LiveTenants(ids.iter().map(|text| id(text)).collect());
    store.write(write([created(&tenant(1)), created(&tenant(2)), created(&tenant(3))])).await.unwrap();
    store.write(write([updated(&tenant(3), &terminated(&tenant(3)))])).await.unwrap();
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

pub async fn an_active_admin_must_remain(location: DataLocation) {
    let store = location.open();
    let require = || Require::AnActiveAdmin;
    store.write(write([created(&user(9))])).await.unwrap();
    assert!(!is_met(&*store, require()).await);
    store.write(requiring([created(&admin(1)), created(&admin(2))], require())).await.unwrap();
    let inactive = User { active: false, ..admin(1) };
    store.write(requiring([updated(&admin(1), &inactive)], require())).await.unwrap();
    for last in [
        updated(&admin(2), &User { active: false, ..admin(2) }),
        updated(&admin(2), &user(2)),
        deleted(&admin(2)),
    ] {
        // The condition holds for every write, whether the write requires it or not.
        let refused = store.write(write([last, created(&tenant(1))])).await;
        assert!(matches!(refused, Err(WriteError::Unmet(Require::AnActiveAdmin))), "{refused:?}");
    }
    assert_eq!(store.user(&id("u2")).await.unwrap(), Some(admin(2)));
    // One write may replace the last admin, in either order of its changes.
    let heir = updated(&user(9), &User { platform_admin: true, ..user(9) });
    store.write(write([updated(&admin(2), &user(2)), heir])).await.unwrap();
    let inactive = User { active: false, ..admin(3) };
    store.write(write([created(&inactive), deleted(&inactive)])).await.unwrap();
}

pub async fn the_world_must_be_unchanged(location: DataLocation) {
    let store = location.open();
    let kinds = [tenant(1).record(), partner(1).record(), flag("a").record()];
    for record in kinds {
        let (before, _) = store.head().await.unwrap();
        assert!(is_met(&*store, Require::UnchangedWorld(before)).await);
        // The changes of the write itself do not violate the condition.
        let changes =
            store.write(requiring([created(&record)], Require::UnchangedWorld(before))).await.unwrap();
        assert!(!is_met(&*store, Require::UnchangedWorld(before)).await, "{}", record.kind());
        let refused = store.write(requiring([created(&tenant(7))], Require::UnchangedWorld(before))).await;
        assert!(matches!(refused, Err(WriteError::Unmet(_))), "{refused:?}");
        assert!(is_met(&*store, Require::UnchangedWorld(changes[0].revision)).await);
    }
    let (before, _) = store.head().await.unwrap();
    store.write(write([created(&user(1)), created(&subscription(1, &id("t1"), price(1)))])).await.unwrap();
    assert!(is_met(&*store, Require::UnchangedWorld(before)).await);
    store.write(write([deleted(&flag("a"))])).await.unwrap();
    assert!(!is_met(&*store, Require::UnchangedWorld(before)).await);
}

fn rights(user: &User) -> Require {
    Require::Actor(user.id.clone(), ActorRights::from(UserRecord::from(user)))
}

pub async fn an_actors_rights_must_be_current(location: DataLocation) {
    let store = location.open();
    let person = User { role: Role::Admin, tenant_ids: vec![id("t1")], ..admin(1) };
    assert!(!is_met(&*store, rights(&person)).await, "a user without a record has no rights");
    store.write(write([created(&person), created(&admin(2))])).await.unwrap();
    assert!(is_met(&*store, rights(&person)).await);
    // A sign-in and a change of name keep the rights.
    let mut current = person.clone();
    current.revisioned.version += 1;
    (current.name, current.last_login_at) = (Prose::new("Ada").unwrap(), Some(at(9)));
    store.write(write([updated(&person, &current)])).await.unwrap();
    assert!(is_met(&*store, rights(&person)).await);
    let changes: [fn(&mut User); 5] = [
        |user| user.active = false,
        |user| user.platform_admin = false,
        |user| user.role = Role::Owner,
        |user| user.tenant_ids = vec![id("t1"), id("t2")],
        |user| user.tenant_ids = Vec::new(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut next = current.clone();
        change(&mut next);
        next.revisioned.version += 1;
        let before = rights(&current);
        // The write that changes the rights is checked against the rights before it.
        store.write(requiring([updated(&current, &next)], before.clone())).await.unwrap();
        let refused = store.write(requiring([created(&tenant(number))], before.clone())).await;
        assert!(matches!(&refused, Err(WriteError::Unmet(unmet)) if *unmet == before), "{refused:?}");
        assert!(is_met(&*store, rights(&next)).await);
        current = next;
    }
    store.write(write([deleted(&current)])).await.unwrap();
    assert!(!is_met(&*store, rights(&current)).await);
    assert!(store.initial_state().await.unwrap().tenants.is_empty());
}

pub async fn rights_are_checked_before_receipts(location: DataLocation) {
    let store = location.open();
    store.write(write([created(&user(1))])).await.unwrap();
    let write_as_user = || Write {
        receipt: Some(receipt("u1", "k")),
        ..requiring([created(&tenant(1))], Require::Actor(id("u1"), UserRecord::from(&user(1)).into()))
    };
    store.write(write_as_user()).await.unwrap();
    assert!(matches!(store.write(write_as_user()).await, Err(WriteError::Received(_))));
    let inactive = User { active: false, ..user(1) };
    store.write(write([updated(&user(1), &inactive)])).await.unwrap();
    let refused = store.write(write_as_user()).await;
    assert!(matches!(refused, Err(WriteError::Unmet(Require::Actor(..)))), "{refused:?}");
}

pub async fn an_acting_key_must_exist_and_be_unexpired(location: DataLocation) {
    let store = location.open();
    let require = || Require::Actor(id("k1"), ActorRights::Key);
    assert!(!is_met(&*store, require()).await);
    store.write(write([created(&key(1)), created(&key(2))])).await.unwrap();
    assert!(is_met(&*store, require()).await);
    // The expiry is compared with the time of the write.
    let expiry = key(1).expires_at.unwrap();
    let late = Write { at: expiry, ..requiring([created(&tenant(1))], require()) };
    assert!(matches!(store.write(late).await, Err(WriteError::Unmet(Require::Actor(..)))));
    store.write(write([deleted(&key(1))])).await.unwrap();
    assert!(!is_met(&*store, require()).await);
    // A key does not act as a user, and a user does not act as a key.
    store.write(write([created(&user(1))])).await.unwrap();
    assert!(!is_met(&*store, Require::Actor(id("u1"), ActorRights::Key)).await);
    assert!(!is_met(&*store, Require::Actor(id("k2"), UserRecord::from(&user(2)).into())).await);
}
