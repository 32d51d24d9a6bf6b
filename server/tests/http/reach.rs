//! Reach: which instances evaluate with which flags, as machine keys report it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

/// An instance checks in, as a client does once it evaluates with what it was given.
async fn says(key: &Api, path: &str, name: &str, digest: Option<&str>) -> Answer {
    let ask = key.get(path).header("dezky-instance", name);
    let ask = match digest {
        Some(digest) => ask.header("dezky-digest", digest).header("if-none-match", format!("\"{digest}\"")),
        None => ask,
    };
    ask.send().await
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

/// Who stands how, by name.
fn standings(reach: &Value) -> Vec<(String, String)> {
    let text = |instance: &Value, member: &str| instance[member].as_str().unwrap().to_owned();
    let instances = reach["instances"].as_array().unwrap().iter();
    let mut all: Vec<_> =
        instances.map(|instance| (text(instance, "instance"), text(instance, "standing"))).collect();
    all.sort();
    all
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, standing)| ((*name).to_owned(), (*standing).to_owned())).collect()
}

async fn change(operator: &Api, key: &str, change: Value) {
    operator.patch(format!("/flags/{key}")).on_any().json(change).send().await.is(200);
}

#[tokio::test]
async fn an_instance_has_the_newest_when_it_says_so() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let (id, secret) = server.key(json!({ "name": "Fleet", "kind": "server" })).await;
    let key = Api::with_key(&server, &secret).await;
    assert_eq!(counts(&reach(&operator).await), [0, 0, 0]);
    let first = says(&key, "/flags/snapshot", "web-1", None).await.is(200);
    // It was given the newest, and has not said yet that it evaluates with it.
    assert_eq!(standings(&reach(&operator).await), pairs(&[("web-1", "pending")]));
    says(&key, "/flags/snapshot", "web-1", Some(&digest(&first))).await.is(304);
    let view = reach(&operator).await;
    assert_eq!((standings(&view), counts(&view)), (pairs(&[("web-1", "reached")]), [1, 0, 0]));
    assert_eq!((&view["digest"], &view["revision"]), (&json!(digest(&first)), &first.body["revision"]));
    let instance = &view["instances"][0];
    assert_eq!((&instance["keyId"], &instance["environment"]), (&json!(id), &json!("production")));
    assert_eq!(instance["digest"], digest(&first));
    says(&key, "/flags/snapshot", "web-2", Some(&digest(&first))).await.is(304);
    change(&operator, "meetings_e2ee", json!({ "state": "on" })).await;
    assert_eq!(counts(&reach(&operator).await), [0, 2, 0]);
    let second = says(&key, "/flags/snapshot", "web-1", Some(&digest(&first))).await.is(200);
    assert_eq!(counts(&reach(&operator).await), [0, 2, 0]);
    says(&key, "/flags/stream", "web-1", Some(&digest(&second))).await.is(200);
    let view = reach(&operator).await;
    assert_eq!(standings(&view), pairs(&[("web-1", "reached"), ("web-2", "pending")]));
    assert_eq!(view["instances"][0]["instance"], "web-2", "those that are pending come first");
    // A tenant that moves changes no snapshot.
    operator.patch("/tenants/acme").on_any().json(json!({ "plan": "free" })).send().await.is(200);
    assert_eq!(counts(&reach(&operator).await), [1, 1, 0]);
}

#[tokio::test]
async fn each_environment_and_each_slice_has_a_newest_of_its_own() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let staging = server.key(json!({ "name": "S", "kind": "server", "environment": "staging" })).await.1;
    let staging = Api::with_key(&server, &staging).await;
    let acme = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let globex = Api::with_key(&server, &server.tenant_key("globex").await).await;
    for (key, path, name) in [
        (&staging, "/flags/snapshot", "staging-1"),
        (&acme, "/flags/slice?tenant=acme", "acme-1"),
        (&globex, "/flags/slice?tenant=globex", "globex-1"),
    ] {
        let given = says(key, path, name, None).await.is(200);
        says(key, path, name, Some(&digest(&given))).await.is(304);
    }
    let view = reach(&operator).await;
    assert_eq!(counts(&view), [3, 0, 0]);
    let slugs: Vec<&Value> =
        view["instances"].as_array().unwrap().iter().map(|instance| &instance["tenantSlug"]).collect();
    assert_eq!(slugs, [&json!("acme"), &json!("globex"), &Value::Null]);
    // Only acme's slice changes by this; whole snapshots all do.
    change(
        &operator,
        "new_billing_engine",
        json!({ "state": "targeted", "scope": { "tenantSlugs": ["nobody"] } }),
    )
    .await;
    let all = standings(&reach(&operator).await);
    assert_eq!(all, pairs(&[("acme-1", "pending"), ("globex-1", "pending"), ("staging-1", "pending")]));
    for (key, path, name) in
        [(&acme, "/flags/slice?tenant=acme", "acme-1"), (&globex, "/flags/slice?tenant=globex", "globex-1")]
    {
        let given = says(key, path, name, None).await.is(200);
        says(key, path, name, Some(&digest(&given))).await.is(304);
    }
    change(&operator, "new_billing_engine", json!({ "scope": { "tenantSlugs": ["nobody", "acme"] } })).await;
    let all = standings(&reach(&operator).await);
    assert_eq!(all, pairs(&[("acme-1", "pending"), ("globex-1", "reached"), ("staging-1", "pending")]));
}

