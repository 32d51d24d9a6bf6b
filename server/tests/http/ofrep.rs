//! OFREP as its clients meet it: the rules that keep every one of them working, and the mapping of each state.

use std::sync::LazyLock;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

pub static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

pub const BULK: &str = "/ofrep/v1/evaluate/flags";

pub fn context(tenant: &str) -> Value {
    json!({ "context": { "targetingKey": tenant } })
}

pub async fn bulk(api: &Api, tenant: &str) -> Answer {
    let answer = api.post(BULK).json(context(tenant)).send().await.is(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert!(answer.header("content-type") == "application/json" && !answer.etag().is_empty());
    for flag in answer.body["flags"].as_array().unwrap() {
        is_whole(flag);
    }
    let keys: Vec<String> =
        answer.body["flags"].as_array().unwrap().iter().map(|flag| text(&flag["key"])).collect();
    assert!(keys.is_sorted_by(|one, next| one < next), "{keys:?}");
    is_flat(&answer.body["metadata"]);
    let [stream] = &answer.body["eventStreams"].as_array().unwrap()[..] else { panic!("{}", answer.text) };
    assert_eq!((&stream["type"], &stream["inactivityDelaySec"]), (&json!("sse"), &json!(120)));
    assert!(stream.get("url").is_some() != stream.get("endpoint").is_some(), "exactly one of them");
    let members: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 3, "{members:?}");
    answer
}

async fn single(api: &Api, key: &str, tenant: &str) -> Value {
    let answer = api.post(format!("{BULK}/{key}")).json(context(tenant)).send().await.is(200);
    assert_eq!(answer.header("content-type"), "application/json");
    is_whole(&answer.body);
    assert_eq!(answer.body["key"], key);
    answer.body
}

/// Values of metadata are texts, numbers and truths.
fn is_flat(metadata: &Value) {
    let members = metadata.as_object().unwrap();
    assert!(
        members.values().all(|value| value.is_string() || value.is_number() || value.is_boolean()),
        "{metadata}"
    );
}

/// An evaluation that every client understands: all members, the reason one of the document's or DEFAULT, the value of the variant.
fn is_whole(flag: &Value) {
    let mut members: Vec<&String> = flag.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["key", "metadata", "reason", "value", "variant"], "{flag}");
    let reason = flag["reason"].as_str().unwrap();
    assert!(["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT"].contains(&reason), "{flag}");
    assert_eq!(flag["variant"], if flag["value"].as_bool().unwrap() { "on" } else { "off" }, "{flag}");
    is_flat(&flag["metadata"]);
    for member in ["version", "flagSetId", "contextId"] {
        assert!(flag["metadata"][member].is_string(), "{flag}");
    }
}

pub async fn make(operator: &Api, key: &str, state: &str, pct: f64, scope: Value) {
    let body = json!({ "key": key, "state": state, "pct": pct, "scope": scope });
    operator.post("/flags").json(body).send().await.is(201);
}

