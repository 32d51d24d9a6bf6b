//! The check against the OpenAPI document rejects answers that the document does not allow.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use crate::support::{Api, Contract, Exchange, Server};

#[tokio::test]
async fn an_answer_that_the_document_does_not_allow_is_refused() {
    let server = Server::start();
    let contract = Contract::fetch(&server.url).await;
    let tenant = Api::sign_in(&server, "operator").await.get("/tenants/acme").send().await.is(200).body;
    let mut invalid = tenant.clone();
    invalid["status"] = json!("asleep");
    let mut partial = tenant.clone();
    partial.as_object_mut().unwrap().remove("plan");
    let mut undated = tenant.clone();
    undated["createdAt"] = json!("yesterday");
    let (json, problem) = ("application/json", "application/problem+json");
    let refusal = json!({ "type": "about:blank", "title": "T", "status": 404, "code": "c", "detail": "d",
        "errors": [], "requestId": "r" });
    let mut without_code = refusal.clone();
    without_code.as_object_mut().unwrap().remove("code");
    let (ofrep, events) = ("/ofrep/v1/evaluate/flags/a", "text/event-stream");
    let in_ofrep = json!({ "key": "a", "errorCode": "FLAG_NOT_FOUND", "errorDetails": "d" });
    for (is_right, method, path, status, content_type, body) in [
        (true, "GET", "/tenants/acme", 200, json, &tenant),
        (true, "GET", "/tenants/acme?x=1", 404, problem, &refusal),
        (true, "GET", "/nowhere", 404, problem, &refusal),
        (true, "POST", ofrep, 404, json, &in_ofrep),
        (true, "POST", ofrep, 403, problem, &refusal),
        (false, "POST", ofrep, 404, problem, &refusal),
        (false, "POST", ofrep, 403, json, &in_ofrep),
        (false, "POST", ofrep, 404, json, &tenant),
        (false, "POST", ofrep, 200, json, &in_ofrep),
        (true, "GET", "/flags/stream", 200, events, &json!("")),
        (false, "GET", "/flags/stream", 200, json, &tenant),
        (false, "GET", "/flags/stream", 200, "text/plain", &tenant),
        (false, "GET", "/nowhere", 200, json, &tenant),
        (false, "PUT", "/tenants/acme", 200, json, &tenant),
        (false, "GET", "/tenants/acme", 201, json, &tenant),
        (false, "GET", "/tenants/acme", 418, problem, &refusal),
        (false, "GET", "/tenants/acme", 200, "text/plain", &tenant),
        (false, "GET", "/tenants/acme", 404, json, &refusal),
        (false, "GET", "/tenants/acme", 404, problem, &without_code),
        (false, "GET", "/tenants/acme", 200, json, &invalid),
        (false, "GET", "/tenants/acme", 200, json, &partial),
        (false, "GET", "/tenants/acme", 200, json, &undated),
        (false, "GET", "/tenants", 200, json, &tenant),
        (false, "GET", "/users/me", 200, json, &tenant),
    ] {
        let body = body.to_string().into_bytes();
        let exchange = Exchange { method, path, status, content_type, body: &body };
        let is_accepted = catch_unwind(AssertUnwindSafe(|| contract.check(&exchange))).is_ok();
        assert_eq!(is_accepted, is_right, "{method} {path} → {status} {content_type}");
    }
}
