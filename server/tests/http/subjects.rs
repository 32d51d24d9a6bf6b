//! Subjects: the documents about tenants that clients evaluate flags with.

use std::time::{Duration, Instant};

use dezky_core::flags::{Ruleset, Snapshot, SubjectDocument};
use serde_json::{Value, json};

use crate::support::{Api, Server};

const ACME: &str = "/tenants/acme/subject";

async fn change_record(operator: &Api, path: &str, change: Value) -> Value {
    operator.patch(path).any_version().json(change).send().await.is(200).body
}

/// The server's own decisions for acme, which its subject must lead to.
async fn decisions(api: &Api) -> Value {
    api.post("/flags/evaluate").json(json!({ "tenantSlug": "acme" })).send().await.is(200).body
}

#[tokio::test]
async fn a_subject_leads_to_the_decisions_of_the_server() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let own = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let member = Api::sign_in(&server, "member").await;
    let body = json!({ "key": "for_partner", "state": "targeted", "scope": { "partnerSlugs": ["lumen"] } });
    operator.post("/flags").json(body).send().await.is(201);
    let lumen = operator.get("/partners/lumen").send().await.is(200).body["id"].clone();
    let acme = operator.get("/tenants/acme").send().await.is(200).body["id"].clone();
    for (change, partner) in [
        (json!({ "partnerId": lumen, "plan": "enterprise" }), Some("lumen")),
        (json!({ "partnerId": null, "plan": "free" }), None),
    ] {
        change_record(&operator, "/tenants/acme", change.clone()).await;
        let mut expected = json!({ "tenantId": acme, "tenantSlug": "acme", "plan": change["plan"] });
        if let Some(partner) = partner {
            expected["partnerSlug"] = partner.into();
        }
        for api in [&operator, &fleet, &own, &member] {
            let answer = api.get(ACME).send().await.is(200);
            assert_eq!(answer.body, expected);
            let subject = SubjectDocument::from_json(answer.text.as_bytes()).unwrap();
            let rules = fleet.get("/flags/snapshot").send().await.is(200).text;
            let rules = Snapshot::from_json(rules.as_bytes()).unwrap();
            let rules = Ruleset::new(rules);
            let decisions = decisions(&fleet).await;
            for (key, enabled) in rules.evaluate_all(&subject.subject()).iter() {
                assert_eq!(decisions[key], enabled, "{key}");
            }
            assert_eq!(decisions["for_partner"], partner.is_some());
        }
        let me = member.get("/users/me").send().await.is(200).body;
        assert_eq!(me["subjects"], json!([expected]));
    }
    operator.delete("/tenants/acme").any_version().send().await.is(200);
    member.get(ACME).send().await.refused(404, "not_found");
    operator.get(ACME).send().await.refused(403, "denied_tenant_terminated");
    assert_eq!(member.get("/users/me").send().await.is(200).body["subjects"], json!([]));
}

#[tokio::test]
async fn a_subject_keeps_its_etag_until_it_changes() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let first = fleet.get(ACME).send().await.is(200);
    let again = async || fleet.get(ACME).header("if-none-match", first.etag()).send().await;
    again().await.is(304);
    change_record(&operator, "/tenants/globex", json!({ "plan": "free" })).await;
    change_record(&operator, "/tenants/acme", json!({ "name": "Another name" })).await;
    again().await.is(304);
    change_record(&operator, "/tenants/acme", json!({ "plan": "free" })).await;
    assert_ne!(again().await.is(200).etag(), first.etag());
}

#[tokio::test]
async fn all_subjects_are_listed_in_pages() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    operator.delete("/tenants/globex").any_version().send().await.is(200);
    let tenants = operator.get("/tenants?limit=200").send().await.is(200);
    let live: Vec<&str> = tenants
        .items()
        .iter()
        .filter(|tenant| tenant["status"] != "terminated")
        .map(|tenant| tenant["slug"].as_str().unwrap())
        .collect();
    let (mut slugs, mut next) = (Vec::new(), String::new());
    loop {
        let path = format!("/subjects?limit=3{next}");
        let page = fleet.get(&path).send().await.is(200);
        fleet.get(&path).header("if-none-match", page.etag()).send().await.is(304);
        for subject in page.items() {
            let slug = subject["tenantSlug"].as_str().unwrap().to_owned();
            let one = fleet.get(format!("/tenants/{slug}/subject")).send().await.is(200);
            assert_eq!(one.body, *subject);
            slugs.push(slug);
        }
        let snapshot = fleet.get("/flags/snapshot").send().await.is(200);
        assert_eq!(page.header("dezky-population"), snapshot.header("dezky-population"));
        match page.body["nextCursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(slugs, live);
}

/// The stream of a server key announces changes of subjects, about once a second at most.
#[tokio::test]
async fn a_stream_announces_changes_of_the_population() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let mut stream = fleet.get("/flags/stream").open().await;
    let (_, first) = stream.next().await;
    let started = Instant::now();
    let mut last = Value::Null;
    for number in 0..30 {
        let plan = if number % 2 == 0 { "free" } else { "business" };
        change_record(&operator, "/tenants/acme", json!({ "plan": plan })).await;
        change_record(&operator, "/partners/lumen", json!({ "name": format!("Lumen {number}") })).await;
        last = fleet.get("/flags/snapshot").send().await.is(200).header("dezky-population").into();
    }
    let (mut events, mut data) = (0, first.clone());
    while data["population"].as_u64().map(|number| number.to_string()).as_deref() != last.as_str() {
        let (_, next) = stream.next().await;
        assert!(next["population"].as_u64() > data["population"].as_u64(), "{next} after {data}");
        assert_eq!((&next["revision"], &next["digest"]), (&first["revision"], &first["digest"]));
        (events, data) = (events + 1, next);
    }
    let most = started.elapsed().as_secs() + 2;
    assert!((1..=most).contains(&events), "{events} events in {:?}", started.elapsed());
    // A sign-in does not change the population, and no event is repeated.
    operator.get("/users/me").send().await.is(200);
    stream.stays_silent(Duration::from_millis(1_200)).await;
}

/// Clients of a tenant follow its slice alone, so every change of the subject raises its revision.
#[tokio::test]
async fn a_slice_changes_with_its_subject_even_if_no_flag_does() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let own = Api::with_key(&server, &server.tenant_key("acme").await).await;
    // Without flags, the plan and the partner do not show in the slice.
    for flag in operator.get("/flags?limit=200").send().await.is(200).each("key") {
        operator.delete(format!("/flags/{flag}")).any_version().send().await.is(200);
    }
    let lumen = operator.get("/partners/lumen").send().await.is(200).body["id"].clone();
    let mut stream = own.get("/flags/slice/stream?tenant=acme").open().await;
    let (mut revision, data) = stream.next().await;
    assert_eq!(data.get("population"), None);
    for change in [json!({ "plan": "moved" }), json!({ "partnerId": lumen }), json!({ "partnerId": null })] {
        let before = own.get("/flags/slice?tenant=acme").send().await.is(200);
        assert_eq!(before.headers.get("dezky-population"), None);
        change_record(&operator, "/tenants/acme", change).await;
        let (next, data) = stream.next().await;
        let after = own.get("/flags/slice?tenant=acme").send().await.is(200);
        assert!(next > revision && after.body["revision"] == next, "{data}");
        assert_ne!(before.etag(), after.etag());
        assert_eq!(after.etag(), format!("\"{}\"", data["digest"].as_str().unwrap()));
        revision = next;
    }
    change_record(&operator, "/tenants/globex", json!({ "plan": "moved" })).await;
    stream.stays_silent(Duration::from_millis(300)).await;
}
