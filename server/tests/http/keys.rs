//! Machine keys: how they are made, shown, used and revoked, and that their secrets are nowhere.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Answer, Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

const QUIET: [&str; 4] = ["--rate-limit", "0", "--failure-limit", "0"];

async fn operator() -> Api {
    Api::of(&SERVER, "operator").await
}

async fn make(api: &Api, body: Value) -> Answer {
    api.post("/keys").json(body).send().await
}

/// What a key with this secret may ask for first.
async fn tried(server: &Server, secret: &str) -> Answer {
    Api::with_key(server, secret).await.get("/flags/snapshot").send().await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_key_is_made_with_a_secret_that_is_shown_once() {
    let api = operator().await;
    let made = make(&api, json!({ "name": "Mail gateway", "kind": "server" })).await.is(201);
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/keys/{id}"));
    let secret = made.body["secret"].as_str().unwrap();
    assert!(secret.starts_with("dzk_") && secret.len() == 4 + 43, "{secret}");
    assert!(secret.ends_with(made.body["hint"].as_str().unwrap()));
    let shown =
        json!({ "name": "Mail gateway", "kind": "server", "environment": "production", "lastUsedAt": null });
    for (member, value) in shown.as_object().unwrap() {
        assert_eq!(made.body[member], *value, "{member}");
    }
    assert!(made.body.get("tenantId").is_none() && made.body.get("tenantSlug").is_none());
    let mut without = made.body.clone();
    without.as_object_mut().unwrap().remove("secret");
    assert_eq!(api.get(format!("/keys/{id}")).send().await.is(200).body, without);
    let listed = api.get("/keys?limit=200").send().await.is(200);
    assert!(listed.items().contains(&without));
    let other = make(&api, json!({ "name": "Mail gateway", "kind": "server" })).await.is(201);
    assert_ne!(other.body["secret"], made.body["secret"], "names are for people, and may be the same");
    let body =
        json!({ "name": "Acme's portal", "kind": "tenant", "tenantSlug": "acme", "environment": "staging" });
    let of_tenant = make(&api, body).await.is(201).body;
    let acme = api.get("/tenants/acme").send().await.is(200).body;
    assert_eq!((&of_tenant["tenantId"], &of_tenant["tenantSlug"]), (&acme["id"], &json!("acme")));
    assert_eq!(of_tenant["environment"], "staging");
}

#[tokio::test]
async fn what_is_no_key_is_refused_with_its_path() {
    let api = operator().await;
    api.post("/tenants").json(json!({ "slug": "keyless", "name": "K", "plan": "free" })).send().await.is(201);
    api.delete("/tenants/keyless").on_any().send().await.is(200);
    for (wrong, code, at) in [
        (json!({ "kind": "server" }), "missing", "/name"),
        (json!({ "name": "K" }), "missing", "/kind"),
        (json!({ "name": "", "kind": "server" }), "invalid_text", "/name"),
        (json!({ "name": 7, "kind": "server" }), "wrong_type", "/name"),
        (json!({ "name": "K", "kind": "root" }), "unknown_kind", "/kind"),
        (json!({ "name": "K", "kind": 7 }), "unknown_kind", "/kind"),
        (json!({ "name": "K", "kind": "tenant" }), "missing", "/tenantSlug"),
        (json!({ "name": "K", "kind": "server", "tenantSlug": "acme" }), "unknown_field", "/tenantSlug"),
        (json!({ "name": "K", "kind": "tenant", "tenantSlug": "absent" }), "unknown_tenant", "/tenantSlug"),
        (json!({ "name": "K", "kind": "tenant", "tenantSlug": "keyless" }), "unknown_tenant", "/tenantSlug"),
        (json!({ "name": "K", "kind": "tenant", "tenantSlug": ["acme"] }), "wrong_type", "/tenantSlug"),
        (
            json!({ "name": "K", "kind": "server", "environment": "Not One" }),
            "invalid_environment",
            "/environment",
        ),
        (json!({ "name": "K", "kind": "server", "secret": "dzk_mine" }), "unknown_field", "/secret"),
        (json!({ "name": "K", "kind": "server", "hash": "00" }), "unknown_field", "/hash"),
        (json!({ "name": "K", "kind": "server", "id": "mine" }), "unknown_field", "/id"),
    ] {
        let answer = make(&api, wrong.clone()).await;
        assert_eq!((answer.status, answer.code()), (422, code), "{wrong}: {}", answer.text);
        answer.at(at);
    }
    for id in ["absent", "dzk_x", "a%20b"] {
        api.get(format!("/keys/{id}")).send().await.refused(404, "not_found");
        api.delete(format!("/keys/{id}")).send().await.refused(404, "not_found");
    }
    api.patch("/keys/absent").json(json!({ "name": "K" })).send().await.refused(405, "method_not_allowed");
}

/// In no answer, no line of the log, no file of the store.
#[tokio::test]
async fn the_secret_and_its_hash_are_nowhere() {
    let server = Server::start();
    let api = Api::of(&server, "operator").await;
    let body = json!({ "name": "Watched", "kind": "tenant", "tenantSlug": "acme" });
    let made = api.post("/keys").key("once").json(body.clone()).send().await.is(201);
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    let again = api.post("/keys").key("once").json(body).send().await.is(201);
    assert!(again.body.get("secret").is_none(), "{}", again.text);
    assert_eq!((&again.body["id"], again.header("location")), (&made.body["id"], made.header("location")));
    assert_eq!(api.get("/keys").send().await.is(200).items().len(), 1, "no second effect");
    let key = Api::with_key(&server, &secret).await;
    key.get("/flags/slice?tenant=acme").send().await.is(200);
    key.get("/flags/slice?tenant=globex").send().await.is(404);
    let id = made.body["id"].as_str().unwrap();
    let mut answers = vec![again.text];
    for path in ["/keys", "/audit?limit=200", "/audit?entity=key", "/metrics", "/flags/reach"] {
        answers.push(api.get(path).send().await.is(200).text);
    }
    answers.push(api.get(format!("/keys/{id}")).send().await.is(200).text);
    answers.push(Api::of(&server, "owner").await.get("/audit?tenant=acme").send().await.is(200).text);
    answers.push(api.delete(format!("/keys/{id}")).send().await.is(200).text);
    answers.push(api.get("/audit?entity=key").send().await.is(200).text);
    answers.push(tried(&server, &secret).await.is(401).text);
    answers.push(server.log());
    let hash = Sha256::digest(secret.as_bytes());
    // The whole of it, and what could be mistaken for it: its hash, in any writing.
    let random = secret.strip_prefix("dzk_").unwrap();
    let decimal = hash.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    for answer in &answers {
        for hidden in [random, &hex(&hash), &hex(&hash).to_uppercase(), &decimal] {
            assert!(!answer.contains(hidden), "{answer}");
        }
        assert!(!answer.to_lowercase().contains("\"hash\":[") && !answer.contains("\"secret\""), "{answer}");
    }
    let mut files = 0;
    for file in std::fs::read_dir(server.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(random.len()).any(|window| window == random.as_bytes()));
        files += 1;
    }
    assert!(files >= 2, "{files}");
}