pub fn link(answer: &Answer) -> String {
    let endpoint = &answer.body["eventStreams"][0]["endpoint"];
    assert_eq!(endpoint.as_object().unwrap().len(), 1, "the origin is wherever the client asked");
    endpoint["requestUri"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_state_is_told_as_the_table_says() {
    let operator = Api::of(&SERVER, "operator").await;
    let acme = operator.get("/tenants/acme").send().await.is(200).body;
    let partners = operator.get("/partners").send().await.is(200);
    let partner = partners.items().iter().find(|partner| partner["id"] == acme["partnerId"]).unwrap();
    let partner = partner["slug"].as_str().unwrap();
    let plan = acme["plan"].as_str().unwrap();
    let everybody = || json!({});
    make(&operator, "m_off", "off", 0.0, everybody()).await;
    make(&operator, "m_off_with_scope", "off", 30.0, json!({ "plans": ["free"] })).await;
    make(&operator, "m_killed", "rollout", 100.0, json!({ "plans": [plan] })).await;
    operator.post("/flags/m_killed/kill").on_any().send().await.is(200);
    make(&operator, "m_back", "on", 0.0, everybody()).await;
    operator.post("/flags/m_back/kill").on_any().send().await.is(200);
    operator.patch("/flags/m_back").on_any().json(json!({ "state": "on" })).send().await.is(200);
    operator.patch("/flags/m_back").on_any().json(json!({ "state": "off" })).send().await.is(200);
    make(&operator, "m_on", "on", 0.0, everybody()).await;
    make(&operator, "m_on_elsewhere", "on", 0.0, json!({ "tenantSlugs": ["globex"] })).await;
    make(&operator, "m_plan", "targeted", 0.0, json!({ "plans": ["free", plan] })).await;
    make(&operator, "m_tenant", "targeted", 0.0, json!({ "tenantSlugs": ["acme", "globex"] })).await;
    make(&operator, "m_partner", "targeted", 0.0, json!({ "partnerSlugs": [partner] })).await;
    make(&operator, "m_environment", "targeted", 0.0, json!({ "environments": ["production"] })).await;
    make(
        &operator,
        "m_all_axes",
        "targeted",
        0.0,
        json!({ "environments": ["production"], "tenantSlugs": ["acme"] }),
    )
    .await;
    make(&operator, "m_nobody", "targeted", 0.0, everybody()).await;
    make(&operator, "m_no_plan", "targeted", 0.0, json!({ "plans": ["none"], "tenantSlugs": ["acme"] }))
        .await;
    make(&operator, "m_no_tenant", "targeted", 0.0, json!({ "plans": [plan], "tenantSlugs": ["globex"] }))
        .await;
    make(&operator, "m_no_partner", "targeted", 0.0, json!({ "partnerSlugs": ["nobody"] })).await;
    make(&operator, "m_no_environment", "rollout", 100.0, json!({ "environments": ["staging"] })).await;
    make(&operator, "m_in", "rollout", 100.0, everybody()).await;
    make(&operator, "m_out", "rollout", 0.0, json!({ "tenantSlugs": ["acme"] })).await;
    make(&operator, "m_fraction", "rollout", 33.25, everybody()).await;
    let id = acme["id"].as_str().unwrap();
    // The bucket, computed here from the rule: the hash as one number, its last two digits, and the two before as hundredths.
    let bucket = |key: &str| {
        let hash = <sha2::Sha256 as sha2::Digest>::digest(format!("{id}:{key}").as_bytes());
        let position = hash.iter().fold(0_u64, |rest, byte| (rest * 256 + u64::from(*byte)) % 10_000);
        json!((position % 100 * 100 + position / 100) as f64 / 100.0)
    };
    let rollout = |key: &str, pct: f64| json!({ "bucket": bucket(key), "pct": pct });
    let is_in = bucket("m_fraction").as_f64().unwrap() < 33.25;
    let fraction = (is_in, "SPLIT", rollout("m_fraction", 33.25));
    let table = [
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
    ];
    let number = |value: &Value| value.as_f64();
    let callers = [
        ("a server's", Api::with_key(&SERVER, &SERVER.server_key().await).await, "/flags/snapshot"),
        (
            "a tenant's",
            Api::with_key(&SERVER, &SERVER.tenant_key("acme").await).await,
            "/flags/slice?tenant=acme",
        ),
        ("a member's", Api::of(&SERVER, "member").await, "/flags/slice?tenant=acme"),
    ];
    for (whose, api, followed) in &callers {
        let revision = api.get(*followed).send().await.is(200).body["revision"].clone();
        let all = bulk(api, "acme").await;
        for (key, (value, reason, extras)) in &table {
            let one = single(api, key, "acme").await;
            assert_eq!(single(api, key, id).await, one, "by id as by slug");
            let listed = all.body["flags"].as_array().unwrap().iter().find(|flag| flag["key"] == *key);
            assert_eq!(listed, Some(&one), "{key}, {whose}");
            assert_eq!((&one["value"], &one["reason"]), (&json!(value), &json!(reason)), "{key}");
            let mut metadata = one["metadata"].as_object().unwrap().clone();
            let mut taken = |name: &str| metadata.remove(name).unwrap();
            assert_eq!(taken("version"), format!("rev-{revision}"), "{key}, {whose}");
            assert_eq!((taken("flagSetId"), taken("contextId")), (json!("production"), json!(id)));
            assert_eq!(metadata.len(), extras.as_object().unwrap().len(), "{key}: {metadata:?}");
            for (name, extra) in extras.as_object().unwrap() {
                let told = &metadata[name];
                assert!(
                    told == extra || (number(told).is_some() && number(told) == number(extra)),
                    "{key}: {told}"
                );
            }
        }
        assert_eq!(all.body["metadata"]["version"], format!("rev-{revision}"));
    }
}

#[tokio::test]
async fn refusals_are_in_ofreps_words() {
    let server_key = Api::with_key(&SERVER, &SERVER.server_key().await).await;
    let operator = Api::of(&SERVER, "operator").await;
    operator
        .post("/tenants")
        .json(json!({ "slug": "ended", "name": "E", "plan": "free" }))
        .send()
        .await
        .is(201);
    operator.delete("/tenants/ended").on_any().send().await.is(200);
    let one = format!("{BULK}/meetings_e2ee");
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
        let answer = server_key.post(&one).raw("application/json", body).send().await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body}: {}", answer.text);
        assert_eq!(answer.body["key"], "meetings_e2ee");
        let answer = server_key.post(BULK).raw("application/json", body).send().await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body}: {}", answer.text);
        assert!(answer.body.get("key").is_none());
    }
    for (path, content_type) in [(&*one, "text/plain"), (BULK, "application/x-www-form-urlencoded")] {
        let answer = server_key.post(path).raw(content_type, context("acme").to_string()).send().await;
        answer.refused(400, "PARSE_ERROR");
    }
    let large = format!(r#"{{"context":{{"targetingKey":"acme","more":"{}"}}}}"#, "x".repeat(1 << 20));
    server_key.post(&one).raw("application/json", large).send().await.refused(400, "GENERAL");
    for (path, key) in [("absent", "absent"), ("UPPER", "UPPER"), ("a.b", "a.b"), ("a~b", "a~b")] {
        let answer = server_key.post(format!("{BULK}/{path}")).json(context("acme")).send().await;
        assert_eq!(answer.refused(404, "FLAG_NOT_FOUND").body["key"], key);
    }
    // Anything else in a context or beside it is the application's own.
    let body = json!({ "context": { "targetingKey": "acme", "environment": "production", "user": { "name": "U" } }, "x": 1 });
    server_key.post(&one).json(body.clone()).send().await.is(200);
    server_key.post(BULK).json(body).send().await.is(200);
    // Whoever may ask for one tenant learns nothing of another: there or not, by id or slug, it is one refusal.
    let globex = operator.get("/tenants/globex").send().await.is(200).body["id"].as_str().unwrap().to_owned();
    let tenant_key = Api::with_key(&SERVER, &SERVER.tenant_key("acme").await).await;
    let member = Api::of(&SERVER, "member").await;
    for (api, code) in [(&tenant_key, "denied_key_scope"), (&member, "denied_not_member")] {
        let mut answers = Vec::new();
        for tenant in ["globex", &globex, "absent", "ended", "NOT A SLUG"] {
            for path in [&*one, BULK] {
                let mut body = api.post(path).json(context(tenant)).send().await.refused(403, code).body;
                body.as_object_mut().unwrap().remove("requestId");
                answers.push(body);
            }
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    }
    let nobody = Api::nobody(&SERVER).await;
    let answer = nobody.post(BULK).json(context("acme")).send().await.refused(401, "token_missing");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
    nobody
        .post(BULK)
        .header("x-api-key", "dzk_x")
        .json(context("acme"))
        .send()
        .await
        .refused(401, "key_unknown");
    nobody.get(BULK).send().await.refused(405, "method_not_allowed");
    nobody.get("/ofrep/v1/configuration").send().await.refused(404, "not_found");
}

#[tokio::test]
async fn too_many_are_told_how_long_to_wait() {
    let server = Server::start_with(&["--rate-limit", "3", "--failure-limit", "0"]);
    let key = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let answers = join_all((0..12).map(|_| key.post(BULK).json(context("acme")).send())).await;
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!((7..=9).contains(&refused.len()), "{}", refused.len());
    for answer in refused {
        assert_eq!(answer.header("retry-after"), "1", "whole seconds");
    }
    // A server key stands for a fleet: it has the rates of ten, and no more by naming more instances.
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let answers = join_all((0..90).map(|number| {
        fleet.post(BULK).json(context("acme")).header("dezky-instance", format!("web-{number}")).send()
    }));
    let answered = answers.await.iter().filter(|answer| answer.status == 200).count();
    assert!((30..=60).contains(&answered), "{answered}");
}

/// Links are the same for five minutes: what is compared must not stand on both sides of a change of them.
async fn steadily<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    match attempt().await {
        Some(done) => done,
        None => attempt().await.expect("links change once in five minutes"),
    }
}

