//! Lists of tenants: queries of the store compared with a filter over a plain list.

use std::cmp::Ordering;

use dezky_core::model::{Tenant, TenantStatus};
use dezky_core::names::Label;
use dezky_server::store::{Direction, PageStart, Sort, SortKey, Store, TenantFilter, TenantQuery};

use super::DataLocation;
use crate::records::*;

pub const SORTS: [Sort; 6] = [
    Sort { key: SortKey::Slug, direction: Direction::Ascending },
    Sort { key: SortKey::Slug, direction: Direction::Descending },
    Sort { key: SortKey::Name, direction: Direction::Ascending },
    Sort { key: SortKey::Name, direction: Direction::Descending },
    Sort { key: SortKey::CreatedAt, direction: Direction::Ascending },
    Sort { key: SortKey::CreatedAt, direction: Direction::Descending },
];

pub fn position(tenant: &Tenant, sort: Sort) -> PageStart {
    let key = match sort.key {
        SortKey::Slug => tenant.slug().to_string(),
        SortKey::Name => tenant.name.as_str().to_lowercase(),
        SortKey::CreatedAt => tenant.revisioned.created_at.as_micros().to_string(),
    };
    PageStart { key, id: tenant.id().to_string() }
}

pub fn compare(one: &Tenant, other: &Tenant, sort: Sort) -> Ordering {
    let by_key = match sort.key {
        SortKey::Slug => one.slug().cmp(other.slug()),
        SortKey::Name => one.name.as_str().to_lowercase().cmp(&other.name.as_str().to_lowercase()),
        SortKey::CreatedAt => one.revisioned.created_at.cmp(&other.revisioned.created_at),
    };
    let ascending = by_key.then_with(|| one.id().cmp(other.id()));
    if sort.direction == Direction::Ascending { ascending } else { ascending.reverse() }
}

fn matches_filter(tenant: &Tenant, filter: &TenantFilter) -> bool {
    let TenantFilter { text, status, plan, partner, visible } = filter;
    let searched = format!("{}\n{}", tenant.slug(), tenant.name.as_str().to_lowercase());
    text.as_ref().is_none_or(|text| searched.contains(text.as_str()))
        && status.is_none_or(|status| tenant.status() == status)
        && plan.as_ref().is_none_or(|plan| tenant.plan.as_str() == plan)
        && partner.as_ref().is_none_or(|partner| tenant.partner_id.as_ref() == Some(partner))
        && visible
            .as_ref()
            .is_none_or(|ids| ids.contains(tenant.id()) && tenant.status() != TenantStatus::Terminated)
}

async fn all_pages(store: &dyn Store, filter: &TenantFilter, sort: Sort, limit: usize) -> Vec<Tenant> {
    let mut found: Vec<Tenant> = Vec::new();
    loop {
        let after = found.last().map(|last| position(last, sort));
        let query = TenantQuery { filter: filter.clone(), sort, after, limit };
        let page = store.tenants(query).await.unwrap();
        assert!(page.len() <= limit);
        let is_last = page.len() < limit;
        found.extend(page);
        if is_last {
            return found;
        }
    }
}

async fn check(store: &dyn Store, all: &[Tenant], filter: &TenantFilter, limit: usize) -> usize {
    let mut expected: Vec<Tenant> =
        all.iter().filter(|tenant| matches_filter(tenant, filter)).cloned().collect();
    for sort in SORTS {
        expected.sort_by(|one, other| compare(one, other, sort));
        let found = all_pages(store, filter, sort, limit).await;
        let slugs =
            |tenants: &[Tenant]| tenants.iter().map(|each| each.slug().to_string()).collect::<Vec<_>>();
        assert_eq!(slugs(&found), slugs(&expected), "{filter:?} {sort:?} {limit}");
        assert_eq!(found, expected);
    }
    let totals = store.tenant_totals(filter.clone()).await.unwrap();
    let without_status = TenantFilter { status: None, ..filter.clone() };
    for status in TenantStatus::ALL {
        let count = all
            .iter()
            .filter(|tenant| tenant.status() == *status && matches_filter(tenant, &without_status))
            .count();
        assert_eq!(totals.get(status.as_str()).copied().unwrap_or(0), count as u64, "{filter:?} {status:?}");
    }
    expected.len()
}

