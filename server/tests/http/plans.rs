//! Plans: the predicted effect of edits, and writes that depend on an effect.

use dezky_core::flags::{in_rollout, rollout_position};
use dezky_core::names::Percent;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

/// Plans these edits over HTTP.
async fn plan_edits(api: &Api, edits: Value) -> Value {
    api.post("/flags/plan").json(json!({ "edits": edits })).send().await.is(200).body
}

async fn patch(api: &Api, key: &str, change: Value) -> Answer {
    api.patch(format!("/flags/{key}")).any_version().json(change).send().await
}

async fn tenants(api: &Api) -> Vec<Value> {
    api.get("/tenants?limit=200").send().await.is(200).items().to_vec()
}

fn ids(pairs: &Value) -> Vec<&str> {
    pairs.as_array().unwrap().iter().map(|pair| pair["tenantId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_plan_names_exactly_the_tenants_that_gain_and_lose() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let tenants = tenants(&api).await;
    let of_plan = |plan: &str| {
        let mut ids: Vec<&str> = tenants
            .iter()
            .filter(|tenant| tenant["plan"] == plan)
            .map(|tenant| tenant["id"].as_str().unwrap())
            .collect();
        ids.sort_unstable();
        ids
    };
    let flag = json!({ "key": "exact", "state": "targeted", "scope": { "plans": ["business"] } });
    api.post("/flags").json(flag).send().await.is(201);
    let edit = |plan: &str| {
        json!([{ "kind": "putFlag",
            "flag": { "key": "exact", "state": "targeted", "scope": { "plans": [plan] } } }])
    };
    let plan = plan_edits(&api, edit("free")).await;
    assert_eq!((ids(&plan["gained"]), ids(&plan["lost"])), (of_plan("free"), of_plan("business")));
    let (free, business) = (of_plan("free").len(), of_plan("business").len());
    let by_plan = json!([{ "plan": "business", "gained": 0, "lost": business },
        { "plan": "free", "gained": free, "lost": 0 }]);
    assert_eq!(plan["byPlan"], by_plan);
    let sum = |side: &str| -> u64 {
        plan["byPartner"].as_array().unwrap().iter().map(|total| total[side].as_u64().unwrap()).sum()
    };
    assert_eq!((sum("gained"), sum("lost")), (free as u64, business as u64));
    let nothing = plan_edits(&api, edit("business")).await;
    assert_eq!((&nothing["gained"], &nothing["lost"]), (&json!([]), &json!([])));
    let moved = plan_edits(
        &api,
        json!([{ "kind": "moveTenant", "tenantId": of_plan("free")[0], "plan": "business" }]),
    )
    .await;
    let gained = moved["gained"].as_array().unwrap();
    assert!(gained.iter().any(|pair| pair["key"] == "exact"));
    let gone = plan_edits(&api, json!([{ "kind": "deleteFlag", "key": "exact" }])).await;
    assert_eq!((ids(&gone["lost"]), ids(&gone["gained"])), (of_plan("business"), vec![]));
    // A plan changes nothing.
    let still = api.get("/flags/exact").send().await.is(200).body;
    assert_eq!((&still["version"], &still["scope"]["plans"]), (&json!(1), &json!(["business"])));
}

#[tokio::test]
async fn a_plan_of_unknown_records_and_edits_is_refused() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    for (edits, code) in [
        (json!([{ "kind": "deleteFlag", "key": "absent" }]), "unknown_flag"),
        (json!([{ "kind": "moveTenant", "tenantId": "absent", "plan": "x" }]), "unknown_tenant"),
        (json!([{ "kind": "rename" }]), "unknown_edit"),
    ] {
        let answer = api.post("/flags/plan").json(json!({ "edits": edits })).send().await;
        answer.refused(422, code);
    }
}

#[tokio::test]
async fn a_write_with_a_digest_has_the_planned_effect_or_is_refused() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    api.post("/flags").json(json!({ "key": "promised", "state": "off" })).send().await.is(201);
    let flag = json!({ "key": "promised", "state": "targeted", "scope": { "plans": ["business"] } });
    let edit = json!([{ "kind": "putFlag", "flag": flag }]);
    let change = |digest: &Value| json!({ "state": "targeted", "scope": { "plans": ["business"] }, "planDigest": digest });
    let first = plan_edits(&api, edit.clone()).await;
    // A new tenant of the plan changes the effect.
    let body = json!({ "slug": "joined", "name": "Joined", "plan": "business" });
    let joined = api.post("/tenants").json(body).send().await.is(201).body;
    let refused = patch(&api, "promised", change(&first["digest"])).await.refused(409, "effect_changed");
    let refused = refused.at("/planDigest");
    let now = plan_edits(&api, edit.clone()).await;
    assert_eq!(refused.body["plan"], now);
    assert!(ids(&now["gained"]).contains(&joined["id"].as_str().unwrap()));
    assert_ne!(now["digest"], first["digest"]);
    let still = api.get("/flags/promised").send().await.is(200).body;
    assert_eq!((&still["state"], &still["version"]), (&json!("off"), &json!(1)));
    // Another flag, a tenant of another plan and a new name do not change the effect.
    patch(&api, "search_across_apps", json!({ "state": "on" })).await.is(200);
    let body = json!({ "slug": "far-away", "name": "Far Away", "plan": "free" });
    api.post("/tenants").json(body).send().await.is(201);
    api.patch("/tenants/acme").any_version().json(json!({ "name": "Renamed" })).send().await.is(200);
    let later = plan_edits(&api, edit.clone()).await;
    assert_eq!(later["digest"], now["digest"]);
    assert!(later["baseRevision"].as_u64() > now["baseRevision"].as_u64());
    let saved = patch(&api, "promised", change(&now["digest"])).await.is(200).body;
    assert_eq!((&saved["state"], &saved["version"]), (&json!("targeted"), &json!(2)));
    assert!(saved.get("planDigest").is_none());
    patch(&api, "promised", json!({ "state": "on", "planDigest": 7 }))
        .await
        .refused(422, "wrong_type")
        .at("/planDigest");
    // The digest of another edit does not fit this one.
    let other =
        plan_edits(&api, json!([{ "kind": "putFlag", "flag": { "key": "promised", "state": "off" } }])).await;
    let answer = patch(&api, "promised", json!({ "state": "on", "planDigest": other["digest"] })).await;
    answer.refused(409, "effect_changed");
    // Without a digest, nothing is compared.
    patch(&api, "promised", json!({ "state": "on", "planDigest": null })).await.is(200);
}