#[tokio::test]
async fn an_etag_stands_for_the_whole_answer() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let server_key = Api::with_key(&server, &server.server_key().await).await;
    let tenant_key = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let member = Api::of(&server, "member").await;
    make(&operator, "others", "targeted", 0.0, json!({ "tenantSlugs": ["globex"] })).await;
    for api in [&server_key, &tenant_key, &member] {
        steadily(async || {
            let (one, other) = (bulk(api, "acme").await, bulk(api, "acme").await);
            (one.etag() == other.etag()).then(|| assert_eq!(one.text, other.text))
        })
        .await;
        let whole = bulk(api, "acme").await;
        let again =
            |etag: &str| api.post(BULK).json(context("acme")).header("if-none-match", etag.to_owned());
        steadily(async || {
            let same = again(&bulk(api, "acme").await.etag()).send().await;
            (same.status == 304).then(|| assert!(same.bytes.is_empty() && !same.etag().is_empty()))
        })
        .await;
        again("\"else\"").send().await.is(200);
        // What a client says of an event does not matter: everybody is answered the newest.
        let path = format!("{BULK}?flagConfigEtag=%22x%22&flagConfigLastModified=1771622898");
        let asked = api.post(path).json(context("acme")).header("if-none-match", whole.etag()).send().await;
        assert!([200, 304].contains(&asked.status));
        api.post(format!("{BULK}?flagConfigLastModified=2026-02-20T21:28:18Z"))
            .json(context("acme"))
            .send()
            .await
            .is(200);
    }
    // By another caller or for another tenant it is another answer, with another link in it.
    let etags = [
        bulk(&server_key, "acme").await.etag(),
        bulk(&server_key, "globex").await.etag(),
        bulk(&tenant_key, "acme").await.etag(),
        bulk(&member, "acme").await.etag(),
    ];
    for (index, etag) in etags.iter().enumerate() {
        assert!(etags.iter().skip(index + 1).all(|other| other != etag));
    }
    // Of what happens to others, the tenant's key and the member see nothing; who covers all sees a new version.
    steadily(async || {
        let before =
            [bulk(&tenant_key, "acme").await, bulk(&member, "acme").await, bulk(&server_key, "acme").await];
        let body = json!({ "scope": { "tenantSlugs": ["globex", "hooli", fresh()] } });
        operator.patch("/flags/others").on_any().json(body).send().await.is(200);
        let after =
            [bulk(&tenant_key, "acme").await, bulk(&member, "acme").await, bulk(&server_key, "acme").await];
        assert_ne!(before[2].etag(), after[2].etag());
        (link(&before[0]) == link(&after[0]) && link(&before[1]) == link(&after[1])).then(|| {
            for place in 0..2 {
                assert_eq!(
                    (&before[place].text, before[place].etag()),
                    (&after[place].text, after[place].etag())
                );
            }
        })
    })
    .await;
}

