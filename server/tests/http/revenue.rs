//! Partners and subscriptions, and the exact sums of monthly recurring revenue.

use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

async fn post(api: &Api, path: &str, body: Value) -> Answer {
    api.post(path).json(body).send().await
}

fn price(amount: i64, currency: &str, interval: &str, count: i64, quantity: i64) -> Value {
    json!({ "amount": amount, "currency": currency, "interval": interval, "intervalCount": count,
        "quantity": quantity })
}

async fn subscribe(api: &Api, tenant: &Value, plan: &str, status: &str, price: Value) -> Answer {
    let body = json!({ "tenantId": tenant, "plan": plan, "status": status, "price": price });
    post(api, "/subscriptions", body).await
}

/// Deletes the subscriptions of the sample data, and asserts that no revenue is left.
async fn delete_subscriptions(api: &Api) {
    for subscription in api.get("/subscriptions?limit=200").send().await.is(200).each("id") {
        api.delete(format!("/subscriptions/{subscription}")).any_version().send().await.is(200);
    }
    let mrr = api.get("/subscriptions/mrr").send().await.is(200).body;
    assert_eq!(mrr, json!({ "total": {}, "byPlan": {}, "byPartner": {} }));
}

#[tokio::test]
async fn revenue_is_exact_and_rounded_once() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    delete_subscriptions(&api).await;
    let partner = post(&api, "/partners", json!({ "slug": "brings", "name": "Brings" })).await.is(201).body;
    assert_eq!((&partner["customers"], &partner["mrr"]), (&json!(0), &json!({})));
    let tenant = |slug: &str, partner: Option<&Value>| {
        let mut body = json!({ "slug": slug, "name": slug, "plan": "free" });
        if let Some(partner) = partner {
            body["partnerId"] = partner.clone();
        }
        let api = api.clone();
        async move { post(&api, "/tenants", body).await.is(201).body["id"].clone() }
    };
    let (one, two) = (tenant("one", Some(&partner["id"])).await, tenant("two", Some(&partner["id"])).await);
    let alone = tenant("alone", None).await;
    // 100 a year is 8 1/3 a month. Three of them make exactly 25; rounding each one would make 24.
    for tenant in [&one, &two, &alone] {
        subscribe(&api, tenant, "basic", "active", price(100, "eur", "year", 1, 1)).await.is(201);
    }
    // 700 a week: 52 × 700 / 12 = 3033 1/3.
    subscribe(&api, &one, "pro", "past_due", price(700, "eur", "week", 1, 1)).await.is(201);
    // 3 × 999 every two months: 1498.5, half to even: 1498.
    subscribe(&api, &alone, "pro", "active", price(999, "usd", "month", 2, 3)).await.is(201);
    // 10 a day: 365 × 10 / 12 = 304 1/6.
    subscribe(&api, &two, "basic", "active", price(10, "dkk", "day", 1, 1)).await.is(201);
    // Subscriptions in these states do not count.
    for status in ["trialing", "canceled", "unpaid", "paused", "incomplete", "something_new"] {
        subscribe(&api, &one, "pro", status, price(1_000_000, "eur", "month", 1, 1)).await.is(201);
    }
    let mrr = api.get("/subscriptions/mrr").send().await.is(200).body;
    let expected = json!({
        "total": { "DKK": 304, "EUR": 3058, "USD": 1498 },
        "byPlan": { "basic": { "DKK": 304, "EUR": 25 }, "pro": { "EUR": 3033, "USD": 1498 } },
        "byPartner": { "brings": { "DKK": 304, "EUR": 3050 } },
    });
    assert_eq!(mrr, expected);
    let row = api.get("/partners/brings").send().await.is(200).body;
    assert_eq!((&row["customers"], &row["mrr"]), (&json!(2), &expected["byPartner"]["brings"]));
    let rows = api.get("/partners").send().await.is(200);
    let listed = rows.items().iter().find(|row| row["slug"] == "brings").unwrap().clone();
    assert_eq!(listed, row);
}

#[tokio::test]
async fn a_sum_beyond_the_exact_range_is_an_error() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let acme = api.get("/tenants/acme").send().await.is(200).body["id"].clone();
    let largest = price(i64::MAX, "eur", "month", 1, 1);
    let made = subscribe(&api, &acme, "huge", "active", largest).await.is(201).body;
    assert_eq!(made["price"]["amount"], i64::MAX);
    api.get("/subscriptions").send().await.is(200);
    api.get("/subscriptions/mrr").send().await.refused(409, "mrr_overflow");
    api.get("/partners").send().await.refused(409, "mrr_overflow");
    api.get("/partners/nordlys").send().await.refused(409, "mrr_overflow");
    api.delete(format!("/subscriptions/{}", made["id"].as_str().unwrap())).any_version().send().await.is(200);
    api.get("/subscriptions/mrr").send().await.is(200);
}

