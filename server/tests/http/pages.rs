//! Lists: their pages, filters, orders and counts.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::{Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

async fn operator() -> Api {
    Api::sign_in(&SERVER, "operator").await
}

async fn make(api: &Api, slug: &str, name: &str, plan: &str) -> Value {
    let body = json!({ "slug": slug, "name": name, "plan": plan });
    api.post("/tenants").json(body).send().await.is(201).body
}

/// The items of all pages of a list, in order.
async fn walk(api: &Api, path: &str, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    let sign = if path.contains('?') { '&' } else { '?' };
    loop {
        let page = api.get(format!("{path}{sign}limit={limit}{cursor}")).send().await.is(200);
        assert!(page.items().len() <= limit);
        all.extend(page.items().to_vec());
        match page.body["nextCursor"].as_str() {
            Some(next) => {
                assert_eq!(page.items().len(), limit, "a page before the last is not full");
                cursor = format!("&cursor={next}");
            }
            None => return all,
        }
    }
}

fn each<'a>(items: &'a [Value], member: &str) -> Vec<&'a str> {
    items.iter().map(|item| item[member].as_str().unwrap_or_default()).collect()
}

#[tokio::test]
async fn pages_of_any_size_make_up_the_whole_list() {
    let api = operator().await;
    for slug in ["walk-c", "walk-a", "walk-e", "walk-b", "walk-d"] {
        make(&api, slug, &format!("Same {}", slug.len()), "free").await;
    }
    for sort in ["slug", "-slug", "name", "-name", "createdAt", "-createdAt"] {
        let path = format!("/tenants?q=walk-&sort={sort}");
        let whole = walk(&api, &path, 200).await;
        assert_eq!(whole.len(), 5);
        for limit in 1..=6 {
            assert_eq!(walk(&api, &path, limit).await, whole, "{sort} by {limit}");
        }
    }
    let flags = walk(&api, "/flags", 200).await;
    assert!(flags.len() >= 10 && each(&flags, "key").is_sorted());
    for limit in [1, 3, 9, 10] {
        assert_eq!(walk(&api, "/flags", limit).await, flags, "flags by {limit}");
    }
    let slugs = walk(&api, "/tenants?q=walk-&sort=-slug", 2).await;
    assert_eq!(each(&slugs, "slug"), ["walk-e", "walk-d", "walk-c", "walk-b", "walk-a"]);
    let newest = walk(&api, "/tenants?q=walk-&sort=-createdAt", 2).await;
    assert_eq!(each(&newest, "slug"), ["walk-d", "walk-b", "walk-e", "walk-a", "walk-c"]);
    for path in [
        "/users",
        "/partners",
        "/subscriptions",
        "/audit",
        "/tenants/acme/users",
        "/partners/nordlys/tenants",
    ] {
        let whole = walk(&api, path, 200).await;
        assert!(whole.len() >= 2, "{path}");
    }
}

/// This test has its own server, because other tests write to these lists.
#[tokio::test]
async fn every_list_has_pages() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    for path in ["/users", "/partners", "/subscriptions", "/audit", "/tenants", "/tenants/acme/users"] {
        let whole = walk(&api, path, 200).await;
        assert_eq!(walk(&api, path, 1).await, whole, "{path}");
        assert_eq!(walk(&api, path, 3).await, whole, "{path}");
    }
}

#[tokio::test]
async fn pages_stay_consistent_during_writes() {
    let api = operator().await;
    let mut names: Vec<String> = (0..10).map(|number| format!("still-{number:02}")).collect();
    for slug in names.iter().step_by(2) {
        make(&api, slug, "Still", "still").await;
    }
    let page = |cursor: &str| {
        let path = format!("/tenants?plan=still&limit=2{cursor}");
        let api = api.clone();
        async move { api.get(path).send().await.is(200) }
    };
    let first = page("").await;
    assert_eq!(first.each("slug"), ["still-00", "still-02"]);
    let cursor = format!("&cursor={}", first.body["nextCursor"].as_str().unwrap());
    // New items before and after the end of the page; the last item of the page leaves the list.
    for slug in names.iter().skip(1).step_by(2) {
        make(&api, slug, "Still", "still").await;
    }
    api.patch("/tenants/still-02").any_version().json(json!({ "plan": "moved" })).send().await.is(200);
    let second = page(&cursor).await;
    assert_eq!(second.each("slug"), ["still-03", "still-04"]);
    let rest = walk(&api, "/tenants?plan=still", 3).await;
    names.remove(2);
    assert_eq!(each(&rest, "slug"), names);
}

