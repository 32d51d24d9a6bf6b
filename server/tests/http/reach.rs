//! Reach: which instances evaluate with which revision, as machine keys report it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Api, Server, eventually};

/// Reports an instance, with the digest that it evaluates with if it has one.
async fn report(key: &Api, path: &str, name: &str, digest: Option<&str>) -> Answer {
    let request = key.get(path).header("dezky-instance", name);
    let request = match digest {
        Some(digest) => {
            request.header("dezky-digest", digest).header("if-none-match", format!("\"{digest}\""))
        }
        None => request,
    };
    request.send().await
}

fn digest(answer: &Answer) -> String {
    answer.etag().trim_matches('"').to_owned()
}

async fn reach(operator: &Api) -> Value {
    operator.get("/flags/reach").send().await.is(200).body
}

fn counts(reach: &Value) -> [u64; 3] {
    ["reached", "pending", "silent"].map(|name| reach[name].as_u64().unwrap())
}

/// The name and standing of each instance, sorted by name.
fn standings(reach: &Value) -> Vec<(String, String)> {
    let text = |instance: &Value, member: &str| instance[member].as_str().unwrap().to_owned();
    let instances = reach["instances"].as_array().unwrap().iter();
    let mut all: Vec<_> =
        instances.map(|instance| (text(instance, "instance"), text(instance, "standing"))).collect();
    all.sort();
    all
}

fn expected(standings: &[(&str, &str)]) -> Vec<(String, String)> {
    standings.iter().map(|(name, standing)| ((*name).to_owned(), (*standing).to_owned())).collect()
}

async fn change(operator: &Api, key: &str, change: Value) {
    operator.patch(format!("/flags/{key}")).any_version().json(change).send().await.is(200);
}

#[tokio::test]
async fn an_instance_is_reached_when_it_reports_the_newest_digest() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let (id, secret) = server.create_key(json!({ "name": "Fleet", "kind": "server" })).await;
    let key = Api::with_key(&server, &secret).await;
    assert_eq!(counts(&reach(&operator).await), [0, 0, 0]);
    let first = report(&key, "/flags/snapshot", "web-1", None).await.is(200);
    // The instance received the newest snapshot, but does not report its digest yet.
    assert_eq!(standings(&reach(&operator).await), expected(&[("web-1", "pending")]));
    report(&key, "/flags/snapshot", "web-1", Some(&digest(&first))).await.is(304);
    let view = reach(&operator).await;
    assert_eq!((standings(&view), counts(&view)), (expected(&[("web-1", "reached")]), [1, 0, 0]));
    assert_eq!((&view["digest"], &view["revision"]), (&json!(digest(&first)), &first.body["revision"]));
    let instance = &view["instances"][0];
    assert_eq!((&instance["keyId"], &instance["environment"]), (&json!(id), &json!("production")));
    assert_eq!(instance["digest"], digest(&first));
    report(&key, "/flags/snapshot", "web-2", Some(&digest(&first))).await.is(304);
    change(&operator, "meetings_e2ee", json!({ "state": "on" })).await;
    assert_eq!(counts(&reach(&operator).await), [0, 2, 0]);
    let second = report(&key, "/flags/snapshot", "web-1", Some(&digest(&first))).await.is(200);
    assert_eq!(counts(&reach(&operator).await), [0, 2, 0]);
    report(&key, "/flags/stream", "web-1", Some(&digest(&second))).await.is(200);
    let view = reach(&operator).await;
    assert_eq!(standings(&view), expected(&[("web-1", "reached"), ("web-2", "pending")]));
    assert_eq!(view["instances"][0]["instance"], "web-2", "pending instances do not come first");
    // A tenant's new plan changes no snapshot.
    operator.patch("/tenants/acme").any_version().json(json!({ "plan": "free" })).send().await.is(200);
    assert_eq!(counts(&reach(&operator).await), [1, 1, 0]);
}