/// A planned patch has the effect of the same PATCH, so PATCH accepts its digest.
#[tokio::test]
async fn a_planned_patch_has_the_effect_of_the_same_patch() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let scope = json!({ "plans": ["business"], "partnerSlugs": ["nordic"] });
    let flag = json!({ "key": "partial", "state": "targeted", "pct": 12.5, "scope": scope });
    api.post("/flags").json(flag).send().await.is(201);
    for (round, change) in [
        json!({ "scope": { "plans": ["free", "business"] } }),
        json!({ "state": "rollout", "pct": 50 }),
        json!({ "scope": { "partnerSlugs": null } }),
        json!({ "description": "Only people read this." }),
        json!({ "pct": null }),
        json!({ "scope": null }),
        json!({}),
    ]
    .into_iter()
    .enumerate()
    {
        let step = json!({ "kind": "patchFlag", "key": "partial", "patch": change });
        let plan = plan_edits(&api, json!([step])).await;
        let mut promised = change.clone();
        promised["planDigest"] = plan["digest"].clone();
        // The body of a PATCH can be planned unchanged, with its digest.
        let again = json!([{ "kind": "patchFlag", "key": "partial", "patch": promised }]);
        assert_eq!(plan_edits(&api, again).await, plan, "{change}");
        let saved = patch(&api, "partial", promised).await.is(200).body;
        let mut whole = json!({ "key": "partial" });
        for member in ["state", "pct", "scope"] {
            whole[member] = saved[member].clone();
        }
        let put = plan_edits(&api, json!([{ "kind": "putFlag", "flag": whole }])).await;
        assert_eq!((&put["gained"], &put["lost"]), (&json!([]), &json!([])), "{round}: {change}");
    }
    let body = api.get("/flags/partial").send().await.is(200).body;
    let empty = json!({ "plans": [], "tenantSlugs": [], "partnerSlugs": [], "environments": [] });
    assert_eq!((&body["state"], &body["pct"], &body["scope"]), (&json!("rollout"), &json!(0), &empty));
    for (change, code, path) in [
        (json!({ "state": null }), "missing", "/state"),
        (json!({ "pct": "25" }), "wrong_type", "/pct"),
        (json!({ "scope": { "plan": ["free"] } }), "unknown_field", "/scope/plan"),
        (json!({ "stat": "on" }), "unknown_field", "/stat"),
        (json!({ "planDigest": 7 }), "wrong_type", "/planDigest"),
    ] {
        patch(&api, "partial", change.clone()).await.refused(422, code).at(path);
        let edits = json!({ "edits": [{ "kind": "patchFlag", "key": "partial", "patch": change }] });
        let refused = api.post("/flags/plan").json(edits).send().await.refused(422, code);
        refused.at(&format!("/edits/0/patch{path}"));
    }
}