pub fn fresh() -> String {
    format!("t{}", uuid::Uuid::now_v7().simple())
}

/// One tag, one body: also where only what is said beside the value changes.
#[tokio::test]
async fn no_two_answers_have_one_etag() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let callers = [
        Api::with_key(&server, &server.server_key().await).await,
        Api::with_key(&server, &server.tenant_key("acme").await).await,
        Api::of(&server, "member").await,
    ];
    make(&operator, "shifting", "off", 20.0, json!({ "plans": ["business", "enterprise", "free"] })).await;
    let mut seen: Vec<std::collections::HashMap<String, String>> = vec![Default::default(); callers.len()];
    let mut bodies = std::collections::HashSet::new();
    let patch = |change: Value| operator.patch("/flags/shifting").on_any().json(change);
    for step in 0..8 {
        match step {
            0 => drop(operator.post("/flags/shifting/kill").on_any().send().await.is(200)),
            1 => drop(patch(json!({ "description": "It is off." })).send().await.is(200)),
            2 => drop(patch(json!({ "state": "targeted" })).send().await.is(200)),
            3 => drop(patch(json!({ "scope": { "tenantSlugs": ["acme"] } })).send().await.is(200)),
            4 => drop(patch(json!({ "scope": { "environments": ["production"] } })).send().await.is(200)),
            5 => drop(operator.post("/flags/shifting/kill").on_any().send().await.is(200)),
            6 => drop(patch(json!({ "pct": 7 })).send().await.is(200)),
            _ => drop(patch(json!({ "state": "on" })).send().await.is(200)),
        }
        for (api, seen) in callers.iter().zip(&mut seen) {
            let answer = bulk(api, "acme").await;
            bodies.insert(answer.body["flags"].to_string());
            let known = seen.entry(answer.etag()).or_insert_with(|| answer.text.clone());
            assert_eq!(*known, answer.text, "step {step}");
        }
    }
    assert!(bodies.len() > 9, "{}", bodies.len());
}

