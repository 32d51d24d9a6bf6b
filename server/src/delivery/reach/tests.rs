//! Unit tests of the table of instances.
#![allow(clippy::unwrap_used)]

use super::*;

fn report(digest: char) -> InstanceReport {
    InstanceReport {
        followed: FollowedRules { environment: Environment::new("production").unwrap(), tenant: None },
        digest: Some(Digest::new(&digest.to_string().repeat(64)).unwrap()),
        at: Timestamp::EPOCH,
    }
}

fn key(id: &str, tenant: Option<&str>) -> KeyRecord {
    let kind = if tenant.is_some() { "tenant" } else { "server" };
    let now = "2026-01-01T00:00:00Z";
    let mut document = serde_json::json!({
        "id": id, "name": id, "kind": kind, "environment": "production", "hint": "abcd",
        "createdAt": now, "updatedAt": now, "version": 1,
    });
    if let (Some(tenant), Some(members)) = (tenant, document.as_object_mut()) {
        members.insert("tenantId".to_owned(), tenant.into());
    }
    serde_json::from_value(document).unwrap()
}

fn fill(reach: &Reach, key: &KeyRecord, count: usize, now: Instant) {
    for number in 0..count {
        reach.record(key, &number.to_string(), report('a'), now);
    }
}

#[test]
fn a_report_stops_being_recent_and_then_expires() {
    let (reach, start) = (Reach::default(), Instant::now());
    reach.record(&key("k", Some("t")), "web-1", report('a'), start);
    let seen = |after| {
        let instances = reach.list(start + after).instances;
        instances.iter().map(|instance| instance.is_recent).collect::<Vec<_>>()
    };
    assert_eq!(seen(Duration::ZERO), [true]);
    assert_eq!(seen(RECENT), [false]);
    assert_eq!(seen(EXPIRY), [] as [bool; 0]);
    let table = reach.table();
    assert_eq!((table.of_tenants, table.keys.len()), (0, 0));
}

#[test]
fn a_key_cannot_report_for_another_keys_instance() {
    let (reach, now) = (Reach::default(), Instant::now());
    reach.record(&key("one", None), "web-1", report('a'), now);
    reach.record(&key("other", None), "web-1", report('b'), now);
    assert_eq!(reach.list(now).instances.len(), 2);
    reach.forget(&key("other", None), "web-1");
    let left = reach.list(now).instances;
    assert_eq!(left.iter().map(|instance| instance.key.as_str()).collect::<Vec<_>>(), ["one"]);
}

#[test]
fn a_full_key_keeps_its_instances_and_is_listed_as_incomplete() {
    for (key, most) in
        [(key("rogue", Some("t")), MAX_PER_TENANT_KEY), (key("fleet", None), MAX_PER_SERVER_KEY)]
    {
        let (reach, now) = (Reach::default(), Instant::now());
        fill(&reach, &key, most, now);
        assert_eq!((reach.list(now).instances.len(), reach.list(now).incomplete.len()), (most, 0));
        reach.record(&key, "one-more", report('a'), now);
        let list = reach.list(now);
        assert_eq!((list.instances.len(), list.incomplete), (most, vec![key.id.clone()]));
        // A stored instance can still report, and an instance that signs off makes room.
        reach.record(&key, "0", report('b'), now);
        assert_eq!(reach.list(now).instances.first().unwrap().report.digest, report('b').digest);
        reach.forget(&key, "1");
        reach.record(&key, "one-more", report('a'), now);
        assert_eq!(reach.list(now).instances.len(), most);
        // Another instance may still be missing until every report of that time has expired.
        assert_eq!(reach.list(now).incomplete.len(), 1);
        assert_eq!(reach.list(now + EXPIRY).incomplete.len(), 0);
    }
}

#[test]
fn tenants_keys_cannot_crowd_out_server_keys() {
    let (reach, now) = (Reach::default(), Instant::now());
    let keys = MAX_OF_TENANTS / MAX_PER_TENANT_KEY;
    for number in 0..=keys {
        fill(&reach, &key(&format!("k{number}"), Some("t")), MAX_PER_TENANT_KEY, now);
    }
    let list = reach.list(now);
    assert_eq!((list.instances.len(), list.incomplete.len()), (MAX_OF_TENANTS, 1));
    reach.record(&key("fleet", None), "web-1", report('a'), now);
    assert_eq!(reach.list(now).instances.len(), MAX_OF_TENANTS + 1);
}
