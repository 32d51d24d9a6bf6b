//! Single writes: their effects and their refusals.

use dezky_core::model::{Editor, Flag, FlagContent};
use dezky_core::names::{Email, FlagKey, Label};
use dezky_server::keys::{KeyRecord, PreviousSecret};
use dezky_server::store::{
    ChangeQuery, FlagQuery, InitialState, KeyUse, Record, RecordChange, Store, TenantFilter, Write,
    WriteError,
};
use serde_json::json;

use super::DataLocation;
use crate::records::*;

fn one_of_each() -> [Record; 6] {
    let tenant = tenant(1);
    [
        tenant.record(),
        partner(1).record(),
        user_of(json!({ "id": "u1", "email": "u1@example.org", "tenantIds": ["t1", "t2"] })).record(),
        subscription(1, tenant.id(), price(100)).record(),
        flag("new_portal").record(),
        key(1).record(),
    ]
}

pub async fn an_empty_store_is_empty(location: DataLocation) {
    let store = location.open();
    let (revision, hash) = store.head().await.unwrap();
    assert_eq!((revision, hash), (0, dezky_core::model::verify_chain(&[]).unwrap()));
    assert_eq!(store.initial_state().await.unwrap().revision, 0);
    assert!(store.flags(FlagQuery { after: None, limit: 9 }).await.unwrap().is_empty());
    assert!(store.revenue().await.unwrap().total.is_empty());
    assert_ne!(store.secret().await.unwrap(), [0; 32]);
    assert_eq!(store.history().await.unwrap().len(), 16);
}

pub async fn each_kind_is_created_read_updated_and_deleted(location: DataLocation) {
    let (store, observer) = location.observed();
    let mut revision = 0;
    for record in one_of_each() {
        assert_eq!(stored(&*store, &record).await, None);
        let later = next_version(&record);
        let entries = [created(&record), updated(&record, &later), deleted(&later), created(&later)];
        let expected = [Some(&record), Some(&later), None, Some(&later)];
        for (entry, expected) in entries.into_iter().zip(expected) {
            let changes = store.write(write([entry.clone()])).await.unwrap();
            revision += 1;
            assert_eq!(stored(&*store, &record).await.as_ref(), expected);
            let [change] = &changes[..] else { panic!("{changes:?}") };
            assert_eq!(change.revision, revision);
            assert_eq!(change.content.action.as_str(), entry.action);
            assert_eq!(change.content.entity.kind.as_str(), record.kind());
            assert_eq!(change.content.entity.id.as_str(), record.id());
            assert_eq!(change.content.before, document(entry.before.as_ref()));
            assert_eq!(change.content.after, document(entry.after.as_ref()));
            assert_eq!(change.content.at, at(1_000));
            assert_eq!(change.content.actor.id, Some(id("operator")));
        }
    }
    assert_eq!(observer.revisions(), (1..=revision).collect::<Vec<_>>());
    assert_eq!(store.head().await.unwrap().0, revision);
}

fn document(record: Option<&Record>) -> serde_json::Value {
    match record {
        None => serde_json::Value::Null,
        Some(Record::Tenant(tenant)) => json!(tenant),
        Some(Record::Partner(partner)) => json!(partner),
        Some(Record::User(user)) => json!(user),
        Some(Record::Subscription(subscription)) => json!(subscription),
        Some(Record::Flag(flag)) => json!(flag),
        Some(Record::Key(key)) => json!(key),
    }
}

pub async fn a_stale_writer_changes_nothing(location: DataLocation) {
    let (store, observer) = location.observed();
    for record in one_of_each() {
        let (second, third) = (next_version(&record), next_version(&next_version(&record)));
        let unknown = store.write(write([updated(&record, &second)])).await;
        assert!(matches!(unknown, Err(WriteError::Stale)), "{unknown:?}");
        store.write(write([created(&record), updated(&record, &second)])).await.unwrap();
        for entry in [updated(&record, &third), deleted(&record), updated(&third, &third)] {
            let stale = store.write(write([entry])).await;
            assert!(matches!(stale, Err(WriteError::Stale)), "{stale:?}");
        }
        assert_eq!(stored(&*store, &record).await, Some(second));
    }
    assert_eq!((store.head().await.unwrap().0, observer.revisions().len()), (12, 12));
}