/// Tenants with names that repeat in both cases, three statuses, three plans and some partners.
fn varied_tenants() -> Vec<Tenant> {
    let names = [
        "Nordwind",
        "nordwind",
        "ÅNGSTRÖM",
        "ångström",
        "Zebra",
        "alpha",
        "Straße",
        "STRASSE",
        "Éclair",
        "日本語会社",
    ];
    let mut tenants = Vec::new();
    for number in 0..60 {
        let mut tenant = named_tenant(number, &format!("x{}-{number}", number * 37 % 60), names[number % 10]);
        match number % 7 {
            1 => tenant.suspend(at(100)).unwrap(),
            2 => tenant.terminate(at(100)).unwrap(),
            _ => {}
        }
        tenant.partner_id = (number % 4 == 0).then(|| id(&format!("p{}", number % 3)));
        tenants.push(tenant);
    }
    tenants
}

pub async fn every_order_and_filter_returns_its_tenants_page_by_page(location: DataLocation) {
    let store = location.open();
    let all = varied_tenants();
    store.write(write(all.iter().map(created))).await.unwrap();
    let everything = TenantFilter::default;
    let some = || Some(["t1", "t2", "t3", "t4", "t8", "t9", "t40", "nobody"].map(id).to_vec());
    let filters = [
        everything(),
        TenantFilter { status: Some(TenantStatus::Suspended), ..everything() },
        TenantFilter { status: Some(TenantStatus::Pending), ..everything() },
        TenantFilter { plan: Some("business".into()), ..everything() },
        TenantFilter { plan: Some("nothing".into()), ..everything() },
        TenantFilter { partner: Some(id("p1")), ..everything() },
        TenantFilter { visible: some(), ..everything() },
        TenantFilter { visible: Some(Vec::new()), ..everything() },
        TenantFilter { visible: some(), status: Some(TenantStatus::Terminated), ..everything() },
        TenantFilter { visible: some(), plan: Some("free".into()), text: Some("x".into()), ..everything() },
        TenantFilter {
            text: Some("nordwind".into()),
            status: Some(TenantStatus::Active),
            plan: Some("free".into()),
            partner: Some(id("p0")),
            visible: None,
        },
    ];
    let mut sizes = Vec::new();
    for filter in &filters {
        for limit in [1, 7, 200] {
            sizes.push(check(&*store, &all, filter, limit).await);
        }
    }
    assert!(sizes.iter().filter(|size| **size > 0).count() >= 21, "{sizes:?}");
}

/// Names with characters that mean something in a search syntax.
const ODD_NAMES: [&str; 11] = [
    "a \"quoted\" name",
    "100% sure",
    "under_score",
    "back\\slash",
    "it's",
    "OR",
    "NEAR(a b)",
    "col:x",
    "-minus",
    "a*b^c",
    "{x}",
];

/// Texts to search for: short, long, in other scripts, and with special characters.
const SEARCH_TEXTS: [&str; 37] = [
    "",
    "x",
    "x1",
    "x1-",
    "nord",
    "nordwind",
    "wind\nx",
    "ström",
    "日",
    "日本",
    "日本語",
    "straße",
    "strasse",
    "\"",
    "\"quoted\"",
    "a \"q",
    "100%",
    "%",
    "_",
    "r_s",
    "\\s",
    "it's",
    "or",
    "near(a b)",
    "near(",
    "col:",
    "-minus",
    "a*b",
    "b^c",
    "{x}",
    "*",
    "0\n",
    "-0\nnordwind",
    "nobody has this",
    "\0",
    "nor\0",
    "   ",
];