#[tokio::test]
async fn each_environment_and_each_slice_has_its_own_newest_digest() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let staging =
        server.create_key(json!({ "name": "S", "kind": "server", "environment": "staging" })).await.1;
    let staging = Api::with_key(&server, &staging).await;
    let acme = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let globex = Api::with_key(&server, &server.tenant_key("globex").await).await;
    for (key, path, name) in [
        (&staging, "/flags/snapshot", "staging-1"),
        (&acme, "/flags/slice?tenant=acme", "acme-1"),
        (&globex, "/flags/slice?tenant=globex", "globex-1"),
    ] {
        let given = report(key, path, name, None).await.is(200);
        report(key, path, name, Some(&digest(&given))).await.is(304);
    }
    let view = reach(&operator).await;
    assert_eq!(counts(&view), [3, 0, 0]);
    let slugs: Vec<&Value> =
        view["instances"].as_array().unwrap().iter().map(|instance| &instance["tenantSlug"]).collect();
    assert_eq!(slugs, [&json!("acme"), &json!("globex"), &Value::Null]);
    // This change of state shows in every slice and every snapshot.
    change(
        &operator,
        "new_billing_engine",
        json!({ "state": "targeted", "scope": { "tenantSlugs": ["nobody"] } }),
    )
    .await;
    let all = standings(&reach(&operator).await);
    assert_eq!(all, expected(&[("acme-1", "pending"), ("globex-1", "pending"), ("staging-1", "pending")]));
    for (key, path, name) in
        [(&acme, "/flags/slice?tenant=acme", "acme-1"), (&globex, "/flags/slice?tenant=globex", "globex-1")]
    {
        let given = report(key, path, name, None).await.is(200);
        report(key, path, name, Some(&digest(&given))).await.is(304);
    }
    change(&operator, "new_billing_engine", json!({ "scope": { "tenantSlugs": ["nobody", "acme"] } })).await;
    let all = standings(&reach(&operator).await);
    assert_eq!(all, expected(&[("acme-1", "pending"), ("globex-1", "reached"), ("staging-1", "pending")]));
}

