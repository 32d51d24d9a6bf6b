//! Machine keys of other environments than the server's own.

use dezky_core::flags::{Ruleset, Snapshot, Subject};
use serde_json::json;

use super::{SERVER, operator};
use crate::support::Api;

#[tokio::test]
async fn a_key_evaluates_in_its_own_environment() {
    let api = operator().await;
    let scope = json!({ "environments": ["staging"] });
    api.post("/flags")
        .json(json!({ "key": "in_staging", "state": "targeted", "scope": scope }))
        .send()
        .await
        .is(201);
    let body = json!({ "name": "Staging", "kind": "server", "environment": "staging" });
    let staging = Api::with_key(&SERVER, &SERVER.create_key(body).await.1).await;
    let production = Api::with_key(&SERVER, &SERVER.server_key().await).await;
    let body = json!({ "name": "Acme's", "kind": "tenant", "tenantSlug": "acme", "environment": "staging" });
    let tenant = Api::with_key(&SERVER, &SERVER.create_key(body).await.1).await;
    for (key, environment, is_on) in
        [(&staging, "staging", true), (&production, "production", false), (&tenant, "staging", true)]
    {
        if key.get("/flags/snapshot").send().await.status == 200 {
            let answer = key.get("/flags/snapshot").send().await.is(200);
            assert_eq!(answer.body["environment"], environment);
        }
        let slice = key.get("/flags/slice?tenant=acme").send().await.is(200);
        assert_eq!(slice.body["environment"], environment);
        let rules = Ruleset::new(Snapshot::from_json(&slice.bytes).unwrap());
        let acme = api.get("/tenants/acme").send().await.is(200).body;
        let subject = Subject::new(acme["id"].as_str().unwrap(), "acme", acme["plan"].as_str().unwrap());
        assert_eq!(rules.is_enabled("in_staging", &subject.unwrap()), is_on);
        let context = json!({ "context": { "targetingKey": "acme" } });
        let one = key.post("/ofrep/v1/evaluate/flags/in_staging").json(context).send().await.is(200).body;
        assert_eq!((&one["value"], &one["metadata"]["flagSetId"]), (&json!(is_on), &json!(environment)));
        let plain = key.post("/flags/evaluate").json(json!({ "tenantSlug": "acme" })).send().await.is(200);
        assert_eq!(plain.body["in_staging"], is_on, "{environment}");
        for named in ["staging", "production"] {
            let context = json!({ "context": { "targetingKey": "acme", "environment": named } });
            let answer = key.post("/ofrep/v1/evaluate/flags").json(context).send().await;
            match named == environment {
                true => drop(answer.is(200)),
                false => drop(answer.refused(400, "INVALID_CONTEXT")),
            }
        }
    }
    let (one, other) =
        (staging.get("/flags/snapshot").send().await, production.get("/flags/snapshot").send().await);
    assert_ne!(one.etag(), other.etag());
    assert_eq!(one.body["flags"], other.body["flags"]);
}
