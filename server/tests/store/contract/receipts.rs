//! What was answered under idempotency keys.

use dezky_server::store::{Receipt, RecordChange, Require, Write, WriteError};

use super::Place;
use crate::records::*;

fn receipted(entries: impl IntoIterator<Item = RecordChange>, receipt: &Receipt) -> Write {
    Write { receipt: Some(receipt.clone()), ..write(entries) }
}

pub async fn it_is_found_again(place: Place) {
    let store = place.open();
    assert_eq!(store.receipt("u1", "k").await.unwrap(), None);
    let full = Receipt { etag: None, location: Some("/tenants/a".into()), ..receipt("u1", "k") };
    store.write(receipted([made(&tenant(1))], &full)).await.unwrap();
    assert_eq!(store.receipt("u1", "k").await.unwrap(), Some(full));
    // A key is its holder's own.
    assert_eq!(store.receipt("u2", "k").await.unwrap(), None);
    assert_eq!(store.receipt("u1", "K").await.unwrap(), None);
    store.write(receipted([made(&tenant(2))], &receipt("u2", "k"))).await.unwrap();
    store.write(receipted([], &receipt("u1", "nothing changed"))).await.unwrap();
    assert!(store.receipt("u1", "nothing changed").await.unwrap().is_some());
}

pub async fn it_comes_before_everything_else(place: Place) {
    let (store, seen) = place.observed();
    let first = receipt("u1", "k");
    store.write(receipted([made(&tenant(1))], &first)).await.unwrap();
    let second = Receipt { fingerprint: "cd".repeat(32), body: "other".into(), ..first.clone() };
    let repeated = [
        receipted([made(&tenant(1))], &second),
        receipted([made(&tenant(2))], &second),
        receipted([changed(&tenant(3), &tenant(3))], &second),
        Write { requires: vec![Require::AnActiveAdmin], ..receipted([], &second) },
    ];
    for write in repeated {
        match store.write(write).await {
            Err(WriteError::Received(earlier)) => assert_eq!(*earlier, first),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((store.head().await.unwrap().0, seen.revisions()), (1, vec![1]));
    assert_eq!(store.receipt("u1", "k").await.unwrap(), Some(first));
}

pub async fn a_failed_write_leaves_none(place: Place) {
    let store = place.open();
    store.write(write([made(&tenant(1))])).await.unwrap();
    let unmet = Write {
        requires: vec![Require::AnActiveAdmin],
        ..receipted([made(&tenant(2))], &receipt("u1", "k"))
    };
    let failing = [
        receipted([made(&tenant(1))], &receipt("u1", "k")),
        receipted([changed(&touched(&tenant(1)), &tenant(1))], &receipt("u1", "k")),
        unmet,
    ];
    for write in failing {
        assert!(store.write(write).await.is_err());
        assert_eq!(store.receipt("u1", "k").await.unwrap(), None);
    }
    store.write(receipted([made(&tenant(2))], &receipt("u1", "k"))).await.unwrap();
}
