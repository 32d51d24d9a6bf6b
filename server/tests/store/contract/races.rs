//! Races between many concurrent writers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dezky_core::access::UserRecord;
use dezky_core::model::{Tenant, User, verify_chain};
use dezky_server::store::{ChangeQuery, Observer, RecordChange, Require, WriteError};

use super::DataLocation;
use crate::records::*;

const WRITERS: usize = 32;

pub async fn one_writer_wins_each_version(location: DataLocation) {
    let (store, observer) = location.observed();
    store.write(write([created(&tenant(1))])).await.unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut won = Vec::new();
                let mut lost = 0;
                while won.len() < 5 {
                    let before = store.tenant(&id("t1")).await.unwrap().unwrap();
                    let mut after = before.clone();
                    after.revisioned.version += 1;
                    match store.write(write([updated(&before, &after)])).await {
                        Ok(_) => won.push(after.revisioned.version),
                        Err(WriteError::Stale) => lost += 1,
                        Err(error) => panic!("{error:?}"),
                    }
                }
                (won, lost)
            })
        })
        .collect();
    let (mut versions, mut lost) = (Vec::new(), 0);
    for writer in writers {
        let (won, own_lost) = writer.await.unwrap();
        versions.extend(won);
        lost += own_lost;
    }
    versions.sort_unstable();
    let first = tenant(1).revisioned.version;
    assert_eq!(versions, (first + 1..=first + 5 * WRITERS as u64).collect::<Vec<_>>());
    assert!(lost > 0, "no two writers competed for a version");
    let last = store.tenant(&id("t1")).await.unwrap().unwrap();
    assert_eq!(last.revisioned.version, first + 5 * WRITERS as u64);
    let mut log = store.changes(ChangeQuery { limit: 1_000, ..Default::default() }).await.unwrap();
    log.reverse();
    assert_eq!((log.len(), verify_chain(&log).unwrap()), (1 + 5 * WRITERS, store.head().await.unwrap().1));
    assert_eq!(observer.revisions(), (1..=log.len() as u64).collect::<Vec<_>>());
}

/// Many writers use the rights of one person while these rights are revoked.
pub async fn revoked_rights_stop_all_later_writes(location: DataLocation) {
    let store = location.open();
    let mut person = admin(1);
    store.write(write([created(&person), created(&admin(2))])).await.unwrap();
    for round in 0..10 {
        let rights = Require::Actor(person.id.clone(), UserRecord::from(&person).into());
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let (store, rights) = (Arc::clone(&store), rights.clone());
                let tenant = tenant(round * WRITERS + number);
                tokio::spawn(async move { store.write(requiring([created(&tenant)], rights)).await })
            })
            .collect();
        let mut inactive = User { active: false, ..person.clone() };
        inactive.revisioned.version += 1;
        let revoked_at = store.write(write([updated(&person, &inactive)])).await.unwrap()[0].revision;
        for writer in writers {
            match writer.await.unwrap() {
                Ok(changes) => assert!(changes[0].revision < revoked_at),
                Err(WriteError::Unmet(unmet)) => assert_eq!(unmet, rights),
                Err(error) => panic!("{error:?}"),
            }
        }
        person = User { active: true, ..inactive.clone() };
        person.revisioned.version += 1;
        store.write(write([updated(&inactive, &person)])).await.unwrap();
    }
}

pub async fn a_slug_goes_to_one_tenant(location: DataLocation) {
    let store = location.open();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let store = Arc::clone(&store);
            let tenant = named_tenant(number, "wanted", "Wanted");
            tokio::spawn(async move { store.write(write([created(&tenant)])).await.map(|_| tenant) })
        })
        .collect();
    let mut won: Vec<Tenant> = Vec::new();
    for writer in writers {
        match writer.await.unwrap() {
            Ok(tenant) => won.push(tenant),
            Err(WriteError::Taken("/slug")) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    let [winner] = &won[..] else { panic!("{won:?}") };
    assert_eq!(store.tenant(winner.id()).await.unwrap().as_ref(), Some(winner));
    assert_eq!(store.initial_state().await.unwrap().tenants.len(), 1);
}

pub async fn an_idempotency_key_takes_effect_once(location: DataLocation) {
    let store = location.open();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let store = Arc::clone(&store);
            let mut write = write([created(&tenant(number))]);
            write.receipt = Some(receipt("u1", "k"));
            tokio::spawn(async move { store.write(write).await })
        })
        .collect();
    let mut effects = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(_) => effects += 1,
            Err(WriteError::Received(earlier)) => assert_eq!(*earlier, receipt("u1", "k")),
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((effects, store.head().await.unwrap().0), (1, 1));
}

/// An observer that checks that revisions arrive one by one.
struct RevisionCounter(Arc<AtomicU64>);

impl Observer for RevisionCounter {
    fn committed(&mut self, entries: &[(u64, RecordChange)]) {
        for (revision, _) in entries {
            assert_eq!(self.0.fetch_add(1, Ordering::SeqCst) + 1, *revision);
        }
    }
}

pub async fn the_observer_sees_a_write_before_the_writer(location: DataLocation) {
    let newest = Arc::new(AtomicU64::new(0));
    let store = (location.open)(Box::new(RevisionCounter(Arc::clone(&newest))));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, newest) = (Arc::clone(&store), Arc::clone(&newest));
            tokio::spawn(async move {
                for number in 0..10 {
                    let changes = store.write(write([created(&tenant(writer * 10 + number))])).await.unwrap();
                    assert!(newest.load(Ordering::SeqCst) >= changes[0].revision);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(newest.load(Ordering::SeqCst), 10 * WRITERS as u64);
}

pub async fn acknowledged_writes_are_readable(location: DataLocation) {
    let store = location.open();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in 0..10 {
                    let tenant = tenant(writer * 10 + number);
                    let changes = store.write(write([created(&tenant)])).await.unwrap();
                    assert!(store.head().await.unwrap().0 >= changes[0].revision);
                    assert_eq!(store.tenant(tenant.id()).await.unwrap(), Some(tenant));
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}