#[tokio::test]
async fn a_kill_can_wait_for_those_who_are_there() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let kill = async |flag: &str, wait: &str| {
        let started = Instant::now();
        let answer = operator.post(format!("/flags/{flag}/kill{wait}")).on_any().send().await;
        (answer, started.elapsed())
    };
    let plain = kill("files_delta_sync", "").await.0.is(200);
    assert!(plain.body.get("reach").is_none());
    // Nobody is there: nobody is waited for.
    let (alone, took) = kill("calendar_free_busy", "?wait=10s").await;
    assert_eq!((counts(&alone.is(200).body["reach"]), took < Duration::from_secs(5)), ([0, 0, 0], true));
    let first = says(&key, "/flags/snapshot", "web-1", None).await.is(200);
    says(&key, "/flags/snapshot", "web-1", Some(&digest(&first))).await.is(304);
    // It does not come round: the answer says so when the time is over.
    let (late, took) = kill("mail_phishing_banner", "?wait=300ms").await;
    let late = late.is(200);
    assert_eq!((&late.body["state"], counts(&late.body["reach"])), (&json!("off"), [0, 1, 0]));
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(3), "{took:?}");
    // It does.
    let mut stream = key.get("/flags/stream").header("dezky-instance", "web-1").open().await;
    stream.next().await;
    let follows = async {
        let (_, told) = stream.next().await;
        let given = says(&key, "/flags/snapshot", "web-1", None).await.is(200);
        assert_eq!(told["digest"], digest(&given));
        says(&key, "/flags/snapshot", "web-1", Some(&digest(&given))).await.is(304);
    };
    let ((killed, took), ()) = tokio::join!(kill("meetings_e2ee", "?wait=10s"), follows);
    let killed = killed.is(200);
    assert_eq!((&killed.body["state"], counts(&killed.body["reach"])), (&json!("off"), [1, 0, 0]));
    assert!(took < Duration::from_secs(5), "{took:?}");
    for wrong in ["2", "s", "11s", "10001ms", "-1s", "+1s", "1.5s", "1m", "99999999999s", ""] {
        let answer = operator.post(format!("/flags/meetings_e2ee/kill?wait={wrong}")).on_any().send().await;
        let answer = answer.refused(400, "invalid_parameter").at("?wait");
        // The text says range, unit and form.
        for part in ["whole number", "ms or s", "from 0ms to 10s", "500ms"] {
            assert!(answer.body["detail"].as_str().unwrap().contains(part), "{}", answer.text);
        }
    }
    // Once more under the same name: the same answer, and no wait.
    let ask = || operator.post("/flags/meetings_live_captions/kill?wait=200ms").on_any().key("kill-once");
    let (one, other) = (ask().send().await.is(200), ask().send().await.is(200));
    assert_eq!(one.body["version"], other.body["version"]);
}

#[tokio::test]
async fn nobody_speaks_for_anothers_instance() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let rogue = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let given = says(&fleet, "/flags/snapshot", "web-1", None).await.is(200);
    // Another's key, the same name, and the very digest: it is another instance.
    says(&rogue, "/flags/slice?tenant=acme", "web-1", Some(&digest(&given))).await.is(200);
    // What it may not read is no way to say anything.
    says(&rogue, "/flags/snapshot", "web-1", Some(&digest(&given))).await.is(403);
    says(&rogue, "/flags/slice?tenant=globex", "rogue", Some(&digest(&given))).await.is(404);
    let nobody = Api::nobody(&server).await;
    says(&nobody, "/flags/snapshot", "web-9", Some(&digest(&given))).await.is(401);
    let view = reach(&operator).await;
    assert_eq!(standings(&view), pairs(&[("web-1", "pending"), ("web-1", "pending")]));
    says(&fleet, "/flags/snapshot", "web-1", Some(&digest(&given))).await.is(304);
    assert_eq!(counts(&reach(&operator).await), [1, 1, 0]);
}

#[tokio::test]
async fn what_is_malformed_is_not_taken_down() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let longest = "a".repeat(64);
    for name in ["a b", "a/b", "<script>", "a\u{e9}", "", "a,b", "a\"b", &format!("{longest}a")] {
        says(&key, "/flags/snapshot", name, None).await.is(200);
    }
    assert_eq!(counts(&reach(&operator).await), [0, 0, 0]);
    let names = ["A.b_c-9", &longest, "x"];
    for name in names {
        says(&key, "/flags/snapshot", name, None).await.is(200);
    }
    // Half a digest is none.
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