pub async fn uses_of_keys_are_not_logged(location: DataLocation) {
    let store = location.open();
    store.write(write([created(&key(1)), created(&key(2))])).await.unwrap();
    let head = store.head().await.unwrap();
    let from = Some("2001:db8::1".parse().unwrap());
    let used = |key: &str, seconds: i64, from| KeyUse { key: id(key), at: at(seconds), from };
    let key_uses = vec![used("k1", 5, from), used("unknown", 6, None)];
    assert_eq!(store.write(Write { key_uses, ..write([]) }).await.unwrap(), []);
    assert_eq!(store.head().await.unwrap(), head);
    let uses = |population: InitialState| {
        let mut uses: Vec<_> = population
            .keys
            .into_iter()
            .map(|kept| (kept.key.id.to_string(), kept.last_used_at, kept.last_used_from))
            .collect();
        uses.sort();
        uses
    };
    let expected = [("k1".to_owned(), Some(at(5)), from), ("k2".to_owned(), None, None)];
    assert_eq!(uses(store.initial_state().await.unwrap()), expected);
    drop(store);
    assert_eq!(uses(location.open().initial_state().await.unwrap()), expected);
}

pub async fn the_initial_state_holds_the_flags_revision_and_killed_flags(location: DataLocation) {
    let store = location.open();
    let (one, other) = (flag("one"), flag("other"));
    store.write(write([created(&one), created(&other), created(&tenant(1))])).await.unwrap();
    let kill =
        |before: &Record, after: &Record| RecordChange { action: "flag.kill", ..updated(before, after) };
    let (one, killed) = (one.record(), next_version(&one));
    store.write(write([kill(&one, &killed)])).await.unwrap();
    let population = store.initial_state().await.unwrap();
    assert_eq!((population.revision, population.flags_revision), (4, 4));
    assert_eq!(population.killed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["one"]);
    store.write(write([updated(&killed, &next_version(&killed)), created(&tenant(2))])).await.unwrap();
    let population = store.initial_state().await.unwrap();
    assert_eq!((population.revision, population.flags_revision), (6, 5));
    assert!(population.killed.is_empty());
}

async fn path_of_taken_name(store: &dyn Store, record: &impl IntoRecord) -> &'static str {
    let head = store.head().await.unwrap();
    let refused = store.write(write([created(record)])).await;
    assert_eq!(store.head().await.unwrap(), head);
    match refused {
        Err(WriteError::Taken(path)) => path,
        other => panic!("{other:?}"),
    }
}

pub async fn names_are_unique(location: DataLocation) {
    let store = location.open();
    let subject = json!({ "issuer": "https://id.example.org/a/", "sub": "7" });
    let person =
        user_of(json!({ "id": "u1", "email": "ada@example.org", "emailVerified": true, "subject": subject }));
    let others = [user(2).record(), user(3).record(), person.record(), flag("a").record()];
    let own = [tenant(1).record(), partner(1).record(), subscription(1, &id("t1"), price(1)).record()];
    store.write(write(own.iter().chain(&others).map(created))).await.unwrap();

    assert_eq!(path_of_taken_name(&*store, &named_tenant(1, "another", "Another")).await, "/id");
    assert_eq!(path_of_taken_name(&*store, &named_tenant(2, "tenant-00001", "Another")).await, "/slug");
    let slug = dezky_core::names::Slug::new("partner-001").unwrap();
    let partner_named = |number: &str, slug| {
        dezky_core::model::Partner::new(id(number), slug, Label::new("Another").unwrap(), at(0))
    };
    assert_eq!(path_of_taken_name(&*store, &partner_named("p2", slug)).await, "/slug");
    let slug = dezky_core::names::Slug::new("another").unwrap();
    assert_eq!(path_of_taken_name(&*store, &partner_named("p1", slug)).await, "/id");
    assert_eq!(
        path_of_taken_name(&*store, &user_of(json!({ "id": "u1", "email": "b@example.org" }))).await,
        "/id"
    );
    assert_eq!(
        path_of_taken_name(&*store, &user_of(json!({ "id": "u9", "email": "ada@example.org" }))).await,
        "/email"
    );
    let same = user_of(json!({ "id": "u9", "email": "b@example.org", "subject": subject }));
    assert_eq!(path_of_taken_name(&*store, &same).await, "/subject");
    assert_eq!(path_of_taken_name(&*store, &subscription(1, &id("t2"), price(2))).await, "/id");
    assert_eq!(path_of_taken_name(&*store, &flag("a")).await, "/key");

    // An update to a taken name is refused too and leaves the record unchanged.
    let mut renamed = user(2);
    (renamed.email, renamed.revisioned.version) = (Email::new("ada@example.org").unwrap(), 2);
    let refused = store.write(write([updated(&user(2), &renamed)])).await;
    assert!(matches!(refused, Err(WriteError::Taken("/email"))), "{refused:?}");
    assert_eq!(store.user(&id("u2")).await.unwrap(), Some(user(2)));
}