#[tokio::test]
async fn keys_are_listed_by_pages() {
    let server = Server::start();
    let api = Api::of(&server, "operator").await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(server.key(json!({ "name": format!("Key {number}"), "kind": "server" })).await.0);
    }
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = api.get(format!("/keys?limit=3{cursor}")).send().await.is(200);
        seen.extend(page.each("id").into_iter().map(str::to_owned));
        pages += 1;
        match page.body["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((seen, pages), (made, 3), "oldest first");
    api.get("/keys?limit=0").send().await.refused(400, "invalid_parameter").at("?limit");
    api.get("/keys?cursor=AAAA").send().await.refused(400, "invalid_cursor");
}

#[tokio::test]
async fn the_last_use_is_known_at_once_and_after_a_restart() {
    let server = Server::start();
    let api = Api::of(&server, "operator").await;
    let (used, secret) = server.key(json!({ "name": "Used", "kind": "server" })).await;
    let (unused, _) = server.key(json!({ "name": "Unused", "kind": "server" })).await;
    let last = async |api: &Api, id: &str| {
        api.get(format!("/keys/{id}")).send().await.is(200).body["lastUsedAt"].clone()
    };
    assert_eq!(last(&api, &used).await, Value::Null);
    tried(&server, &secret).await.is(200);
    let first = last(&api, &used).await;
    assert!(first.is_string());
    // What it may not do is a use as well.
    Api::with_key(&server, &secret).await.get("/tenants").send().await.is(403);
    let second = last(&api, &used).await;
    assert!(second.as_str() > first.as_str(), "{second} after {first}");
    let head = async |api: &Api| api.get("/audit?limit=1").send().await.is(200).body["proof"].clone();
    let before = head(&api).await;
    let server = server.restart(&QUIET);
    let api = Api::of(&server, "operator").await;
    assert_eq!((last(&api, &used).await, last(&api, &unused).await), (second, Value::Null));
    assert_eq!(head(&api).await, before, "a use is no change");
    tried(&server, &secret).await.is(200);
}