/// During other writes too, a write with a digest has the planned effect or none.
#[tokio::test]
async fn a_write_with_a_digest_holds_during_other_writes() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    for round in 0..6 {
        let key = format!("busy-{round}");
        api.post("/flags").json(json!({ "key": key, "state": "off" })).send().await.is(201);
        let edit = json!([{ "kind": "putFlag", "flag": { "key": key, "state": "on" } }]);
        let plan = plan_edits(&api, edit).await;
        let change = json!({ "state": "on", "planDigest": plan["digest"] });
        let joins = (0..4).map(|number| {
            let slug = format!("busy-{round}-{number}");
            api.post("/tenants").json(json!({ "slug": slug, "name": "B", "plan": "free" })).send()
        });
        let path = format!("/flags/{key}");
        let (saved, joined) = tokio::join!(
            api.patch(path).any_version().json(change).send(),
            futures_util::future::join_all(joins)
        );
        joined.into_iter().for_each(|answer| drop(answer.is(201)));
        let log = api.get("/audit?limit=200").send().await.is(200);
        let base = plan["baseRevision"].as_u64().unwrap();
        // The changes since the plan, oldest first.
        let since: Vec<&Value> =
            log.items().iter().rev().filter(|change| change["revision"].as_u64().unwrap() > base).collect();
        let update = since.iter().position(|change| change["action"] == "flag.update");
        match saved.status {
            200 => assert_eq!(update, Some(0), "a tenant joined before the write"),
            _ => assert_eq!((saved.refused(409, "effect_changed").status, update), (409, None)),
        }
    }
}

#[tokio::test]
async fn the_ladder_lists_the_tenants_of_the_rollout_in_order() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    api.delete("/tenants/wonka").any_version().send().await.is(200);
    let flag = json!({ "key": "ladder", "state": "rollout", "pct": 50, "scope": { "plans": ["business"] } });
    api.post("/flags").json(flag).send().await.is(201);
    let ladder = api.get("/flags/ladder/ladder").send().await.is(200).body;
    let steps = ladder["steps"].as_array().unwrap();
    let mut expected: Vec<(u16, String)> = tenants(&api)
        .await
        .iter()
        .filter(|tenant| tenant["plan"] == "business" && tenant["status"] != "terminated")
        .map(|tenant| tenant["id"].as_str().unwrap().to_owned())
        .map(|id| (rollout_position(&id, "ladder"), id))
        .collect();
    expected.sort();
    let given: Vec<(u16, String)> = steps
        .iter()
        .map(|step| {
            let hundredths = (step["position"].as_f64().unwrap() * 100.0).round() as u16;
            assert!((step["pct"].as_f64().unwrap() * 100.0).round() as u16 == hundredths + 1);
            (hundredths, step["tenantId"].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(given, expected);
    assert!(!given.is_empty());
    let half = Percent::whole(50).unwrap();
    let on = expected.iter().filter(|(_, id)| in_rollout(id, "ladder", half)).count();
    let counts = api.get("/flags/ladder/counts").send().await.is(200).body;
    let registered = tenants(&api).await.iter().filter(|tenant| tenant["status"] != "terminated").count();
    assert_eq!(counts, json!({ "on": on, "inScope": expected.len(), "registered": registered }));
    for (number, step) in steps.iter().enumerate() {
        patch(&api, "ladder", json!({ "pct": step["pct"] })).await.is(200);
        let counts = api.get("/flags/ladder/counts").send().await.is(200).body;
        let ties = steps.iter().filter(|other| other["position"] == step["position"]).count();
        assert!((number + 1..=number + ties).contains(&(counts["on"].as_u64().unwrap() as usize)));
    }
    for view in ["ladder", "counts"] {
        api.get(format!("/flags/absent/{view}")).send().await.refused(404, "not_found");
    }
}
