//! What the server is to those who run it: limits, health, documents, logs, and what outlives a restart.

use std::net::IpAddr;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

#[tokio::test]
async fn a_caller_has_so_many_requests_a_second() {
    let server = Server::start_with(&["--rate-limit", "5", "--failure-limit", "0"]);
    let (member, other) = (Api::of(&server, "member").await, Api::of(&server, "other").await);
    let answers = join_all((0..12).map(|_| member.get("/flags").send())).await;
    let refused: Vec<Answer> = answers.into_iter().filter(|answer| answer.status == 429).collect();
    // Five in reserve, and perhaps one or two that came back meanwhile.
    assert!((4..=7).contains(&refused.len()), "{}", refused.len());
    for answer in refused {
        let wait = answer.refused(429, "rate_limited").header("retry-after");
        assert_eq!(wait, "1");
    }
    other.get("/flags").send().await.is(200);
    // Nobody's rate: what is open to everybody.
    for answer in join_all((0..12).map(|_| member.get("/healthz").send())).await {
        answer.is(200);
    }
    tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
    member.get("/flags").send().await.is(200);
}

async fn fail(server: &Server, forwarded_for: &str) -> u16 {
    let nobody = Api::nobody(server).await.with_token("not-a-token");
    nobody.get("/flags").header("x-forwarded-for", forwarded_for).send().await.status
}

#[tokio::test]
async fn an_address_has_so_many_failures_a_second() {
    let server = Server::start_with(&["--rate-limit", "0", "--failure-limit", "3"]);
    let nobody = Api::nobody(&server).await.with_token("not-a-token");
    let answers = join_all((0..10).map(|_| nobody.get("/flags").send())).await;
    let failed = answers.iter().filter(|answer| answer.status == 401).count();
    assert!((3..=5).contains(&failed), "{failed}");
    for answer in answers.into_iter().filter(|answer| answer.status != 401) {
        assert!(!answer.refused(429, "rate_limited").header("retry-after").is_empty());
    }
    // The header is anybody's to write: it does not make another address.
    let statuses = join_all((0..10).map(|number| {
        let address = format!("198.51.100.{number}");
        let server = &server;
        async move { fail(server, &address).await }
    }));
    assert!(statuses.await.contains(&429));
}

#[tokio::test]
async fn failures_of_others_never_refuse_a_valid_credential() {
    let server = Server::start_with(&["--rate-limit", "0", "--failure-limit", "1"]);
    let member = Api::of(&server, "member").await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let wrong = ["not-a-token", "dzk_wrong"];
    let bad = join_all(wrong.map(async |token| Api::nobody(&server).await.with_token(token))).await;
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
async fn a_trusted_proxy_says_where_a_request_comes_from() {
    let settings = ["--rate-limit", "0", "--failure-limit", "1", "--trusted-proxy", "127.0.0.1,192.0.2.9"];
    let server = Server::start_with(&settings);
    for number in 0..5 {
        let address = IpAddr::from([198, 51, 100, number]).to_string();
        assert_eq!(fail(&server, &address).await, 401, "each is an address of its own");
    }
    let mut statuses = Vec::new();
    for written in ["203.0.113.7", "10.1.1.1, 203.0.113.7", "10.2.2.2, 203.0.113.7, 192.0.2.9"] {
        statuses.push(fail(&server, written).await);
    }
    // What stands before the address that the proxy saw is anybody's to write.
    assert_eq!(statuses, [401, 429, 429]);
    let mut statuses = Vec::new();
    for written in
        ["203.0.113.8:5678", "203.0.113.8:9", "[2001:db8:1:2::3]:443", "2001:db8:1:2::4", "[2001:db8:1:3::4]"]
    {
        statuses.push(fail(&server, written).await);
    }
    assert_eq!(statuses, [401, 429, 401, 429, 401], "ports do not count, and a /64 is one client");
}

/// How many a histogram has counted.
fn counted(metrics: &str, histogram: &str) -> u64 {
    let name = format!("{histogram}_count ");
    metrics.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
}

#[tokio::test]
async fn health_readiness_and_metrics_are_open() {
    let server = Server::start();
    let nobody = Api::nobody(&server).await;
    assert_eq!(nobody.get("/healthz").send().await.is(200).body, json!({ "status": "ok" }));
    assert_eq!(nobody.get("/readyz").send().await.is(200).body, json!({ "status": "ready" }));
    let operator = Api::of(&server, "operator").await;
    let earlier = nobody.get("/metrics").send().await.is(200).text;
    for _ in 0..3 {
        operator.get("/tenants/acme").send().await.is(200);
    }
    operator.get("/tenants/absent").send().await.is(404);
    operator.post("/flags/meetings_e2ee/kill").on_any().send().await.is(200);
    // The first sign-in writes as well.
    Api::of(&server, "stranger").await.get("/users/me").send().await.is(200);
    nobody.get("/nothing").send().await.is(404);
    let metrics = nobody.get("/metrics").send().await.is(200);
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
    // No slug, id or address is a label.
    assert!(!metrics.text.contains("acme") && !metrics.text.contains('@'));
    for line in lines.iter().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("dezky_") && value.parse::<f64>().is_ok(), "{line}");
    }
}