#[tokio::test]
async fn a_key_comes_in_either_header() {
    let secret = SERVER.server_key().await;
    let nobody = Api::nobody(&SERVER).await;
    let ask = || nobody.get("/flags/snapshot");
    ask().header("x-api-key", &secret).send().await.is(200);
    ask().header("X-API-KEY", &secret).send().await.is(200);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        ask().header("authorization", format!("{scheme} {secret}")).send().await.is(200);
    }
    for wrong in [
        secret.strip_suffix(|_| true).unwrap(),
        &format!("{secret}A"),
        &secret.to_uppercase(),
        "dzk_",
        "dzk_x",
        "x",
    ] {
        ask().header("x-api-key", wrong).send().await.refused(401, "key_unknown");
    }
    ask().header("authorization", format!("Basic {secret}")).send().await.refused(401, "token_missing");
    ask().header("authorization", secret.clone()).send().await.refused(401, "token_missing");
    // A token is no key, and the other way round.
    let token = SERVER.token("operator").await;
    ask().header("x-api-key", token).send().await.refused(401, "key_unknown");
    let swapped = secret.replacen("dzk_", "dzx_", 1);
    assert_eq!(ask().header("authorization", format!("Bearer {swapped}")).send().await.status, 401);
    // The bearer counts where both are there.
    let member = Api::of(&SERVER, "member").await;
    member
        .get("/flags/snapshot")
        .header("x-api-key", &secret)
        .send()
        .await
        .refused(403, "denied_operator_audience");
    let with_key = Api::with_key(&SERVER, &secret).await;
    with_key.get("/flags/snapshot").header("x-api-key", "dzk_x").send().await.is(200);
}

#[tokio::test]
async fn a_revoked_key_is_unknown_from_the_next_request_on() {
    let server = Server::start();
    let api = Api::of(&server, "operator").await;
    for round in 0..3 {
        let (id, secret) = server.key(json!({ "name": "Under load", "kind": "server" })).await;
        let key = Api::with_key(&server, &secret).await;
        let (is_revoked, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
        let asking = async {
            let mut answers = [0; 2];
            while !is_over.load(Ordering::SeqCst) {
                let was_revoked = is_revoked.load(Ordering::SeqCst);
                let answer = key.get("/flags/snapshot").send().await;
                match was_revoked {
                    true => drop(answer.refused(401, "key_unknown")),
                    false => assert!([200, 401].contains(&answer.status)),
                }
                answers[usize::from(was_revoked)] += 1;
            }
            answers
        };
        let revoking = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let gone = api.delete(format!("/keys/{id}")).send().await.is(200);
            is_revoked.store(true, Ordering::SeqCst);
            assert_eq!(gone.body["id"], id.as_str());
            tokio::time::sleep(Duration::from_millis(100)).await;
            is_over.store(true, Ordering::SeqCst);
        };
        let others = futures_util::future::join_all((0..4).map(|_| async {
            while !is_over.load(Ordering::SeqCst) {
                key.get("/flags/snapshot").send().await;
            }
        }));
        let (answers, (), _) = tokio::join!(asking, revoking, others);
        assert!(answers.iter().all(|&count| count > 0), "round {round}: {answers:?}");
        api.get(format!("/keys/{id}")).send().await.refused(404, "not_found");
        api.delete(format!("/keys/{id}")).send().await.refused(404, "not_found");
    }
    let server = server.restart(&QUIET);
    let api = Api::of(&server, "operator").await;
    assert!(api.get("/keys").send().await.is(200).items().is_empty());
    let log = api.get("/audit?entity=key").send().await.is(200);
    assert_eq!(log.each("action")[..2], ["key.revoke", "key.create"]);
}

#[tokio::test]
async fn a_revoked_keys_streams_end_with_the_next_event() {
    let server = Server::start();
    let api = Api::of(&server, "operator").await;
    let (id, secret) = server.key(json!({ "name": "Streams", "kind": "server" })).await;
    let key = Api::with_key(&server, &secret).await;
    let mut streams = Vec::new();
    for path in ["/flags/stream", "/flags/slice/stream?tenant=acme"] {
        streams.push(key.get(path).open().await);
    }
    let kept = Api::with_key(&server, &server.server_key().await).await;
    let mut other = kept.get("/flags/stream").open().await;
    for stream in streams.iter_mut().chain([&mut other]) {
        stream.next().await;
    }
    api.delete(format!("/keys/{id}")).send().await.is(200);
    api.post("/flags/meetings_e2ee/kill").on_any().send().await.is(200);
    for stream in &mut streams {
        stream.ends_within(Duration::from_secs(2)).await;
    }
    other.next().await;
}

