//! Slices: the part of a snapshot that one tenant's decisions depend on.

use dezky_core::flags::{Ruleset, Subject};
use serde_json::json;

use super::{SERVER, document};
use crate::support::{Api, Server};

/// Creates flags whose scopes name tenants, partners, plans and environments.
async fn create_scoped_flags(operator: &Api) {
    for (number, scope) in [
        json!({ "tenantSlugs": ["acme", "globex"] }),
        json!({ "partnerSlugs": ["nordlys"], "plans": ["business"] }),
        json!({ "partnerSlugs": ["lumen"] }),
        json!({ "plans": ["enterprise", "free"], "environments": ["production"] }),
    ]
    .iter()
    .enumerate()
    {
        for (state, pct) in [("targeted", 0), ("rollout", 40)] {
            let body =
                json!({ "key": format!("s{number}-{state}"), "state": state, "pct": pct, "scope": scope });
            operator.post("/flags").json(body).send().await.is(201);
        }
    }
}

#[tokio::test]
async fn a_slice_evaluates_its_tenant_like_the_snapshot_and_names_no_other() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    create_scoped_flags(&operator).await;
    let snapshot = Ruleset::new(document(&operator.get("/flags/snapshot").send().await.is(200)));
    let tenants = operator.get("/tenants?limit=200&status=active").send().await.is(200);
    let partners = operator.get("/partners").send().await.is(200);
    for tenant in tenants.items() {
        let text = |member: &str| tenant[member].as_str().unwrap();
        let answer = operator.get(format!("/flags/slice?tenant={}", text("slug"))).send().await.is(200);
        let slice = Ruleset::new(document(&answer));
        let subject = Subject::new(text("id"), text("slug"), text("plan")).unwrap();
        let partner = partners.items().iter().find(|partner| partner["id"] == tenant["partnerId"]);
        let subject = match partner {
            Some(partner) => subject.with_partner(partner["slug"].as_str().unwrap()).unwrap(),
            None => subject,
        };
        assert_eq!(slice.keys().collect::<Vec<_>>(), snapshot.keys().collect::<Vec<_>>());
        for key in snapshot.keys() {
            assert_eq!(
                slice.explain(key, &subject),
                snapshot.explain(key, &subject),
                "{key} for {}",
                text("slug")
            );
        }
        assert_eq!(slice.fingerprint(&[subject]), snapshot.fingerprint(&[subject]));
        for other in tenants.items().iter().filter(|other| *other != tenant) {
            assert!(
                !answer.text.contains(&format!("\"{}\"", other["slug"].as_str().unwrap())),
                "{}",
                answer.text
            );
        }
        assert!(partners.items().iter().all(|one| !answer.text.contains(one["slug"].as_str().unwrap())));
    }
    assert!(tenants.items().len() > 10);
    operator.get("/flags/slice").send().await.refused(400, "missing").at("?tenant");
    operator.get("/flags/slice?tenant=absent").send().await.refused(404, "not_found");
}

#[tokio::test]
async fn the_slug_that_stands_for_others_in_slices_is_reserved() {
    let operator = Api::sign_in(&SERVER, "operator").await;
    for path in ["/tenants", "/partners"] {
        let body = json!({ "slug": "elsewhere", "name": "E", "plan": "free" });
        let body = if path == "/partners" { json!({ "slug": "elsewhere", "name": "E" }) } else { body };
        operator.post(path).json(body).send().await.refused(422, "reserved_slug").at("/slug");
    }
}