#[tokio::test]
async fn the_document_is_openapi_and_says_it_all() {
    let server = Server::start();
    let nobody = Api::nobody(&server).await;
    let document = nobody.get("/openapi.json").send().await.is(200).body;
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut ids = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let what = format!("{method} {path}");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{what}");
            let is_open = operation["security"] == json!([]);
            ids.extend(operation.get("operationId").map(Value::to_string));
            // The stream that is let in by its link has no credential of its own, and is no less an operation.
            let is_by_link = path == "/ofrep/v1/stream";
            assert_eq!(operation.get("operationId").is_none(), is_open && !is_by_link, "{what}");
            assert!(is_open || !is_by_link, "{what}");
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
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "an operation id is given twice");
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads out"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for schema in document["components"]["schemas"].as_object().unwrap().values() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{schema:#}");
    }
    let docs = nobody.get("/docs").send().await.is(200);
    assert!(docs.header("content-type").starts_with("text/html"));
    assert!(docs.text.contains("/openapi.json") || docs.text.contains("openapi.json"));
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
async fn the_log_names_nobody() {
    for format in ["text", "json"] {
        let settings = ["--rate-limit", "0", "--failure-limit", "0", "--log-format", format];
        let server = Server::start_with(&settings);
        let token = server.token("operator").await;
        let operator = Api::of(&server, "operator").await;
        let secret = "Confidential GmbH";
        let me = operator.get("/users/me").send().await.is(200).body["profile"]["id"].clone();
        let body = json!({ "slug": "quiet", "name": secret, "plan": "free",
            "billingInfo": { "email": "pay@quiet.example" } });
        operator.post("/tenants").key("key-of-mine").json(body).send().await.is(201);
        let found = operator.get("/tenants?q=Confidential&limit=1").send().await.is(200);
        operator.get("/tenants/absent").send().await.is(404);
        operator
            .post("/partners")
            .json(json!({ "slug": "quiet", "name": "", "x": secret }))
            .send()
            .await
            .is(422);
        Api::nobody(&server).await.with_token(&format!("{token}x")).get("/flags").send().await.is(401);
        let answered = |log: &str| log.matches("answered").count();
        let mut log = server.log();
        for _ in 0..100 {
            if answered(&log) >= 6 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            log = server.log();
        }
        assert!(answered(&log) >= 6, "{log}");
        let id = found.header("x-request-id");
        let line = log.lines().find(|line| line.contains(&id)).unwrap_or_else(|| panic!("{id}: {log}"));
        assert!(
            line.contains("/tenants") && line.contains("200") && line.contains(me.as_str().unwrap()),
            "{line}"
        );
        // The sentence for people at the start shows how to get a token; from then on it is requests.
        let (_, requests) = log.split_once("serving").unwrap();
        let [_, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
        for private in [claims, signature, "@", secret, "Olga", "key-of-mine", "quiet", "q=", "Confidential"]
        {
            assert!(!requests.contains(private), "{private} is in the log: {requests}");
        }
    }
}

#[tokio::test]
async fn seeds_are_put_once_and_never_over_what_was_done_to_them() {
    let server = Server::start();
    let api = Api::of(&server, "operator").await;
    let flags = api.get("/flags").send().await.is(200);
    assert_eq!(flags.items().len(), 10);
    for key in ["jmap_native_v2", "gdpr_export_v2", "new_billing_engine"] {
        assert!(flags.each("key").contains(&key));
    }
    assert!(flags.items().iter().all(|flag| flag["description"].as_str().unwrap().len() > 20));
    let own = api.get("/subscriptions?tenant=dezky").send().await.is(200);
    assert_eq!(own.items().len(), 1);
    let edit = json!({ "state": "targeted", "description": "Ours." });
    api.patch("/flags/jmap_native_v2").on_any().json(edit).send().await.is(200);
    api.post("/flags/mail_phishing_banner/kill").on_any().send().await.is(200);
    api.delete("/flags/gdpr_export_v2").on_any().send().await.is(200);
    api.patch("/tenants/dezky").on_any().json(json!({ "name": "Ours" })).send().await.is(200);
    api.delete(format!("/subscriptions/{}", own.each("id")[0])).on_any().send().await.is(200);
    api.delete("/tenants/initech").on_any().send().await.is(200);
    let state = async |api: &Api| {
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
    };
    let before = state(&api).await;
    let mut server = server;
    for _ in 0..2 {
        server = server.restart(&["--rate-limit", "0", "--failure-limit", "0"]);
        let api = Api::of(&server, "operator").await;
        // Cursors are the same too: the secret that seals them is the store's.
        assert_eq!(state(&api).await, before);
        api.get("/flags/gdpr_export_v2").send().await.refused(404, "not_found");
    }
}