#[tokio::test]
async fn a_key_of_another_environment_asks_in_it() {
    let api = operator().await;
    let scope = json!({ "environments": ["staging"] });
    api.post("/flags")
        .json(json!({ "key": "in_staging", "state": "targeted", "scope": scope }))
        .send()
        .await
        .is(201);
    let body = json!({ "name": "Staging", "kind": "server", "environment": "staging" });
    let staging = Api::with_key(&SERVER, &SERVER.key(body).await.1).await;
    let production = Api::with_key(&SERVER, &SERVER.server_key().await).await;
    let body = json!({ "name": "Acme's", "kind": "tenant", "tenantSlug": "acme", "environment": "staging" });
    let tenant = Api::with_key(&SERVER, &SERVER.key(body).await.1).await;
    for (key, environment, is_on) in
        [(&staging, "staging", true), (&production, "production", false), (&tenant, "staging", true)]
    {
        if key.get("/flags/snapshot").send().await.status == 200 {
            let answer = key.get("/flags/snapshot").send().await.is(200);
            assert_eq!(answer.body["environment"], environment);
        }
        let slice = key.get("/flags/slice?tenant=acme").send().await.is(200);
        assert_eq!(slice.body["environment"], environment);
        let rules =
            dezky_core::flags::Ruleset::new(dezky_core::flags::Snapshot::from_json(&slice.bytes).unwrap());
        let acme = api.get("/tenants/acme").send().await.is(200).body;
        let subject = dezky_core::flags::Subject::new(
            acme["id"].as_str().unwrap(),
            "acme",
            acme["plan"].as_str().unwrap(),
        );
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

#[tokio::test]
async fn the_key_of_a_tenant_that_ends_is_good_for_nothing() {
    let server = Server::start();
    let api = Api::of(&server, "operator").await;
    let key = Api::with_key(&server, &server.tenant_key("hooli").await).await;
    let context = || json!({ "context": { "targetingKey": "hooli" } });
    let mut stream = key.get("/flags/slice/stream?tenant=hooli").open().await;
    stream.next().await;
    api.post("/tenants/hooli/suspend").on_any().send().await.is(200);
    key.get("/flags/slice?tenant=hooli").send().await.is(200);
    key.post("/ofrep/v1/evaluate/flags").json(context()).send().await.is(200);
    stream.next().await;
    api.delete("/tenants/hooli").on_any().send().await.is(200);
    stream.ends_within(Duration::from_secs(2)).await;
    key.get("/flags/slice?tenant=hooli").send().await.refused(404, "not_found");
    key.get("/flags/slice/stream?tenant=hooli").send().await.refused(404, "not_found");
    key.post("/flags/evaluate").json(json!({ "tenantSlug": "hooli" })).send().await.refused(404, "not_found");
    let bulk = async |key: &Api, context| key.post("/ofrep/v1/evaluate/flags").json(context).send().await;
    bulk(&key, context()).await.refused(403, "denied_tenant_terminated");
    // Outside the key's scope nothing shows, neither that a tenant exists nor that it has ended.
    let elsewhere = Api::with_key(&server, &server.tenant_key("globex").await).await;
    bulk(&elsewhere, context()).await.refused(403, "denied_key_scope");
    // The operator, who may read the tenant, is told why.
    api.get("/flags/slice?tenant=hooli").send().await.refused(403, "denied_tenant_terminated");
    let shown = api.get("/keys").send().await.is(200);
    assert_eq!(shown.items()[0]["tenantSlug"], "hooli");
}

#[tokio::test]
async fn an_owner_sees_their_tenants_keys_in_the_log_alone() {
    let server = Server::start();
    let (api, owner) = (Api::of(&server, "operator").await, Api::of(&server, "owner").await);
    let made = server.key(json!({ "name": "Acme's", "kind": "tenant", "tenantSlug": "acme" })).await;
    server.tenant_key("globex").await;
    server.server_key().await;
    api.delete(format!("/keys/{}", made.0)).send().await.is(200);
    let seen = owner.get("/audit?tenant=acme&entity=key").send().await.is(200);
    assert_eq!(seen.each("action"), ["key.revoke", "key.create"]);
    for change in seen.items() {
        assert_eq!(change["entity"]["id"], made.0.as_str());
        let document =
            [&change["before"], &change["after"]].into_iter().find(|side| side.is_object()).unwrap();
        let mut members: Vec<&String> = document.as_object().unwrap().keys().collect();
        members.sort();
        let expected = [
            "createdAt",
            "createdBy",
            "environment",
            "hint",
            "id",
            "kind",
            "name",
            "tenantId",
            "updatedAt",
            "version",
        ];
        assert_eq!(members, expected);
    }
    assert_eq!(api.get("/audit?entity=key").send().await.is(200).items().len(), 4);
    owner.get("/keys").send().await.refused(403, "denied_operator_audience");
}
