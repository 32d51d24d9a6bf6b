//! The server as its operators see it: rate limits, health, documents, logs and sample data.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::{Answer, Api, NO_LIMITS, Server, eventually};

#[tokio::test]
async fn a_caller_has_a_rate_limit_and_recovers_within_a_second() {
    let server = Server::start_with(&["--rate-limit", "5", "--failure-limit", "0"]);
    let (member, other) = (Api::sign_in(&server, "member").await, Api::sign_in(&server, "other").await);
    let answers = join_all((0..12).map(|_| member.get("/flags").send())).await;
    let deadline = Instant::now() + Duration::from_millis(1_050);
    let refused: Vec<Answer> = answers.into_iter().filter(|answer| answer.status == 429).collect();
    // Five requests pass, and perhaps one or two more that the limit allows during the burst.
    assert!((4..=7).contains(&refused.len()), "{}", refused.len());
    for answer in refused {
        let wait = answer.refused(429, "rate_limited").header("retry-after");
        assert_eq!(wait, "1");
    }
    other.get("/flags").send().await.is(200);
    // Open routes do not count.
    for answer in join_all((0..12).map(|_| member.get("/healthz").send())).await {
        answer.is(200);
    }
    loop {
        let is_late = Instant::now() > deadline;
        if member.get("/flags").send().await.status == 200 {
            break;
        }
        assert!(!is_late, "the caller is still refused after a second");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn fail(server: &Server, forwarded_for: &str) -> u16 {
    let anonymous = Api::anonymous(server).await.with_token("not-a-token");
    anonymous.get("/flags").header("x-forwarded-for", forwarded_for).send().await.status
}

#[tokio::test]
async fn an_address_has_a_limit_of_failures() {
    let server = Server::start_with(&["--rate-limit", "0", "--failure-limit", "3"]);
    let anonymous = Api::anonymous(&server).await.with_token("not-a-token");
    let answers = join_all((0..10).map(|_| anonymous.get("/flags").send())).await;
    let failed = answers.iter().filter(|answer| answer.status == 401).count();
    assert!((3..=5).contains(&failed), "{failed}");
    for answer in answers.into_iter().filter(|answer| answer.status != 401) {
        assert!(!answer.refused(429, "rate_limited").header("retry-after").is_empty());
    }
    // Anyone can send this header, so it does not change the address.
    let statuses = join_all((0..10).map(|number| {
        let address = format!("198.51.100.{number}");
        let server = &server;
        async move { fail(server, &address).await }
    }));
    assert!(statuses.await.contains(&429));
}

#[tokio::test]
async fn failures_of_others_do_not_affect_a_valid_credential() {
    let server = Server::start_with(&["--rate-limit", "0", "--failure-limit", "1"]);
    let member = Api::sign_in(&server, "member").await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let wrong = ["not-a-token", "dzk_wrong"];
    let bad = join_all(wrong.map(async |token| Api::anonymous(&server).await.with_token(token))).await;
    let mut refused = 0;
    for _ in 0..20 {
        for api in &bad {
            let answer = api.get("/flags").send().await;
            refused += u32::from(answer.status == 429);
            assert!(answer.status == 429 || answer.status == 401);
        }
        member.get("/flags").send().await.is(200);
        key.get("/flags/snapshot").send().await.is(200);
    }
    assert!(refused > 30, "{refused}");
}

#[tokio::test]
async fn a_trusted_proxy_names_the_address_of_its_client() {
    let settings = ["--rate-limit", "0", "--failure-limit", "1", "--trusted-proxy", "127.0.0.1,192.0.2.9"];
    let server = Server::start_with(&settings);
    for number in 0..5 {
        let address = IpAddr::from([198, 51, 100, number]).to_string();
        assert_eq!(fail(&server, &address).await, 401, "different addresses share a limit");
    }
    let mut statuses = Vec::new();
    for written in ["203.0.113.7", "10.1.1.1, 203.0.113.7", "10.2.2.2, 203.0.113.7, 192.0.2.9"] {
        statuses.push(fail(&server, written).await);
    }
    // The client writes the addresses before the one that the proxy saw.
    assert_eq!(statuses, [401, 429, 429]);
    let mut statuses = Vec::new();
    for written in
        ["203.0.113.8:5678", "203.0.113.8:9", "[2001:db8:1:2::3]:443", "2001:db8:1:2::4", "[2001:db8:1:3::4]"]
    {
        statuses.push(fail(&server, written).await);
    }
    assert_eq!(statuses, [401, 429, 401, 429, 401], "a limit ignores ports and covers a /64 network");
}

/// The number of observations of a histogram.
fn counted(metrics: &str, histogram: &str) -> u64 {
    let name = format!("{histogram}_count ");
    metrics.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
}

#[tokio::test]
async fn health_readiness_and_metrics_are_open() {
    let server = Server::start();
    let anonymous = Api::anonymous(&server).await;
    assert_eq!(anonymous.get("/healthz").send().await.is(200).body, json!({ "status": "ok" }));
    assert_eq!(anonymous.get("/readyz").send().await.is(200).body, json!({ "status": "ready" }));
    let operator = Api::sign_in(&server, "operator").await;
    let earlier = anonymous.get("/metrics").send().await.is(200).text;
    for _ in 0..3 {
        operator.get("/tenants/acme").send().await.is(200);
    }
    operator.get("/tenants/absent").send().await.is(404);
    operator.post("/flags/meetings_e2ee/kill").any_version().send().await.is(200);
    // The first sign-in of a user writes too.
    Api::sign_in(&server, "stranger").await.get("/users/me").send().await.is(200);
    anonymous.get("/nothing").send().await.is(404);
    let metrics = anonymous.get("/metrics").send().await.is(200);
    assert!(metrics.header("content-type").starts_with("text/plain"));
    let route = r#"method="GET",route="/tenants/{slug}""#;
    let lines: Vec<&str> = metrics.text.lines().collect();
    for line in [
        format!(r#"dezky_requests_total{{{route},status="2xx"}} 3"#),
        format!(r#"dezky_requests_total{{{route},status="4xx"}} 1"#),
        format!("dezky_request_seconds_count{{{route}}} 4"),
    ] {
        assert!(lines.contains(&&*line), "{line} is not among\n{}", metrics.text);
    }
    let more = |what| counted(&metrics.text, what) - counted(&earlier, what);
    assert_eq!(more("dezky_store_write_seconds"), 2);
    assert!(more("dezky_store_read_seconds") >= 4);
    let head = operator.get("/audit?limit=1").send().await.is(200).body["proof"]["headRevision"].clone();
    assert!(lines.contains(&&*format!("dezky_revision {head}")));
    assert!(metrics.text.contains("dezky_key_set_age_seconds{"));
    // Labels have no slugs, ids or addresses.
    assert!(!metrics.text.contains("acme") && !metrics.text.contains('@'));
    for line in lines.iter().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("dezky_") && value.parse::<f64>().is_ok(), "{line}");
    }
}

#[tokio::test]
async fn every_operation_is_documented() {
    let server = Server::start();
    let document = Api::anonymous(&server).await.get("/openapi.json").send().await.is(200).body;
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut ids = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            check_operation(method, path, operation);
            ids.extend(operation.get("operationId").map(Value::to_string));
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "two operations have the same id");
}

/// Asserts that an operation has a summary, a success, its path parameters, and an id unless open.
fn check_operation(method: &str, path: &str, operation: &Value) {
    let what = format!("{method} {path}");
    assert!(!operation["summary"].as_str().unwrap().is_empty(), "{what}");
    let is_open = operation["security"] == json!([]);
    // The link is the credential of this stream, so it needs no other one and still has an id.
    let is_linked = path == "/ofrep/v1/stream";
    assert_eq!(operation.get("operationId").is_none(), is_open && !is_linked, "{what}");
    assert!(is_open || !is_linked, "{what}");
    assert!(operation["responses"].as_object().unwrap().keys().any(|status| status.starts_with('2')));
    let declared: Vec<&str> = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == "path")
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect();
    let named: Vec<&str> =
        path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    assert_eq!(declared, named, "{what}");
}