pub async fn names_of_deleted_records_are_free(location: DataLocation) {
    let store = location.open();
    store.write(write([created(&tenant(1)), created(&user(1)), created(&flag("a"))])).await.unwrap();
    store.write(write([deleted(&tenant(1)), deleted(&user(1)), deleted(&flag("a"))])).await.unwrap();
    let again = named_tenant(2, "tenant-00001", "Another");
    let person = user_of(json!({ "id": "u2", "email": "u1@example.org" }));
    store.write(write([created(&again), created(&person), created(&flag("a"))])).await.unwrap();
    let found = store.user_with_email(&Email::new("U1@example.org").unwrap()).await.unwrap();
    assert_eq!(found, Some(person));
    let unknown = store.user_with_email(&Email::new("u2@example.org").unwrap()).await.unwrap();
    assert_eq!(unknown, None);
}

/// An address is reserved if it is verified, or if its record has no identity yet.
pub async fn unverified_addresses_are_not_reserved(location: DataLocation) {
    let store = location.open();
    let person = |number: usize, verified: bool| {
        user_of(json!({ "id": format!("u{number}"), "email": "ada@example.org", "emailVerified": verified,
            "subject": { "issuer": "https://id.example.org/", "sub": number.to_string() } }))
    };
    let email = Email::new("ada@example.org").unwrap();
    store.write(write([created(&person(1, false)), created(&person(2, false))])).await.unwrap();
    assert_eq!(store.user_with_email(&email).await.unwrap(), None);
    store.write(write([created(&person(3, true))])).await.unwrap();
    assert_eq!(store.user_with_email(&email).await.unwrap(), Some(person(3, true)));
    assert_eq!(path_of_taken_name(&*store, &person(4, true)).await, "/email");
    assert_eq!(
        path_of_taken_name(&*store, &user_of(json!({ "id": "u5", "email": "ada@example.org" }))).await,
        "/email"
    );
    let mut verified = person(1, true);
    verified.revisioned.version += 1;
    let refused = store.write(write([updated(&person(1, false), &verified)])).await;
    assert!(matches!(refused, Err(WriteError::Taken("/email"))), "{refused:?}");
    // An address that is no longer verified is free.
    let mut unverified = person(3, false);
    unverified.revisioned.version += 1;
    store
        .write(write([updated(&person(3, true), &unverified), updated(&person(1, false), &verified)]))
        .await
        .unwrap();
    assert_eq!(store.user_with_email(&email).await.unwrap(), Some(verified));
}

/// A key in rotation has two secrets. Two keys never share a secret.
pub async fn both_secrets_of_a_key_are_kept_and_unique(location: DataLocation) {
    let store = location.open();
    let first = KeyRecord { previous: None, ..key(1) };
    store.write(write([created(&first), created(&key(2))])).await.unwrap();
    let mut rotated = KeyRecord { hash: [77; 32], ..first.clone() };
    rotated.previous = Some(PreviousSecret { hint: "abcd".into(), until: at(2_000), hash: first.hash });
    rotated.revisioned.version += 1;
    store.write(write([updated(&first, &rotated)])).await.unwrap();
    drop(store);
    let store = location.open();
    let kept = store.initial_state().await.unwrap().keys;
    assert_eq!(kept.iter().find(|kept| kept.key.id == rotated.id).unwrap().key, rotated);
    let changes = store.changes(ChangeQuery { limit: 9, ..Default::default() }).await.unwrap();
    assert!(changes.iter().all(|change| !serde_json::to_string(change).unwrap().contains("hash\":[")));
    for hashes in [[77, 1], [200, 1]] {
        let other = KeyRecord { hash: [hashes[0]; 32], ..key(3) };
        let other = KeyRecord {
            previous: Some(PreviousSecret { hint: "x".into(), until: at(1), hash: [hashes[1]; 32] }),
            ..other
        };
        assert!(store.write(write([created(&other)])).await.is_err(), "{hashes:?}");
    }
}