pub async fn every_kind_of_search_text_finds_its_tenants(location: DataLocation) {
    let store = location.open();
    let mut all = varied_tenants();
    for (index, name) in ODD_NAMES.into_iter().enumerate() {
        all.push(named_tenant(100 + index, &format!("odd-{index}"), name));
    }
    store.write(write(all.iter().map(created))).await.unwrap();
    let mut found = 0;
    for text in SEARCH_TEXTS {
        let filter = TenantFilter { text: Some(text.to_owned()), ..Default::default() };
        found += usize::from(check(&*store, &all, &filter, 50).await > 0);
    }
    assert!(found >= 25, "{found}");

    // The search index follows the record.
    let mut renamed = all[0].clone();
    (renamed.name, renamed.revisioned.version) = (Label::new("Borealis").unwrap(), 9);
    let gone = all.remove(1);
    store.write(write([updated(&all[0], &renamed), deleted(&gone)])).await.unwrap();
    all[0] = renamed;
    for text in ["borealis", "nordwind", "nordwind\n", "bo"] {
        let filter = TenantFilter { text: Some(text.to_owned()), ..Default::default() };
        check(&*store, &all, &filter, 7).await;
    }
}

/// A frequent search text matches more rows than the store looks up one by one; a rare one, few.
pub async fn frequent_and_rare_search_texts_find_their_tenants(location: DataLocation) {
    let store = location.open();
    let all: Vec<Tenant> = (0..1_300).map(tenant).collect();
    store.write(write(all.iter().map(created))).await.unwrap();
    for (text, count) in
        [("tenant", 1_300), ("tenant-00", 1_000), ("tenant-012", 100), ("1299", 1), ("te", 1_300)]
    {
        for status in [None, Some(TenantStatus::Active)] {
            let plan = status.map(|_| "business".to_owned());
            let filter = TenantFilter { text: Some(text.to_owned()), status, plan, ..Default::default() };
            let found = check(&*store, &all, &filter, 200).await;
            assert_eq!(found, if status.is_some() { found } else { count }, "{text}");
        }
    }
}

pub async fn totals_count_tenants_by_status(location: DataLocation) {
    let store = location.open();
    let all = varied_tenants();
    store.write(write(all.iter().map(created))).await.unwrap();
    let totals = store.tenant_totals(TenantFilter::default()).await.unwrap();
    let counts = ["active", "suspended", "terminated"].map(|status| totals[status]);
    assert_eq!(counts, [42, 9, 9]);
}

pub async fn groups_find_their_live_tenants(location: DataLocation) {
    let store = location.open();
    let grouped = |number: usize, group: &str| {
        let mut tenant = tenant(number);
        tenant.handles.authentik_group = Some(Label::new(group).unwrap());
        tenant
    };
    let mut terminated = grouped(3, "tenant-c");
    terminated.terminate(at(0)).unwrap();
    let all = [
        grouped(2, "tenant-a"),
        grouped(1, "tenant-b"),
        terminated,
        grouped(4, "Tenant-a"),
        tenant(5),
        grouped(6, "tenant-a"),
    ];
    store.write(write(all.iter().map(created))).await.unwrap();
    let tenants_of =
        |groups: &[&str]| store.tenants_of_groups(groups.iter().map(|group| (*group).to_owned()).collect());
    assert_eq!(
        tenants_of(&["tenant-a", "tenant-b", "tenant-c", "x"]).await.unwrap(),
        ["t1", "t2", "t6"].map(id)
    );
    assert_eq!(tenants_of(&["tenant-c", ""]).await.unwrap(), []);
    assert_eq!(tenants_of(&[]).await.unwrap(), []);
    let moved = {
        let mut moved = next_version(&all[0]);
        if let dezky_server::store::Record::Tenant(tenant) = &mut moved {
            tenant.handles.authentik_group = None;
        }
        moved
    };
    store.write(write([updated(&all[0], &moved)])).await.unwrap();
    assert_eq!(tenants_of(&["tenant-a"]).await.unwrap(), [id("t6")]);
}