#[tokio::test]
async fn a_kill_can_wait_for_the_instances() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let kill = async |flag: &str, wait: &str| {
        let started = Instant::now();
        let answer = operator.post(format!("/flags/{flag}/kill{wait}")).any_version().send().await;
        (answer, started.elapsed())
    };
    let plain = kill("files_delta_sync", "").await.0.is(200);
    assert!(plain.body.get("reach").is_none());
    // Without instances, the kill does not wait.
    let (alone, took) = kill("calendar_free_busy", "?wait=10s").await;
    assert_eq!((counts(&alone.is(200).body["reach"]), took < Duration::from_secs(5)), ([0, 0, 0], true));
    let first = report(&key, "/flags/snapshot", "web-1", None).await.is(200);
    report(&key, "/flags/snapshot", "web-1", Some(&digest(&first))).await.is(304);
    // The instance does not follow: the answer reports it as pending after the wait.
    let (late, took) = kill("mail_phishing_banner", "?wait=300ms").await;
    let late = late.is(200);
    assert_eq!((&late.body["state"], counts(&late.body["reach"])), (&json!("off"), [0, 1, 0]));
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(3), "{took:?}");
    // The instance follows its stream.
    let mut stream = key.get("/flags/stream").header("dezky-instance", "web-1").open().await;
    stream.next().await;
    let follows = async {
        let (_, data) = stream.next().await;
        let given = report(&key, "/flags/snapshot", "web-1", None).await.is(200);
        assert_eq!(data["digest"], digest(&given));
        report(&key, "/flags/snapshot", "web-1", Some(&digest(&given))).await.is(304);
    };
    let ((killed, took), ()) = tokio::join!(kill("meetings_e2ee", "?wait=10s"), follows);
    let killed = killed.is(200);
    assert_eq!((&killed.body["state"], counts(&killed.body["reach"])), (&json!("off"), [1, 0, 0]));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn an_invalid_wait_is_refused_with_its_range_unit_and_form() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    for wrong in ["2", "s", "11s", "10001ms", "-1s", "+1s", "1.5s", "1m", "99999999999s", ""] {
        let answer =
            operator.post(format!("/flags/meetings_e2ee/kill?wait={wrong}")).any_version().send().await;
        let answer = answer.refused(400, "invalid_parameter").at("?wait");
        for part in ["whole number", "ms or s", "from 0ms to 10s", "500ms"] {
            assert!(answer.body["detail"].as_str().unwrap().contains(part), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_kill_that_is_repeated_under_one_key_has_one_effect() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let request = || {
        operator
            .post("/flags/meetings_live_captions/kill?wait=200ms")
            .any_version()
            .idempotency_key("kill-once")
    };
    let (one, other) = (request().send().await.is(200), request().send().await.is(200));
    assert_eq!(one.body["version"], other.body["version"]);
}

#[tokio::test]
async fn a_key_reports_only_instances_of_its_own() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let rogue = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let given = report(&fleet, "/flags/snapshot", "web-1", None).await.is(200);
    // With another key, the same name and digest are another instance.
    report(&rogue, "/flags/slice?tenant=acme", "web-1", Some(&digest(&given))).await.is(200);
    // A refused request reports nothing.
    report(&rogue, "/flags/snapshot", "web-1", Some(&digest(&given))).await.is(403);
    report(&rogue, "/flags/slice?tenant=globex", "rogue", Some(&digest(&given))).await.is(404);
    let anonymous = Api::anonymous(&server).await;
    report(&anonymous, "/flags/snapshot", "web-9", Some(&digest(&given))).await.is(401);
    let view = reach(&operator).await;
    assert_eq!(standings(&view), expected(&[("web-1", "pending"), ("web-1", "pending")]));
    report(&fleet, "/flags/snapshot", "web-1", Some(&digest(&given))).await.is(304);
    assert_eq!(counts(&reach(&operator).await), [1, 1, 0]);
}

#[tokio::test]
async fn malformed_names_and_digests_are_ignored() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let longest = "a".repeat(64);
    for name in ["a b", "a/b", "<script>", "a\u{e9}", "", "a,b", "a\"b", &format!("{longest}a")] {
        report(&key, "/flags/snapshot", name, None).await.is(200);
    }
    assert_eq!(counts(&reach(&operator).await), [0, 0, 0]);
    let names = ["A.b_c-9", &longest, "x"];
    for name in names {
        report(&key, "/flags/snapshot", name, None).await.is(200);
    }
    // A malformed digest does not count.
    for wrong in ["abc", &"A".repeat(64), &"g".repeat(64)] {
        key.get("/flags/snapshot")
            .header("dezky-instance", "x")
            .header("dezky-digest", wrong)
            .send()
            .await
            .is(200);
    }
    let view = reach(&operator).await;
    let mut seen: Vec<String> = standings(&view).into_iter().map(|(name, _)| name).collect();
    seen.sort();
    assert_eq!(seen, names);
    assert!(view["instances"].as_array().unwrap().iter().all(|instance| instance["digest"].is_null()));
}

/// Users have no instances: names that they send change nothing, and do not show.
#[tokio::test]
async fn only_machine_keys_have_instances() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let given = report(&fleet, "/flags/snapshot", "web-1", None).await.is(200);
    report(&fleet, "/flags/snapshot", "web-1", Some(&digest(&given))).await.is(304);
    let before = reach(&operator).await;
    assert_eq!((&before["standing"], counts(&before)), (&json!("reached"), [1, 0, 0]));
    let member = Api::sign_in(&server, "member").await;
    for number in 0..100 {
        report(&member, "/flags/slice?tenant=acme", &format!("browser-{number}"), None).await.is(200);
        report(&operator, "/flags/snapshot", &format!("shell-{number}"), None).await.is(200);
    }
    let mut view = reach(&operator).await;
    assert_eq!(view, before);
    for instance in view["instances"].as_array_mut().unwrap() {
        let allowed = ["instance", "standing", "keyId", "tenantSlug", "environment", "digest", "lastHeardAt"];
        assert!(
            instance.as_object().unwrap().keys().all(|member| allowed.contains(&&**member)),
            "{instance}"
        );
    }
}