/// People have no instances: names that they invent change nothing, and nothing about them is shown.
#[tokio::test]
async fn only_machine_keys_have_instances() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let given = says(&fleet, "/flags/snapshot", "web-1", None).await.is(200);
    says(&fleet, "/flags/snapshot", "web-1", Some(&digest(&given))).await.is(304);
    let before = reach(&operator).await;
    assert_eq!((&before["standing"], counts(&before)), (&json!("reached"), [1, 0, 0]));
    let member = Api::of(&server, "member").await;
    for number in 0..100 {
        says(&member, "/flags/slice?tenant=acme", &format!("browser-{number}"), None).await.is(200);
        says(&operator, "/flags/snapshot", &format!("shell-{number}"), None).await.is(200);
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

/// A tenant's key that reports more instances than the table holds hides no other instance, and from
/// then on the answer is `unknown`: an instance that could not be remembered may be pending.
#[tokio::test]
async fn a_full_table_answers_unknown_and_never_reached() {
    const MOST: usize = 1_000;
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let (id, secret) = server.key(json!({ "name": "Rogue", "kind": "tenant", "tenantSlug": "acme" })).await;
    let rogue = Api::with_key(&server, &secret).await;
    let given = says(&fleet, "/flags/snapshot", "web-1", None).await.is(200);
    says(&fleet, "/flags/snapshot", "web-1", Some(&digest(&given))).await.is(304);
    let slice = says(&rogue, "/flags/slice?tenant=acme", "0", None).await.is(200);
    let own = digest(&slice);
    for number in 0..MOST {
        says(&rogue, "/flags/slice?tenant=acme", &number.to_string(), Some(&own)).await.is(304);
    }
    let view = reach(&operator).await;
    assert_eq!((&view["standing"], counts(&view)), (&json!("reached"), [MOST as u64 + 1, 0, 0]));
    assert_eq!(view["incompleteKeys"], json!([]));
    says(&rogue, "/flags/slice?tenant=acme", "one-more", Some(&own)).await.is(304);
    let view = reach(&operator).await;
    assert_eq!((&view["standing"], counts(&view)), (&json!("unknown"), [MOST as u64 + 1, 0, 0]));
    assert_eq!(view["incompleteKeys"], json!([id]));
    // The fleet's instance is still watched, and other keys still have room.
    says(&fleet, "/flags/snapshot", "web-2", Some(&digest(&given))).await.is(304);
    assert_eq!(counts(&reach(&operator).await), [MOST as u64 + 2, 0, 0]);
    let killed = operator.post("/flags/meetings_e2ee/kill?wait=100ms").on_any().send().await.is(200);
    assert_eq!(killed.body["reach"]["standing"], "unknown");
    assert!(counts(&killed.body["reach"])[1] >= 2, "the fleet's instances are pending");
}

/// An instance that signs off is gone at once, so a kill that waits for it is complete.
#[tokio::test]
async fn an_instance_that_signs_off_is_not_waited_for() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let acme = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let places = [(&fleet, "/flags/snapshot"), (&acme, "/flags/slice?tenant=acme")];
    for (key, path) in places {
        let given = says(key, path, "one", None).await.is(200);
        says(key, path, "one", Some(&digest(&given))).await.is(304);
        says(key, path, "other", Some(&digest(&given))).await.is(304);
    }
    let closes = async |key: &Api, path: &str, name: &str| {
        let ask = key.get(path).header("dezky-instance", name).header("dezky-closing", "1");
        ask.header("if-none-match", "*").send().await.is(304)
    };
    closes(&fleet, "/flags/snapshot", "one").await;
    closes(&acme, "/flags/slice?tenant=acme", "one").await;
    // An instance that was never heard of may sign off too, and a key signs off its own instances alone.
    closes(&fleet, "/flags/snapshot", "never-seen").await;
    let view = reach(&operator).await;
    assert_eq!((standings(&view), counts(&view)), (pairs(&[("other", "reached"); 2]), [2, 0, 0]));
    // A kill is waiting for both when they sign off: it is complete then.
    let kill = operator.post("/flags/meetings_e2ee/kill?wait=10s").on_any().send();
    let sign_off = async {
        while reach(&operator).await["pending"] != 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        closes(&fleet, "/flags/snapshot", "other").await;
        closes(&acme, "/flags/slice?tenant=acme", "other").await;
    };
    let started = Instant::now();
    let (killed, ()) = tokio::join!(kill, sign_off);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let view = &killed.is(200).body["reach"];
    assert_eq!((&view["standing"], counts(view)), (&json!("reached"), [0, 0, 0]));
}
