//! The evaluation of flags in every state, as each kind of caller receives it.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{SERVER, bulk, create_flag, single};
use crate::support::Api;

/// The value, the reason and the further metadata of an evaluation.
type Expected = (bool, &'static str, Value);

/// Creates flags in every state, for a tenant of this plan and partner.
async fn create_flags(operator: &Api, plan: &str, partner: &str) {
    let everyone = || json!({});
    create_flag(operator, "m_off", "off", 0.0, everyone()).await;
    create_flag(operator, "m_off_with_scope", "off", 30.0, json!({ "plans": ["free"] })).await;
    create_flag(operator, "m_killed", "rollout", 100.0, json!({ "plans": [plan] })).await;
    operator.post("/flags/m_killed/kill").any_version().send().await.is(200);
    create_flag(operator, "m_back", "on", 0.0, everyone()).await;
    operator.post("/flags/m_back/kill").any_version().send().await.is(200);
    operator.patch("/flags/m_back").any_version().json(json!({ "state": "on" })).send().await.is(200);
    operator.patch("/flags/m_back").any_version().json(json!({ "state": "off" })).send().await.is(200);
    create_flag(operator, "m_on", "on", 0.0, everyone()).await;
    create_flag(operator, "m_on_elsewhere", "on", 0.0, json!({ "tenantSlugs": ["globex"] })).await;
    create_flag(operator, "m_plan", "targeted", 0.0, json!({ "plans": ["free", plan] })).await;
    create_flag(operator, "m_tenant", "targeted", 0.0, json!({ "tenantSlugs": ["acme", "globex"] })).await;
    create_flag(operator, "m_partner", "targeted", 0.0, json!({ "partnerSlugs": [partner] })).await;
    create_flag(operator, "m_environment", "targeted", 0.0, json!({ "environments": ["production"] })).await;
    create_flag(
        operator,
        "m_all_axes",
        "targeted",
        0.0,
        json!({ "environments": ["production"], "tenantSlugs": ["acme"] }),
    )
    .await;
    create_flag(operator, "m_nobody", "targeted", 0.0, everyone()).await;
    create_flag(
        operator,
        "m_no_plan",
        "targeted",
        0.0,
        json!({ "plans": ["none"], "tenantSlugs": ["acme"] }),
    )
    .await;
    create_flag(
        operator,
        "m_no_tenant",
        "targeted",
        0.0,
        json!({ "plans": [plan], "tenantSlugs": ["globex"] }),
    )
    .await;
    create_flag(operator, "m_no_partner", "targeted", 0.0, json!({ "partnerSlugs": ["nobody"] })).await;
    create_flag(operator, "m_no_environment", "rollout", 100.0, json!({ "environments": ["staging"] })).await;
    create_flag(operator, "m_in", "rollout", 100.0, everyone()).await;
    create_flag(operator, "m_out", "rollout", 0.0, json!({ "tenantSlugs": ["acme"] })).await;
    create_flag(operator, "m_fraction", "rollout", 33.25, everyone()).await;
}

/// The rollout position of the tenant, computed independently of core: the hash modulo 10,000, with
/// its last two digits as the whole part and the two before as hundredths.
fn bucket(id: &str, key: &str) -> f64 {
    let hash = Sha256::digest(format!("{id}:{key}").as_bytes());
    let position = hash.iter().fold(0_u64, |rest, byte| (rest * 256 + u64::from(*byte)) % 10_000);
    (position % 100 * 100 + position / 100) as f64 / 100.0
}

/// The expected evaluation of each flag for the tenant with this id.
fn expected(id: &str) -> [(&'static str, Expected); 19] {
    let rollout = |key: &str, pct: f64| json!({ "bucket": bucket(id, key), "pct": pct });
    let fraction = (bucket(id, "m_fraction") < 33.25, "SPLIT", rollout("m_fraction", 33.25));
    [
        ("m_off", (false, "DISABLED", json!({}))),
        ("m_off_with_scope", (false, "DISABLED", json!({}))),
        ("m_killed", (false, "DISABLED", json!({ "killSwitch": true }))),
        ("m_back", (false, "DISABLED", json!({}))),
        ("m_on", (true, "STATIC", json!({}))),
        ("m_on_elsewhere", (true, "STATIC", json!({}))),
        ("m_plan", (true, "TARGETING_MATCH", json!({ "axis": "plan" }))),
        ("m_tenant", (true, "TARGETING_MATCH", json!({ "axis": "tenantSlug" }))),
        ("m_partner", (true, "TARGETING_MATCH", json!({ "axis": "partnerSlug" }))),
        ("m_environment", (true, "TARGETING_MATCH", json!({ "axis": "environment" }))),
        ("m_all_axes", (true, "TARGETING_MATCH", json!({ "axis": "tenantSlug" }))),
        ("m_nobody", (false, "DEFAULT", json!({}))),
        ("m_no_plan", (false, "DEFAULT", json!({ "missedAxis": "plans" }))),
        ("m_no_tenant", (false, "DEFAULT", json!({ "missedAxis": "tenantSlugs" }))),
        ("m_no_partner", (false, "DEFAULT", json!({ "missedAxis": "partnerSlugs" }))),
        ("m_no_environment", (false, "DEFAULT", json!({ "missedAxis": "environments" }))),
        ("m_in", (true, "SPLIT", rollout("m_in", 100.0))),
        ("m_out", (false, "SPLIT", rollout("m_out", 0.0))),
        ("m_fraction", fraction),
    ]
}

/// Asserts that metadata has these members and no others; numbers compare by value.
fn assert_metadata(key: &str, mut metadata: Value, version: &str, id: &str, extras: &Value) {
    let members = metadata.as_object_mut().unwrap();
    let mut taken = |name: &str| members.remove(name).unwrap();
    assert_eq!(taken("version"), version, "{key}");
    assert_eq!((taken("flagSetId"), taken("contextId")), (json!("production"), json!(id)));
    assert_eq!(members.len(), extras.as_object().unwrap().len(), "{key}: {members:?}");
    for (name, extra) in extras.as_object().unwrap() {
        let given = &members[name];
        let is_same_number = given.as_f64().is_some() && given.as_f64() == extra.as_f64();
        assert!(given == extra || is_same_number, "{key}: {given}");
    }
}

#[tokio::test]
async fn every_state_maps_to_its_reason_and_metadata() {
    let operator = Api::sign_in(&SERVER, "operator").await;
    let acme = operator.get("/tenants/acme").send().await.is(200).body;
    let partners = operator.get("/partners").send().await.is(200);
    let partner = partners.items().iter().find(|partner| partner["id"] == acme["partnerId"]).unwrap();
    let (id, plan) = (acme["id"].as_str().unwrap(), acme["plan"].as_str().unwrap());
    create_flags(&operator, plan, partner["slug"].as_str().unwrap()).await;
    let server_key = Api::with_key(&SERVER, &SERVER.server_key().await).await;
    let tenant_key = Api::with_key(&SERVER, &SERVER.tenant_key("acme").await).await;
    let member = Api::sign_in(&SERVER, "member").await;
    for (caller, api, document) in [
        ("a server key", &server_key, "/flags/snapshot"),
        ("a tenant key", &tenant_key, "/flags/slice?tenant=acme"),
        ("a member", &member, "/flags/slice?tenant=acme"),
    ] {
        let version = format!("rev-{}", api.get(document).send().await.is(200).body["revision"]);
        let all = bulk(api, "acme").await;
        assert_eq!(all.body["metadata"]["version"], *version);
        for (key, (value, reason, extras)) in expected(id) {
            let one = single(api, key, "acme").await;
            assert_eq!(single(api, key, id).await, one, "the tenant's id differs from its slug");
            let listed = all.body["flags"].as_array().unwrap().iter().find(|flag| flag["key"] == key);
            assert_eq!(listed, Some(&one), "{key}, {caller}");
            assert_eq!((&one["value"], &one["reason"]), (&json!(value), &json!(reason)), "{key}");
            assert_metadata(key, one["metadata"].clone(), &version, id, &extras);
        }
    }
}