/// A tenant key that reports more instances than the table holds hides no other instance. From then
/// on the answer is `unknown`, because an instance that found no room may be pending.
#[tokio::test]
async fn a_full_table_answers_unknown_and_never_reached() {
    const MOST: usize = 1_000;
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let (id, secret) =
        server.create_key(json!({ "name": "Rogue", "kind": "tenant", "tenantSlug": "acme" })).await;
    let rogue = Api::with_key(&server, &secret).await;
    let given = report(&fleet, "/flags/snapshot", "web-1", None).await.is(200);
    report(&fleet, "/flags/snapshot", "web-1", Some(&digest(&given))).await.is(304);
    let slice = report(&rogue, "/flags/slice?tenant=acme", "0", None).await.is(200);
    let own = digest(&slice);
    for number in 0..MOST {
        report(&rogue, "/flags/slice?tenant=acme", &number.to_string(), Some(&own)).await.is(304);
    }
    let view = reach(&operator).await;
    assert_eq!((&view["standing"], counts(&view)), (&json!("reached"), [MOST as u64 + 1, 0, 0]));
    assert_eq!(view["incompleteKeys"], json!([]));
    report(&rogue, "/flags/slice?tenant=acme", "one-more", Some(&own)).await.is(304);
    let view = reach(&operator).await;
    assert_eq!((&view["standing"], counts(&view)), (&json!("unknown"), [MOST as u64 + 1, 0, 0]));
    assert_eq!(view["incompleteKeys"], json!([id]));
    // The instance of the server key still counts, and other keys have room.
    report(&fleet, "/flags/snapshot", "web-2", Some(&digest(&given))).await.is(304);
    assert_eq!(counts(&reach(&operator).await), [MOST as u64 + 2, 0, 0]);
    let killed = operator.post("/flags/meetings_e2ee/kill?wait=100ms").any_version().send().await.is(200);
    assert_eq!(killed.body["reach"]["standing"], "unknown");
    assert!(counts(&killed.body["reach"])[1] >= 2, "the instances of the server key are not pending");
}

/// An instance that signs off is removed at once, so a kill that waits for it completes.
#[tokio::test]
async fn an_instance_that_signs_off_is_not_waited_for() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let acme = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let documents = [(&fleet, "/flags/snapshot"), (&acme, "/flags/slice?tenant=acme")];
    for (key, path) in documents {
        let given = report(key, path, "one", None).await.is(200);
        report(key, path, "one", Some(&digest(&given))).await.is(304);
        report(key, path, "other", Some(&digest(&given))).await.is(304);
    }
    let closes = async |key: &Api, path: &str, name: &str| {
        let request = key.get(path).header("dezky-instance", name).header("dezky-closing", "1");
        request.header("if-none-match", "*").send().await.is(304)
    };
    closes(&fleet, "/flags/snapshot", "one").await;
    closes(&acme, "/flags/slice?tenant=acme", "one").await;
    // An unknown instance may sign off too, and a key signs off only its own instances.
    closes(&fleet, "/flags/snapshot", "never-seen").await;
    let view = reach(&operator).await;
    assert_eq!((standings(&view), counts(&view)), (expected(&[("other", "reached"); 2]), [2, 0, 0]));
    // A kill that waits for both instances completes when they sign off.
    let kill = operator.post("/flags/meetings_e2ee/kill?wait=10s").any_version().send();
    let sign_off = async {
        eventually("both instances are pending", async || {
            (reach(&operator).await["pending"] == 2).then_some(())
        })
        .await;
        closes(&fleet, "/flags/snapshot", "other").await;
        closes(&acme, "/flags/slice?tenant=acme", "other").await;
    };
    let started = Instant::now();
    let (killed, ()) = tokio::join!(kill, sign_off);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let view = &killed.is(200).body["reach"];
    assert_eq!((&view["standing"], counts(view)), (&json!("reached"), [0, 0, 0]));
}
