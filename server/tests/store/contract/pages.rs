//! Pages of a list that changes while it is read.

use std::collections::BTreeSet;

use dezky_core::model::Tenant;
use dezky_server::store::{TenantFilter, TenantQuery};

use super::DataLocation;
use super::tenants::{SORTS, compare, position};
use crate::records::*;

pub async fn records_that_stay_are_never_skipped_or_repeated(location: DataLocation) {
    let store = location.open();
    let mut next = 0;
    for sort in SORTS {
        // While the pages are read, every second tenant may be deleted and new ones are created.
        let all: Vec<Tenant> = (next..next + 60).map(scattered_tenant).collect();
        next += 60;
        store.write(write(all.iter().map(created))).await.unwrap();
        let mut deletable: Vec<&Tenant> = all.iter().step_by(2).collect();
        let mut added = Vec::new();
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
            let leaver = deletable.swap_remove(round * 7 % deletable.len());
            let newcomer = scattered_tenant(next);
            next += 1;
            store.write(write([deleted(leaver), created(&newcomer)])).await.unwrap();
            added.push(newcomer);
        }
        let ids: BTreeSet<_> = found.iter().map(|tenant| tenant.id()).collect();
        assert_eq!(ids.len(), found.len(), "a tenant was returned twice");
        for stays in all.iter().skip(1).step_by(2).chain(deletable) {
            assert!(ids.contains(stays.id()), "{} was skipped, {sort:?}", stays.slug());
        }
        assert!(found.is_sorted_by(|one, other| compare(one, other, sort).is_lt()));
        let left = store
            .tenants(TenantQuery { filter: TenantFilter::default(), sort, after: None, limit: 500 })
            .await
            .unwrap();
        store.write(write(left.iter().map(deleted))).await.unwrap();
    }
}

/// Returns a tenant whose name, time and slug are not ordered by its number.
fn scattered_tenant(number: usize) -> Tenant {
    let name = ["Alpha", "alpha", "Beta", "Gamma", "Ångström"][number * 13 % 5];
    let mut tenant = named_tenant(number, &format!("s{:04}", number * 7_919 % 10_000), name);
    tenant.revisioned.created_at = at((number * 31 % 17) as i64);
    tenant
}
