//! Errors of evaluations, in the format and with the codes of OFREP.

use serde_json::json;

use super::{BULK, SERVER, context};
use crate::support::Api;

/// The path of the evaluation of one flag.
const ONE: &str = "/ofrep/v1/evaluate/flags/meetings_e2ee";

async fn server_key() -> Api {
    Api::with_key(&SERVER, &SERVER.server_key().await).await
}

/// Creates the tenant `ended` and terminates it.
async fn terminate_a_tenant(operator: &Api) {
    let body = json!({ "slug": "ended", "name": "E", "plan": "free" });
    operator.post("/tenants").json(body).send().await;
    operator.delete("/tenants/ended").any_version().send().await;
    let ended = operator.get("/tenants/ended").send().await.is(200);
    assert_eq!(ended.body["status"], "terminated");
}

#[tokio::test]
async fn unreadable_bodies_and_contexts_are_ofrep_errors() {
    let server_key = server_key().await;
    terminate_a_tenant(&Api::sign_in(&SERVER, "operator").await).await;
    let missing = "TARGETING_KEY_MISSING";
    for (body, code) in [
        ("{}", missing),
        (r#"{"context":null}"#, missing),
        (r#"{"context":{}}"#, missing),
        (r#"{"context":{"targetingKey":null}}"#, missing),
        (r#"{"context":{"targetingKey":""}}"#, missing),
        (r#"{"context":{"targetingKey":7}}"#, "INVALID_CONTEXT"),
        (r#"{"context":"acme"}"#, "INVALID_CONTEXT"),
        (r#"{"context":{"targetingKey":"absent"}}"#, "INVALID_CONTEXT"),
        (r#"{"context":{"targetingKey":"ended"}}"#, "INVALID_CONTEXT"),
        (r#"{"context":{"targetingKey":"NOT A SLUG"}}"#, "INVALID_CONTEXT"),
        (r#"{"context":{"targetingKey":"acme","environment":"staging"}}"#, "INVALID_CONTEXT"),
        (r#"{"context":{"targetingKey":"acme","environment":7}}"#, "INVALID_CONTEXT"),
        ("{", "PARSE_ERROR"),
        ("", "PARSE_ERROR"),
        ("[]", "PARSE_ERROR"),
        ("\"a\"", "PARSE_ERROR"),
        (r#"{"context":{"targetingKey":"acme","targetingKey":"globex"}}"#, "PARSE_ERROR"),
        (r#"{"context":{"targetingKey":"acme","user":1,"user":2}}"#, "PARSE_ERROR"),
        (r#"{"context":{"targetingKey":"acme"},"more":{"a":1,"a":2}}"#, "PARSE_ERROR"),
        (r#"{"context":["acme"]}"#, "INVALID_CONTEXT"),
        (r#"[["acme"]]"#, "PARSE_ERROR"),
    ] {
        let answer = server_key.post(ONE).raw("application/json", body).send().await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body}: {}", answer.text);
        assert_eq!(answer.body["key"], "meetings_e2ee");
        let answer = server_key.post(BULK).raw("application/json", body).send().await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body}: {}", answer.text);
        assert!(answer.body.get("key").is_none());
    }
}

#[tokio::test]
async fn other_media_types_large_bodies_and_unknown_flags_are_ofrep_errors() {
    let server_key = server_key().await;
    for (path, content_type) in [(ONE, "text/plain"), (BULK, "application/x-www-form-urlencoded")] {
        let answer = server_key.post(path).raw(content_type, context("acme").to_string()).send().await;
        answer.refused(400, "PARSE_ERROR");
    }
    let large = format!(r#"{{"context":{{"targetingKey":"acme","more":"{}"}}}}"#, "x".repeat(1 << 20));
    server_key.post(ONE).raw("application/json", large).send().await.refused(400, "GENERAL");
    for (path, key) in [("absent", "absent"), ("UPPER", "UPPER"), ("a.b", "a.b"), ("a~b", "a~b")] {
        let answer = server_key.post(format!("{BULK}/{path}")).json(context("acme")).send().await;
        assert_eq!(answer.refused(404, "FLAG_NOT_FOUND").body["key"], key);
    }
}

#[tokio::test]
async fn further_members_of_a_context_and_of_the_body_are_ignored() {
    let server_key = server_key().await;
    let body = json!({ "context": { "targetingKey": "acme", "environment": "production", "user": { "name": "U" } }, "x": 1 });
    server_key.post(ONE).json(body.clone()).send().await.is(200);
    server_key.post(BULK).json(body).send().await.is(200);
}

#[tokio::test]
async fn tenants_of_others_are_refused_alike_whether_they_exist_or_not() {
    let operator = Api::sign_in(&SERVER, "operator").await;
    terminate_a_tenant(&operator).await;
    let globex = operator.get("/tenants/globex").send().await.is(200).body["id"].as_str().unwrap().to_owned();
    let tenant_key = Api::with_key(&SERVER, &SERVER.tenant_key("acme").await).await;
    let member = Api::sign_in(&SERVER, "member").await;
    for (api, code) in [(&tenant_key, "denied_key_scope"), (&member, "denied_not_member")] {
        let mut answers = Vec::new();
        for tenant in ["globex", &globex, "absent", "ended", "NOT A SLUG"] {
            for path in [ONE, BULK] {
                let mut body = api.post(path).json(context(tenant)).send().await.refused(403, code).body;
                body.as_object_mut().unwrap().remove("requestId");
                answers.push(body);
            }
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[tokio::test]
async fn missing_and_unknown_credentials_and_other_methods_are_problems() {
    let anonymous = Api::anonymous(&SERVER).await;
    let answer = anonymous.post(BULK).json(context("acme")).send().await.refused(401, "token_missing");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
    anonymous
        .post(BULK)
        .header("x-api-key", "dzk_x")
        .json(context("acme"))
        .send()
        .await
        .refused(401, "key_unknown");
    anonymous.get(BULK).send().await.refused(405, "method_not_allowed");
    anonymous.get("/ofrep/v1/configuration").send().await.refused(404, "not_found");
}