#[tokio::test]
async fn a_cursor_is_valid_only_for_its_own_list_and_caller() {
    let (api, other) = (operator().await, Api::sign_in(&SERVER, "other").await);
    let page = api.get("/tenants?limit=2&sort=name").send().await.is(200);
    let cursor = page.body["nextCursor"].as_str().unwrap().to_owned();
    let refused = async |api: &Api, path: String| {
        api.get(path).send().await.refused(400, "invalid_cursor").at("?cursor");
    };
    api.get(format!("/tenants?limit=5&sort=name&cursor={cursor}")).send().await.is(200);
    // A portal token of the same user may use the cursor.
    let admin = Api::sign_in(&SERVER, "admin").await;
    admin.get(format!("/tenants?limit=2&sort=name&cursor={cursor}")).send().await.is(200);
    for query in ["", "sort=slug&", "sort=-name&", "sort=name&plan=free&", "sort=name&q=a&"] {
        refused(&api, format!("/tenants?{query}cursor={cursor}")).await;
    }
    refused(&other, format!("/tenants?sort=name&cursor={cursor}")).await;
    for path in ["/users", "/partners", "/subscriptions", "/audit", "/tenants/acme/users"] {
        refused(&api, format!("{path}?cursor={cursor}")).await;
    }
    let headless: String = cursor.chars().skip(1).collect();
    for forged in ["", "x", "AAAA", &headless, &format!("{cursor}A"), &"A".repeat(3_000)] {
        refused(&api, format!("/tenants?sort=name&cursor={forged}")).await;
    }
    let page = api.get("/partners/nordlys/tenants?limit=1").send().await.is(200);
    let cursor = page.body["nextCursor"].as_str().unwrap();
    refused(&api, format!("/partners/lumen/tenants?cursor={cursor}")).await;
}

#[tokio::test]
async fn tenants_are_filtered_by_text_plan_status_and_partner() {
    let api = operator().await;
    make(&api, "find-alpha", "Überall GmbH", "find-one").await;
    make(&api, "find-beta", "100% _Sure_", "find-one").await;
    make(&api, "find-gamma", "Gamma", "find-two").await;
    api.post("/tenants/find-gamma/suspend").any_version().send().await.is(200);
    let slugs = async |query: &str| {
        let page = api.get(format!("/tenants?{query}")).send().await.is(200);
        page.each("slug").join(" ")
    };
    assert_eq!(slugs("q=FIND-").await, "find-alpha find-beta find-gamma");
    assert_eq!(slugs("q=find-&sort=-slug").await, "find-gamma find-beta find-alpha");
    // The search ignores case, also of accented letters, and has no wildcards.
    assert_eq!(slugs("q=%C3%BCBERALL").await, "find-alpha");
    assert_eq!(slugs("q=0%25%20_s").await, "find-beta");
    assert_eq!(slugs("q=find_alpha").await, "");
    assert_eq!(slugs("q=find%25").await, "");
    assert_eq!(slugs("q=find-&status=suspended").await, "find-gamma");
    assert_eq!(slugs("plan=find-one").await, "find-alpha find-beta");
    assert_eq!(slugs("plan=find-one&q=gamma").await, "");
    assert_eq!(slugs("partner=absent").await, "");
    let lumen = api.get("/partners/lumen").send().await.is(200).body["id"].clone();
    api.patch("/tenants/find-beta").any_version().json(json!({ "partnerId": lumen })).send().await.is(200);
    assert_eq!(slugs("partner=lumen&q=find-").await, "find-beta");
    assert_eq!(slugs("partner=nordlys&q=find-").await, "");
}

#[tokio::test]
async fn counts_ignore_only_the_filter_by_status() {
    let api = operator().await;
    for (slug, step) in [("count-a", ""), ("count-b", ""), ("count-c", "suspend"), ("count-d", "terminate")] {
        make(&api, slug, "Count", "counted").await;
        match step {
            "suspend" => {
                drop(api.post(format!("/tenants/{slug}/suspend")).any_version().send().await.is(200))
            }
            "terminate" => drop(api.delete(format!("/tenants/{slug}")).any_version().send().await.is(200)),
            _ => {}
        }
    }
    let expected = json!({ "active": 2, "suspended": 1, "terminated": 1, "pending": 0 });
    for query in ["limit=1", "status=active"] {
        let page = api.get(format!("/tenants?plan=counted&counts=true&{query}")).send().await.is(200);
        assert_eq!(page.body["counts"], expected);
    }
    let nothing = json!({ "active": 0, "suspended": 0, "terminated": 0, "pending": 0 });
    for query in ["plan=absent", "partner=absent"] {
        let page = api.get(format!("/tenants?counts=true&{query}")).send().await.is(200);
        assert_eq!(page.body["counts"], nothing, "{query}");
    }
    assert!(api.get("/tenants?plan=counted").send().await.is(200).body.get("counts").is_none());
}

#[tokio::test]
async fn a_member_lists_only_their_own_tenants() {
    let member = Api::sign_in(&SERVER, "member").await;
    let page = member.get("/tenants?counts=true").send().await.is(200);
    assert_eq!(page.each("slug"), ["acme"]);
    assert_eq!(page.body["counts"], json!({ "active": 1, "pending": 0, "suspended": 0, "terminated": 0 }));
    assert!(member.get("/tenants?q=globex").send().await.is(200).items().is_empty());
    let acme = page.items()[0]["id"].clone();
    let own = member.get("/subscriptions").send().await.is(200);
    assert!(!own.items().is_empty() && own.items().iter().all(|item| item["tenantId"] == acme));
    assert!(member.get("/subscriptions?tenant=globex").send().await.is(200).items().is_empty());
    assert!(Api::sign_in(&SERVER, "support").await.get("/tenants").send().await.is(200).items().is_empty());
}
