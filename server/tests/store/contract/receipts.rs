//! Receipts: the stored answers to requests with idempotency keys.

use dezky_server::store::{Receipt, RecordChange, Require, Write, WriteError};

use super::DataLocation;
use crate::records::*;

fn write_with_receipt(entries: impl IntoIterator<Item = RecordChange>, receipt: &Receipt) -> Write {
    Write { receipt: Some(receipt.clone()), ..write(entries) }
}

pub async fn a_receipt_is_found_by_holder_and_key(location: DataLocation) {
    let store = location.open();
    assert_eq!(store.receipt("u1", "k").await.unwrap(), None);
    let full = Receipt { etag: None, location: Some("/tenants/a".into()), ..receipt("u1", "k") };
    store.write(write_with_receipt([created(&tenant(1))], &full)).await.unwrap();
    assert_eq!(store.receipt("u1", "k").await.unwrap(), Some(full));
    // Each holder has its own keys.
    assert_eq!(store.receipt("u2", "k").await.unwrap(), None);
    assert_eq!(store.receipt("u1", "K").await.unwrap(), None);
    store.write(write_with_receipt([created(&tenant(2))], &receipt("u2", "k"))).await.unwrap();
    store.write(write_with_receipt([], &receipt("u1", "nothing changed"))).await.unwrap();
    assert!(store.receipt("u1", "nothing changed").await.unwrap().is_some());
}

pub async fn a_receipt_is_checked_before_the_write(location: DataLocation) {
    let (store, observer) = location.observed();
    let first = receipt("u1", "k");
    store.write(write_with_receipt([created(&tenant(1))], &first)).await.unwrap();
    let second = Receipt { fingerprint: "cd".repeat(32), body: "other".into(), ..first.clone() };
    let repeated = [
        write_with_receipt([created(&tenant(1))], &second),
        write_with_receipt([created(&tenant(2))], &second),
        write_with_receipt([updated(&tenant(3), &tenant(3))], &second),
        Write { requires: vec![Require::AnActiveAdmin], ..write_with_receipt([], &second) },
    ];
    for write in repeated {
        match store.write(write).await {
            Err(WriteError::Received(earlier)) => assert_eq!(*earlier, first),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((store.head().await.unwrap().0, observer.revisions()), (1, vec![1]));
    assert_eq!(store.receipt("u1", "k").await.unwrap(), Some(first));
}

pub async fn a_failed_write_stores_no_receipt(location: DataLocation) {
    let store = location.open();
    store.write(write([created(&tenant(1))])).await.unwrap();
    let unmet = Write {
        requires: vec![Require::AnActiveAdmin],
        ..write_with_receipt([created(&tenant(2))], &receipt("u1", "k"))
    };
    let failing = [
        write_with_receipt([created(&tenant(1))], &receipt("u1", "k")),
        write_with_receipt([updated(&next_version(&tenant(1)), &tenant(1))], &receipt("u1", "k")),
        unmet,
    ];
    for write in failing {
        assert!(store.write(write).await.is_err());
        assert_eq!(store.receipt("u1", "k").await.unwrap(), None);
    }
    store.write(write_with_receipt([created(&tenant(2))], &receipt("u1", "k"))).await.unwrap();
}