#[tokio::test]
async fn subscriptions_are_created_changed_and_deleted() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let acme = api.get("/tenants/acme").send().await.is(200).body["id"].clone();
    let made = subscribe(&api, &acme, "business", "active", price(4_900, "eur", "month", 1, 2)).await.is(201);
    let path = made.header("location");
    assert_eq!(path, format!("/subscriptions/{}", made.body["id"].as_str().unwrap()));
    let read = api.get(&path).send().await.is(200);
    assert_eq!((read.etag(), &read.body), (made.etag(), &made.body));
    let newest = api.get("/subscriptions?tenant=acme&limit=1").send().await.is(200);
    assert_eq!(newest.items(), std::slice::from_ref(&made.body));
    assert!(api.get("/subscriptions?tenant=absent").send().await.is(200).items().is_empty());
    let change =
        json!({ "status": "canceled", "price": { "quantity": 3 }, "stripe": { "customerId": "cus_1" } });
    let changed = api.patch(&path).if_match(&made.etag()).json(change).send().await.is(200);
    assert_eq!(changed.body["price"], price(4_900, "EUR", "month", 1, 3));
    assert_eq!(
        (&changed.body["status"], &changed.body["stripe"]),
        (&json!("canceled"), &json!({ "customerId": "cus_1" }))
    );
    for (change, at, code) in [
        (json!({ "price": { "amount": -1 } }), "/price/amount", "invalid_number"),
        (json!({ "price": { "amount": 1.5 } }), "/price/amount", "invalid_number"),
        (json!({ "price": { "currency": "euro" } }), "/price/currency", "invalid_currency"),
        (json!({ "price": { "interval": "hour" } }), "/price/interval", "unknown_interval"),
        (json!({ "tenantId": acme }), "/tenantId", "unknown_field"),
        (json!({ "price": null }), "/price", "missing"),
    ] {
        api.patch(&path).any_version().json(change).send().await.refused(422, code).at(at);
    }
    let lost = subscribe(&api, &json!("absent"), "p", "active", price(1, "eur", "month", 1, 1)).await;
    lost.refused(422, "unknown_tenant").at("/tenantId");
    let gone = api.delete(&path).if_match(&changed.etag()).send().await.is(200);
    assert_eq!(gone.body, changed.body);
    api.get(&path).send().await.is(404);
    api.delete(&path).any_version().send().await.is(404);
    api.get("/subscriptions/not%20an%20id").send().await.is(404);
}

#[tokio::test]
async fn a_terminated_partner_keeps_its_tenants_and_gets_no_new_ones() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let before = api.get("/partners/nordlys").send().await.is(200);
    let own = api.get("/partners/nordlys/tenants").send().await.is(200);
    assert_eq!(before.body["customers"], own.items().len());
    assert!(own.items().iter().all(|tenant| tenant["partnerId"] == before.body["id"]));
    let gone = api.delete("/partners/nordlys").if_match(&before.etag()).send().await.is(200);
    assert_eq!(
        (&gone.body["status"], &gone.body["customers"]),
        (&json!("terminated"), &before.body["customers"])
    );
    api.delete("/partners/nordlys").any_version().send().await.refused(409, "invalid_transition");
    let still = api.get("/partners/nordlys/tenants").send().await.is(200);
    assert_eq!(still.each("slug"), own.each("slug"));
    let body = json!({ "slug": "late", "name": "Late", "plan": "free", "partnerId": before.body["id"] });
    post(&api, "/tenants", body).await.refused(422, "unknown_partner").at("/partnerId");
    // Its tenants can still change, and can leave it.
    let slug = own.each("slug")[0].to_owned();
    let path = format!("/tenants/{slug}");
    api.patch(&path).any_version().json(json!({ "name": "Renamed" })).send().await.is(200);
    api.patch(&path).any_version().json(json!({ "partnerId": null })).send().await.is(200);
    let back = api.patch(&path).any_version().json(json!({ "partnerId": before.body["id"] })).send().await;
    back.refused(422, "unknown_partner");
    post(&api, "/partners", json!({ "slug": "nordlys", "name": "Again" }))
        .await
        .refused(409, "taken")
        .at("/slug");
}

#[tokio::test]
async fn partners_have_all_their_members_and_an_exact_margin() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let body = json!({
        "slug": "margin", "name": "Margin", "domain": "Margin.example", "marginPct": 12.25,
        "contactInfo": { "name": "Kim", "email": "Kim@Margin.example", "phone": "+45 1" },
        "billingInfo": { "companyName": "M" },
    });
    let made = post(&api, "/partners", body).await.is(201);
    assert_eq!((&made.body["marginPct"], &made.body["domain"]), (&json!(12.25), &json!("margin.example")));
    assert_eq!(made.body["contactInfo"]["email"], "kim@margin.example");
    let read = api.get("/partners/margin").send().await.is(200);
    assert_eq!((read.etag(), &read.body), (made.etag(), &made.body));
    let patch = |change: Value| api.patch("/partners/margin").any_version().json(change);
    patch(json!({ "marginPct": 100.5 })).send().await.refused(422, "invalid_pct").at("/marginPct");
    patch(json!({ "marginPct": 1.005 })).send().await.refused(422, "pct_precision").at("/marginPct");
    let changed = patch(json!({ "marginPct": null, "domain": null, "contactInfo": { "phone": null } }));
    let changed = changed.send().await.is(200).body;
    assert_eq!((changed["marginPct"].as_f64(), changed.get("domain")), (Some(0.0), None));
    assert_eq!(changed["contactInfo"], json!({ "name": "Kim", "email": "kim@margin.example" }));
}
