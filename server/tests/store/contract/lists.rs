//! Lists of partners, users and subscriptions, page by page.

use dezky_core::model::{Subscription, User};
use dezky_server::store::{PageStart, PartnerQuery, Store, SubscriptionQuery, UserQuery};
use serde_json::json;

use super::DataLocation;
use crate::records::*;

pub async fn partners_are_listed_by_slug(location: DataLocation) {
    let store = location.open();
    let all: Vec<_> = [5, 2, 9, 0, 7, 1].map(partner).to_vec();
    store.write(write(all.iter().map(created))).await.unwrap();
    let mut slugs = Vec::new();
    let mut after = None;
    loop {
        let page = store.partners(PartnerQuery { after, limit: 4 }).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(PageStart { key: last.slug().to_string(), id: last.id().to_string() });
        slugs.extend(page.iter().map(|partner| partner.slug().to_string()));
    }
    assert_eq!(slugs, [0, 1, 2, 5, 7, 9].map(|number| format!("partner-{number:03}")));
}

async fn all_users(store: &dyn Store, tenant: Option<&str>, limit: usize) -> Vec<User> {
    let mut found: Vec<User> = Vec::new();
    loop {
        let after = found.last().map(|last| PageStart {
            key: last.last_login_at.map_or(0, |at| at.as_micros()).to_string(),
            id: last.id.to_string(),
        });
        let page = store.users(UserQuery { tenant: tenant.map(id), after, limit }).await.unwrap();
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}

pub async fn users_are_listed_by_last_sign_in(location: DataLocation) {
    let store = location.open();
    let person = |number: usize| {
        let mut user = user(number);
        user.last_login_at = (!number.is_multiple_of(3)).then(|| at(number as i64 / 2 % 5));
        user.tenant_ids = [("t1", 2), ("t2", 3)]
            .iter()
            .filter(|(_, n)| number.is_multiple_of(*n))
            .map(|(t, _)| id(t))
            .collect();
        user
    };
    let mut all: Vec<User> = (0..25).map(person).collect();
    store.write(write(all.iter().map(created))).await.unwrap();
    let order = |user: &User| (user.last_login_at.map_or(0, |at| at.as_micros()), user.id.clone());
    all.sort_by_key(|user| std::cmp::Reverse(order(user)));
    let members_of = |all: &[User], tenant: &str| -> Vec<User> {
        all.iter().filter(|user| user.tenant_ids.contains(&id(tenant))).cloned().collect()
    };
    for limit in [1, 4, 100] {
        assert_eq!(all_users(&*store, None, limit).await, all);
        for tenant in ["t1", "t2", "nobody"] {
            assert_eq!(all_users(&*store, Some(tenant), limit).await, members_of(&all, tenant));
        }
    }
    assert!(all[24].last_login_at.is_none());

    // The lists follow the membership in the record.
    let member = members_of(&all, "t1")[0].clone();
    let leaver = members_of(&all, "t2")[0].clone();
    let mut moved = member.clone();
    (moved.tenant_ids, moved.revisioned.version) = (vec![id("t3")], 2);
    let entries = if leaver.id == member.id {
        vec![updated(&member, &moved)]
    } else {
        vec![updated(&member, &moved), deleted(&leaver)]
    };
    store.write(write(entries)).await.unwrap();
    assert_eq!(all_users(&*store, Some("t3"), 10).await, [moved]);
    let left = all_users(&*store, Some("t1"), 10).await;
    assert!(!left.iter().any(|user| user.id == member.id));
    assert!(
        !all_users(&*store, Some("t2"), 10)
            .await
            .iter()
            .any(|user| user.id == leaver.id || user.id == member.id)
    );
    let strangers = user_of(json!({ "id": "x", "email": "x@example.org" }));
    assert_eq!(store.user(&strangers.id).await.unwrap(), None);
}

pub async fn subscriptions_are_listed_newest_first(location: DataLocation) {
    let store = location.open();
    let mut tenants: Vec<_> = (0..4).map(tenant).collect();
    tenants[3].terminate(at(0)).unwrap();
    let mut all: Vec<Subscription> =
        (0..30).map(|number| subscription(number, tenants[number % 4].id(), price(number as i64))).collect();
    store.write(write(tenants.iter().map(created).chain(all.iter().map(created)))).await.unwrap();
    all.sort_by_key(|each| std::cmp::Reverse((each.revisioned.created_at, each.id.clone())));
    let cases = [
        (None, None),
        (Some("t1"), None),
        (Some("t3"), None),
        (Some("t9"), None),
        (None, Some(vec!["t0", "t3", "t9"])),
        (Some("t2"), Some(vec!["t1"])),
        (Some("t2"), Some(vec!["t1", "t2"])),
        (None, Some(Vec::new())),
    ];
    for (tenant, visible) in cases {
        let is_visible = |each: &Subscription| {
            let id = each.tenant_id.as_str();
            visible.as_ref().is_none_or(|visible| visible.contains(&id) && id != "t3")
        };
        let of_tenant = |each: &Subscription| tenant.is_none_or(|tenant| each.tenant_id == id(tenant));
        let expected: Vec<_> =
            all.iter().filter(|each| of_tenant(each) && is_visible(each)).cloned().collect();
        let mut found: Vec<Subscription> = Vec::new();
        loop {
            let after = found.last().map(|last| PageStart {
                key: last.revisioned.created_at.as_micros().to_string(),
                id: last.id.to_string(),
            });
            let visible = visible.as_ref().map(|visible| visible.iter().map(|text| id(text)).collect());
            let query = SubscriptionQuery { tenant: tenant.map(id), visible, after, limit: 4 };
            let page = store.subscriptions(query).await.unwrap();
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, expected, "{tenant:?} {visible:?}");
    }
}