/// Applications of one provider have their own issuers but share its subjects.
pub async fn identities_are_unique_per_issuer_origin(location: DataLocation) {
    let store = location.open();
    let person = |number: usize, issuer: &str, sub: &str| {
        let (id, email) = (format!("u{number}"), format!("u{number}@example.org"));
        user_of(json!({ "id": id, "email": email, "subject": { "issuer": issuer, "sub": sub } }))
    };
    store.write(write([created(&person(1, "https://id.example.org/portal/", "7"))])).await.unwrap();
    for issuer in ["https://id.example.org/operator/", "HTTPS://ID.example.org", "https://id.example.org?x"] {
        assert_eq!(path_of_taken_name(&*store, &person(2, issuer, "7")).await, "/subject", "{issuer}");
    }
    let others = [
        person(2, "https://id.example.org/portal/", "8"),
        person(3, "https://id.example.org:8443/portal/", "7"),
        person(4, "http://id.example.org/portal/", "7"),
        person(5, "https://id.example.org.evil.example/", "7"),
    ];
    store.write(write(others.iter().map(created))).await.unwrap();
}

pub async fn a_write_is_atomic(location: DataLocation) {
    let (store, observer) = location.observed();
    store.write(write([created(&tenant(1))])).await.unwrap();
    let head = store.head().await.unwrap();
    let invalid_writes = [
        vec![created(&tenant(2)), created(&user(1)), updated(&next_version(&tenant(1)), &tenant(1))],
        vec![created(&tenant(2)), deleted(&tenant(1)), created(&flag("a")), created(&flag("a"))],
    ];
    for entries in invalid_writes {
        assert!(store.write(write(entries)).await.is_err());
    }
    assert_eq!(store.head().await.unwrap(), head);
    assert_eq!(observer.revisions(), [1]);
    let population = store.initial_state().await.unwrap();
    assert_eq!(population.tenants, [dezky_core::world::WorldTenant::from(&tenant(1))]);
    assert!(population.users.is_empty() && population.flags.is_empty());
}

pub async fn flags_are_stored_without_history(location: DataLocation) {
    let store = location.open();
    let editor = Editor { by: Email::new("ada@example.org").unwrap(), at: at(0), revision: 1 };
    let flag = Flag::create(FlagKey::new("a").unwrap(), FlagContent::default(), editor).unwrap().flag;
    assert_eq!(flag.history().len(), 1);
    let changes = store.write(write([created(&flag)])).await.unwrap();
    assert_eq!(changes[0].content.after["history"], json!([]));
    let found = store.flag(flag.key()).await.unwrap().unwrap();
    assert!(found.history().is_empty());
    assert_eq!((found.content(), found.revisioned()), (flag.content(), flag.revisioned()));
    assert_eq!(store.flags(FlagQuery { after: None, limit: 9 }).await.unwrap(), [found]);
}

pub async fn all_data_survives_a_restart(location: DataLocation) {
    let (head, secret) = {
        let store = location.open();
        store.write(write(one_of_each().iter().map(created))).await.unwrap();
        let mut write = write([created(&tenant(7))]);
        write.receipt = Some(receipt("u1", "k"));
        store.write(write).await.unwrap();
        (store.head().await.unwrap(), store.secret().await.unwrap())
    };
    let store = location.open();
    assert_eq!((store.head().await.unwrap(), store.secret().await.unwrap()), (head.clone(), secret));
    for record in one_of_each() {
        assert_eq!(stored(&*store, &record).await, Some(record));
    }
    assert_eq!(store.receipt("u1", "k").await.unwrap(), Some(receipt("u1", "k")));
    let totals = store.tenant_totals(TenantFilter { text: Some("tenant".into()), ..Default::default() });
    assert_eq!(totals.await.unwrap()["active"], 2);
    let changes = store.write(write([created(&tenant(8))])).await.unwrap();
    assert_eq!((changes[0].revision, &changes[0].previous_hash), (head.0 + 1, &head.1));
    let population = store.initial_state().await.unwrap();
    assert_eq!((population.revision, population.tenants.len(), population.partners.len()), (8, 3, 1));
    assert_eq!((population.users.len(), population.flags.len(), population.keys.len()), (1, 1, 1));
}
