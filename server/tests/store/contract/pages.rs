//! Pages while the list changes under them.

use std::collections::BTreeSet;

use dezky_core::model::Tenant;
use dezky_server::store::{TenantFilter, TenantQuery};

use super::Place;
use super::tenants::{SORTS, compare, position};
use crate::records::*;

pub async fn nothing_that_stays_is_skipped_or_repeated(place: Place) {
    let store = place.open();
    let mut next = 0;
    for sort in SORTS {
        // Half of them will go while the pages are read, and others come.
        let all: Vec<Tenant> = (next..next + 60).map(spread).collect();
        next += 60;
        store.write(write(all.iter().map(made))).await.unwrap();
        let mut going: Vec<&Tenant> = all.iter().step_by(2).collect();
        let mut come = Vec::new();
        let mut found: Vec<Tenant> = Vec::new();
        for round in 0.. {
            let after = found.last().map(|last| position(last, sort));
            let page = store
                .tenants(TenantQuery { filter: TenantFilter::default(), sort, after, limit: 5 })
                .await
                .unwrap();
            let is_last = page.len() < 5;
            found.extend(page);
            if is_last {
                break;
            }
            let leaves = going.swap_remove(round * 7 % going.len());
            let comes = spread(next);
            next += 1;
            store.write(write([removed(leaves), made(&comes)])).await.unwrap();
            come.push(comes);
        }
        let ids: BTreeSet<_> = found.iter().map(|tenant| tenant.id()).collect();
        assert_eq!(ids.len(), found.len(), "one came twice");
        for stays in all.iter().skip(1).step_by(2).chain(going) {
            assert!(ids.contains(stays.id()), "{} was skipped, {sort:?}", stays.slug());
        }
        assert!(found.is_sorted_by(|one, other| compare(one, other, sort).is_lt()));
        let left = store
            .tenants(TenantQuery { filter: TenantFilter::default(), sort, after: None, limit: 500 })
            .await
            .unwrap();
        store.write(write(left.iter().map(removed))).await.unwrap();
    }
}

/// Names, times and slugs in no order that has to do with the number.
fn spread(number: usize) -> Tenant {
    let name = ["Alpha", "alpha", "Beta", "Gamma", "Ångström"][number * 13 % 5];
    let mut tenant = named_tenant(number, &format!("s{:04}", number * 7_919 % 10_000), name);
    tenant.revisioned.created_at = at((number * 31 % 17) as i64);
    tenant
}