#[tokio::test]
async fn schemas_are_valid_and_references_are_resolved() {
    let server = Server::start();
    let anonymous = Api::anonymous(&server).await;
    let document = anonymous.get("/openapi.json").send().await.is(200).body;
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let pointer = reference.strip_prefix('#');
        let pointer = pointer.unwrap_or_else(|| panic!("{reference} is outside the document"));
        assert!(document.pointer(pointer).is_some(), "{reference} does not exist");
    }
    for schema in document["components"]["schemas"].as_object().unwrap().values() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{schema:#}");
    }
    let docs = anonymous.get("/docs").send().await.is(200);
    assert!(docs.header("content-type").starts_with("text/html"));
    assert!(docs.text.contains("openapi.json"));
}

fn collect_references<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| collect_references(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, references)),
        _ => {}
    }
}

#[tokio::test]
async fn the_log_has_no_personal_data_secrets_or_queries() {
    for format in ["text", "json"] {
        let settings = ["--rate-limit", "0", "--failure-limit", "0", "--log-format", format];
        let server = Server::start_with(&settings);
        let token = server.token("operator").await;
        let operator = Api::sign_in(&server, "operator").await;
        let secret = "Confidential GmbH";
        let me = operator.get("/users/me").send().await.is(200).body["profile"]["id"].clone();
        let body = json!({ "slug": "quiet", "name": secret, "plan": "free",
            "billingInfo": { "email": "pay@quiet.example" } });
        operator.post("/tenants").idempotency_key("key-of-mine").json(body).send().await.is(201);
        let found = operator.get("/tenants?q=Confidential&limit=1").send().await.is(200);
        operator.get("/tenants/absent").send().await.is(404);
        operator
            .post("/partners")
            .json(json!({ "slug": "quiet", "name": "", "x": secret }))
            .send()
            .await
            .is(422);
        Api::anonymous(&server).await.with_token(&format!("{token}x")).get("/flags").send().await.is(401);
        let log = eventually("six requests are logged", async || {
            Some(server.log()).filter(|log| log.matches("answered").count() >= 6)
        })
        .await;
        let id = found.header("x-request-id");
        let line = log.lines().find(|line| line.contains(&id)).unwrap_or_else(|| panic!("{id}: {log}"));
        assert!(
            line.contains("/tenants") && line.contains("200") && line.contains(me.as_str().unwrap()),
            "{line}"
        );
        // The first lines explain how to get a token; the lines after them are about requests.
        let (_, requests) = log.split_once("serving").unwrap();
        let [_, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
        for private in [claims, signature, "@", secret, "Olga", "key-of-mine", "quiet", "q=", "Confidential"]
        {
            assert!(!requests.contains(private), "{private} is in the log: {requests}");
        }
    }
}

/// All lists that the sample data fills.
async fn state(api: &Api) -> Vec<Value> {
    let mut state = Vec::new();
    for path in [
        "/flags",
        "/tenants?limit=200",
        "/partners",
        "/subscriptions?limit=200",
        "/users?limit=200",
        "/audit?limit=200",
    ] {
        state.push(api.get(path).send().await.is(200).body);
    }
    state
}

#[tokio::test]
async fn sample_data_is_written_once_and_never_over_later_changes() {
    let server = Server::start();
    let api = Api::sign_in(&server, "operator").await;
    let flags = api.get("/flags").send().await.is(200);
    assert_eq!(flags.items().len(), 10);
    for key in ["jmap_native_v2", "gdpr_export_v2", "new_billing_engine"] {
        assert!(flags.each("key").contains(&key));
    }
    assert!(flags.items().iter().all(|flag| flag["description"].as_str().unwrap().len() > 20));
    let own = api.get("/subscriptions?tenant=dezky").send().await.is(200);
    assert_eq!(own.items().len(), 1);
    let edit = json!({ "state": "targeted", "description": "Ours." });
    api.patch("/flags/jmap_native_v2").any_version().json(edit).send().await.is(200);
    api.post("/flags/mail_phishing_banner/kill").any_version().send().await.is(200);
    api.delete("/flags/gdpr_export_v2").any_version().send().await.is(200);
    api.patch("/tenants/dezky").any_version().json(json!({ "name": "Ours" })).send().await.is(200);
    api.delete(format!("/subscriptions/{}", own.each("id")[0])).any_version().send().await.is(200);
    api.delete("/tenants/initech").any_version().send().await.is(200);
    let before = state(&api).await;
    let mut server = server;
    for _ in 0..2 {
        server = server.restart(&NO_LIMITS);
        let api = Api::sign_in(&server, "operator").await;
        // Cursors are the same too, because the secret that seals them is in the store.
        assert_eq!(state(&api).await, before);
        api.get("/flags/gdpr_export_v2").send().await.refused(404, "not_found");
    }
}