/// Values and the version that they are of belong together, whatever is written meanwhile.
#[tokio::test]
async fn no_answer_is_torn_between_two_versions() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    for key in ["torn_a", "torn_b"] {
        make(&operator, key, "off", 0.0, json!({})).await;
    }
    let callers = [
        Api::with_key(&server, &server.server_key().await).await,
        Api::with_key(&server, &server.tenant_key("acme").await).await,
    ];
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let ordering = std::sync::atomic::Ordering::SeqCst;
    let writing = async {
        for number in 0..150 {
            let key = ["torn_a", "torn_b"][number % 2];
            let state = ["on", "off"][number / 2 % 2];
            let body = json!({ "state": state });
            operator.patch(format!("/flags/{key}")).on_any().json(body).send().await.is(200);
        }
        is_over.store(true, ordering);
    };
    let reading = join_all(callers.iter().cycle().take(8).map(|api| async {
        let mut seen = std::collections::HashMap::new();
        while !is_over.load(ordering) {
            let answer = api.post(BULK).json(context("acme")).send().await.is(200);
            let mut body = answer.body.clone();
            body.as_object_mut().unwrap().remove("eventStreams");
            let version = body["metadata"]["version"].as_str().unwrap().to_owned();
            let known = seen.entry(version).or_insert_with(|| body.clone());
            assert_eq!(*known, body);
        }
        seen
    }));
    let ((), seen) = tokio::join!(writing, reading);
    for place in 0..callers.len() {
        let mut all = std::collections::HashMap::new();
        for (version, body) in seen.iter().skip(place).step_by(callers.len()).flatten() {
            assert_eq!(*all.entry(version).or_insert(body), body, "{version}");
        }
        assert!(all.len() > 20, "{}", all.len());
    }
}
