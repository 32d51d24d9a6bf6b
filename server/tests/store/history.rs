//! A new history after the data was restored from an older copy.

use dezky_core::model::Actor;
use dezky_server::store::sqlite::{Permissions, RestoredKeys, begin_history, verify_log};
use dezky_server::store::{ChangeQuery, KeyUse, Store};

use crate::directory::Directory;
use crate::records::*;
use crate::sqlite::open;

#[tokio::test]
async fn keys_and_admins_of_a_copy_are_listed_before_any_change() {
    let directory = Directory::new();
    let store = open(directory.path());
    let inactive = dezky_core::model::User { active: false, ..admin(2) };
    let entries = [
        created(&admin(1)),
        created(&inactive),
        created(&user(3)),
        created(&key(1)),
        created(&key(2)),
        deleted(&key(2)),
    ];
    store.write(write(entries)).await.unwrap();
    store
        .write(dezky_server::store::Write {
            key_uses: vec![KeyUse { key: id("k1"), at: at(77), from: None }],
            ..write([])
        })
        .await
        .unwrap();
    let (history, head) = (store.history().await.unwrap(), store.head().await.unwrap());
    drop(store);
    let begin = |keys| {
        begin_history(directory.path(), Permissions::Private, keys, (at(5_000), Actor::default())).unwrap()
    };

    let revived = begin(None);
    let keys: Vec<_> = revived.keys.iter().map(|kept| (kept.key.id.as_str(), kept.last_used_at)).collect();
    assert_eq!(keys, [("k1", Some(at(77)))]);
    assert_eq!(revived.admins, [admin(1)]);
    let store = open(directory.path());
    assert_eq!(
        (store.history().await.unwrap(), store.head().await.unwrap()),
        (history.clone(), head.clone())
    );
    drop(store);

    begin(Some(RestoredKeys::Keep));
    let store = open(directory.path());
    let kept = store.history().await.unwrap();
    assert_ne!(kept, history);
    assert_eq!(store.initial_state().await.unwrap().keys.len(), 1);
    drop(store);

    assert_eq!(begin(Some(RestoredKeys::Revoke)).keys.len(), 1);
    let store = open(directory.path());
    assert_ne!(store.history().await.unwrap(), kept);
    assert!(store.initial_state().await.unwrap().keys.is_empty());
    let newest = store.changes(ChangeQuery { limit: 1, ..Default::default() }).await.unwrap().remove(0);
    assert_eq!((newest.revision, newest.previous_hash.clone()), (head.0 + 1, head.1));
    let content = newest.content;
    assert_eq!((content.action.as_str(), content.entity.id.as_str()), ("key.revoke", "k1"));
    assert_eq!((content.actor, content.at), (Actor::default(), at(5_000)));
    assert!(content.after.is_null());
    drop(store);
    assert_eq!(verify_log(directory.path()).unwrap().0, head.0 + 1);
}

#[test]
fn a_new_history_needs_an_existing_database() {
    let directory = Directory::new();
    let begun = begin_history(
        directory.path(),
        Permissions::Private,
        Some(RestoredKeys::Keep),
        (at(0), Actor::default()),
    );
    assert!(begun.unwrap_err().to_string().contains("the database does not exist"));
    assert!(!directory.path().exists(), "a mistyped name must create nothing");
}
