//! The change log: its content, its filters and its pages.

use dezky_core::model::{Actor, Change, User, verify_chain};
use dezky_server::store::{ChangeQuery, Record, RecordChange, Write};

use super::DataLocation;
use crate::records::*;

pub async fn the_log_matches_the_writes(location: DataLocation) {
    let (store, observer) = location.observed();
    let mut returned = Vec::new();
    for number in 0..20 {
        let first = tenant(number).record();
        let entries = vec![created(&first), updated(&first, &next_version(&first)), created(&user(number))];
        returned.extend(store.write(write(entries)).await.unwrap());
    }
    let mut logged = store.changes(ChangeQuery { limit: 1_000, ..Default::default() }).await.unwrap();
    logged.reverse();
    assert_eq!(logged, returned);
    assert_eq!(logged.iter().map(|change| change.revision).collect::<Vec<_>>(), (1..=60).collect::<Vec<_>>());
    let head = store.head().await.unwrap();
    assert_eq!(head, (60, verify_chain(&logged).unwrap()));
    let observed = observer.entries();
    assert_eq!(observed.len(), 60);
    for ((revision, entry), change) in observed.iter().zip(&logged) {
        assert_eq!((*revision, entry.action), (change.revision, change.content.action.as_str()));
        let record = entry.after.as_ref().map(Record::id);
        assert_eq!(record, Some(change.content.entity.id.as_str()));
    }
}

pub async fn every_filter_returns_its_changes_page_by_page(location: DataLocation) {
    let store = location.open();
    for number in 0..40 {
        let by = Actor { id: Some(id(["ada", "bob", "eve"][number % 3])), email: None };
        let mut entries: Vec<RecordChange> =
            vec![created(&tenant(number)), created(&subscription(number, &id("t3"), price(1)))];
        if number % 2 == 0 {
            entries.push(created(&flag(&format!("flag-{number}"))));
            entries.push(deleted(&subscription(number, &id("t3"), price(1))));
        }
        let actor = if number == 39 { Actor::default() } else { by };
        store.write(Write { at: at(number as i64), actor, ..write(entries) }).await.unwrap();
    }
    let whole = store.changes(ChangeQuery { limit: 1_000, ..Default::default() }).await.unwrap();
    assert_eq!(whole.len(), 120);
    let base = ChangeQuery { limit: 7, ..Default::default() };
    let queries = [
        base.clone(),
        ChangeQuery { kind: Some("subscription".into()), ..base.clone() },
        ChangeQuery { kind: Some("tenant".into()), id: Some("t3".into()), ..base.clone() },
        ChangeQuery { tenant: Some(id("t3")), ..base.clone() },
        ChangeQuery { tenant: Some(id("t3")), kind: Some("tenant".into()), ..base.clone() },
        ChangeQuery { actor: Some(id("bob")), ..base.clone() },
        ChangeQuery { action: Some("record.delete".into()), actor: Some(id("ada")), ..base.clone() },
        ChangeQuery { from: Some(at(10)), until: Some(at(20)), ..base.clone() },
        ChangeQuery { from: Some(at(20)), until: Some(at(20)), ..base.clone() },
        ChangeQuery { id: Some("nobody".into()), ..base },
    ];
    let mut sizes = Vec::new();
    for query in queries {
        let expected: Vec<Change> =
            whole.iter().filter(|change| matches_query(change, &query)).cloned().collect();
        let mut found: Vec<Change> = Vec::new();
        loop {
            let below = found.last().map(|last| last.revision);
            let page = store.changes(ChangeQuery { below, ..query.clone() }).await.unwrap();
            assert!(page.len() <= 7);
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, expected, "{query:?}");
        sizes.push(found.len());
    }
    assert_eq!(sizes, [120, 60, 1, 61, 1, 38, 7, 30, 0, 0]);
}

fn matches_query(change: &Change, query: &ChangeQuery) -> bool {
    let content = &change.content;
    let tenant = match content.entity.kind.as_str() {
        "tenant" => Some(content.entity.id.as_str()),
        "subscription" => {
            content.after.get("tenantId").or(content.before.get("tenantId")).and_then(|id| id.as_str())
        }
        _ => None,
    };
    query.kind.as_ref().is_none_or(|kind| kind == content.entity.kind.as_str())
        && query.id.as_ref().is_none_or(|id| id == content.entity.id.as_str())
        && query.tenant.as_ref().is_none_or(|id| Some(id.as_str()) == tenant)
        && query.actor.as_ref().is_none_or(|id| Some(id) == content.actor.id.as_ref())
        && query.action.as_ref().is_none_or(|action| action == content.action.as_str())
        && query.from.is_none_or(|from| content.at >= from)
        && query.until.is_none_or(|until| content.at < until)
}

/// A change of membership appears in the logs of the tenants that the user joins or leaves.
pub async fn membership_changes_appear_in_the_logs_of_their_tenants(location: DataLocation) {
    let store = location.open();
    let member = |tenants: &[&str], version: u64| {
        let mut user = user(1);
        user.tenant_ids = tenants.iter().map(|tenant| id(tenant)).collect();
        user.revisioned.version = version;
        user
    };
    let mut steps = vec![created(&member(&["t1"], 1))];
    for (version, (before, after)) in [
        (&["t1"][..], &["t1", "t2"][..]),
        (&["t1", "t2"], &["t2", "t1"]),
        (&["t2", "t1"], &["t2", "t3"]),
        (&["t2", "t3"], &["t2", "t3"]),
        (&["t2", "t3"], &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let version = version as u64 + 1;
        steps.push(updated(&member(before, version), &member(after, version + 1)));
    }
    store.write(write(steps)).await.unwrap();
    store
        .write(write([
            created(&tenant(1)),
            created(&User { id: id("u2"), email: user(2).email, ..member(&["t2"], 1) }),
        ]))
        .await
        .unwrap();
    for (tenant, revisions) in [("t1", &[7, 4, 1][..]), ("t2", &[8, 6, 2]), ("t3", &[6, 4]), ("t4", &[])] {
        for limit in [1, 9] {
            let mut found: Vec<u64> = Vec::new();
            loop {
                let below = found.last().copied();
                let query = ChangeQuery { tenant: Some(id(tenant)), below, limit, ..Default::default() };
                let page = store.changes(query).await.unwrap();
                if page.is_empty() {
                    break;
                }
                found.extend(page.iter().map(|change| change.revision));
            }
            assert_eq!(found, revisions, "{tenant}");
        }
    }
    let users =
        ChangeQuery { tenant: Some(id("t1")), kind: Some("user".into()), limit: 9, ..Default::default() };
    assert_eq!(store.changes(users).await.unwrap().len(), 2);
}
