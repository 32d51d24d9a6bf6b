//! What instances that evaluate by themselves are given: snapshots, slices, and news of both.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use dezky_core::flags::{Ruleset, Snapshot, Subject};
use futures_util::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Answer, Api, Event, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

const QUIET: [&str; 4] = ["--rate-limit", "0", "--failure-limit", "0"];
const SLICE: &str = "/flags/slice?tenant=acme";
const SLICES: &str = "/flags/slice/stream?tenant=acme";

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn header(answer: &Answer, name: &str) -> Option<String> {
    answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

async fn change(operator: &Api, key: &str, change: Value) {
    operator.patch(format!("/flags/{key}")).on_any().json(change).send().await.is(200);
}

async fn move_to(operator: &Api, tenant: &str, plan: &str) {
    let change = json!({ "plan": plan });
    operator.patch(format!("/tenants/{tenant}")).on_any().json(change).send().await.is(200);
}

/// A whole document that is what it says: canonical, and named by its hash.
fn document(answer: &Answer) -> Snapshot {
    let snapshot = Snapshot::from_json(answer.text.as_bytes()).unwrap();
    assert_eq!(snapshot.to_canonical_json(), answer.text, "it is canonical");
    assert_eq!(answer.etag(), format!("\"{}\"", hash(answer.text.as_bytes())));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("dezky-history").len(), 16);
    snapshot
}

#[tokio::test]
async fn a_snapshot_is_canonical_and_named_by_its_hash() {
    let key = Api::with_key(&SERVER, &SERVER.server_key().await).await;
    for path in ["/flags/snapshot", SLICE] {
        let whole = key.get(path).send().await.is(200);
        let snapshot = document(&whole);
        assert!(snapshot.flags().len() >= 10 && snapshot.environment().as_str() == "production");
        for known in
            [whole.etag(), format!("W/{}", whole.etag()), format!("\"x\", {}", whole.etag()), "*".into()]
        {
            let same = key.get(path).header("if-none-match", &known).send().await.is(304);
            assert!(same.bytes.is_empty());
            for name in ["etag", "dezky-history", "cache-control"] {
                assert_eq!(header(&same, name), header(&whole, name), "{name}");
            }
        }
        for other in ["\"x\"", "x", "", whole.etag().trim_matches('"')] {
            key.get(path).header("if-none-match", other).send().await.is(200);
        }
        let head = key.ask("HEAD", path).send().await.is(200);
        assert!(head.bytes.is_empty());
        assert_eq!(
            (head.etag(), header(&head, "content-length")),
            (whole.etag(), header(&whole, "content-length"))
        );
        assert!(whole.header("cache-control").contains("private"));
        let vary: Vec<&str> =
            whole.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(vary.join(",").contains("authorization"), "{vary:?}");
    }
}

#[tokio::test]
async fn compressed_forms_hold_the_same_bytes() {
    let server = Server::start();
    let key = Api::with_key(&server, &server.server_key().await).await;
    let plain = key.get("/flags/snapshot").send().await.is(200);
    // All at once, so that some meet what another is still making.
    let accepted = ["gzip", "br", "gzip, deflate, br", "gzip;q=1, br;q=0", "identity", "zstd", "*;q=0"];
    let answers = join_all(accepted.iter().cycle().take(21).map(|accepted| async {
        let answer = key.get("/flags/snapshot").header("accept-encoding", *accepted).send().await;
        (*accepted, answer.is(200))
    }));
    for (accepted, answer) in answers.await {
        let expected = match accepted {
            "gzip" | "gzip;q=1, br;q=0" => Some("gzip"),
            "br" | "gzip, deflate, br" => Some("br"),
            _ => None,
        };
        assert_eq!(header(&answer, "content-encoding").as_deref(), expected, "{accepted}");
        assert_eq!((&answer.text, answer.etag()), (&plain.text, plain.etag()), "{accepted}");
        assert_eq!(expected.is_some(), answer.bytes.len() < plain.bytes.len() / 2, "{accepted}");
        assert!(answer.header("vary").contains("accept-encoding"));
    }
    let same =
        key.get("/flags/snapshot").header("accept-encoding", "br").header("if-none-match", plain.etag());
    assert_eq!(header(&same.send().await.is(304), "content-encoding"), None);
}

#[tokio::test]
async fn a_snapshot_stays_what_it_is_until_a_flag_changes() {
    let server = Server::start();
    let secret = server.server_key().await;
    let of = async |server: &Server| {
        let key = Api::with_key(server, &secret).await;
        [key.get("/flags/snapshot").send().await.is(200), key.get(SLICE).send().await.is(200)]
    };
    let told = |answers: &[Answer; 2]| {
        answers.each_ref().map(|answer| (answer.text.clone(), answer.etag(), answer.header("dezky-history")))
    };
    let first = of(&server).await;
    let operator = Api::of(&server, "operator").await;
    move_to(&operator, "globex", "free").await;
    operator
        .post("/tenants")
        .json(json!({ "slug": "newcomer", "name": "N", "plan": "free" }))
        .send()
        .await
        .is(201);
    operator.patch("/partners/lumen").on_any().json(json!({ "name": "L" })).send().await.is(200);
    assert_eq!(told(&of(&server).await), told(&first), "tenants are no part of it");
    let server = server.restart(&QUIET);
    assert_eq!(told(&of(&server).await), told(&first), "nor is the time of the start");
    let operator = Api::of(&server, "operator").await;
    let slice_before = document(&first[1]).revision();
    move_to(&operator, "acme", "free").await;
    let moved = of(&server).await;
    assert_eq!(moved[0].text, first[0].text);
    assert!(document(&moved[1]).revision() > slice_before, "its own record is in the slice's revision");
    change(&operator, "search_across_apps", json!({ "state": "on" })).await;
    let changed = of(&server).await;
    assert!(document(&changed[0]).revision() > document(&first[0]).revision());
    assert_eq!(document(&changed[0]).revision(), document(&changed[1]).revision());
    let server = server.restart_after(&QUIET, |data| {
        let binary = env!("CARGO_BIN_EXE_dezky-server");
        let begun = std::process::Command::new(binary)
            .args(["new-history", "--keep-keys"])
            .arg("--data")
            .arg(data)
            .output()
            .unwrap();
        assert!(begun.status.success(), "{begun:?}");
    });
    let anew = of(&server).await;
    for (before, after) in changed.iter().zip(&anew) {
        assert_eq!((&before.text, before.etag()), (&after.text, after.etag()));
        assert_ne!(before.header("dezky-history"), after.header("dezky-history"), "a new history");
    }
    assert_eq!(anew[0].header("dezky-history"), anew[1].header("dezky-history"));
}

#[tokio::test]
async fn a_slice_answers_its_tenant_as_the_whole_does() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    for (number, scope) in [
        json!({ "tenantSlugs": ["acme", "globex"] }),
        json!({ "partnerSlugs": ["nordlys"], "plans": ["business"] }),
        json!({ "partnerSlugs": ["lumen"] }),
        json!({ "plans": ["enterprise", "free"], "environments": ["production"] }),
    ]
    .iter()
    .enumerate()
    {
        for (state, pct) in [("targeted", 0), ("rollout", 40)] {
            let body =
                json!({ "key": format!("s{number}-{state}"), "state": state, "pct": pct, "scope": scope });
            operator.post("/flags").json(body).send().await.is(201);
        }
    }
    let whole = Ruleset::new(document(&operator.get("/flags/snapshot").send().await.is(200)));
    let tenants = operator.get("/tenants?limit=200&status=active").send().await.is(200);
    let partners = operator.get("/partners").send().await.is(200);
    for tenant in tenants.items() {
        let text = |member: &str| tenant[member].as_str().unwrap();
        let answer = operator.get(format!("/flags/slice?tenant={}", text("slug"))).send().await.is(200);
        let slice = Ruleset::new(document(&answer));
        let subject = Subject::new(text("id"), text("slug"), text("plan")).unwrap();
        let partner = partners.items().iter().find(|partner| partner["id"] == tenant["partnerId"]);
        let subject = match partner {
            Some(partner) => subject.with_partner(partner["slug"].as_str().unwrap()).unwrap(),
            None => subject,
        };
        assert_eq!(slice.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
        for key in whole.keys() {
            assert_eq!(
                slice.explain(key, &subject),
                whole.explain(key, &subject),
                "{key} for {}",
                text("slug")
            );
        }
        assert_eq!(slice.fingerprint(&[subject]), whole.fingerprint(&[subject]));
        for other in tenants.items().iter().filter(|other| *other != tenant) {
            assert!(
                !answer.text.contains(&format!("\"{}\"", other["slug"].as_str().unwrap())),
                "{}",
                answer.text
            );
        }
        assert!(partners.items().iter().all(|one| !answer.text.contains(one["slug"].as_str().unwrap())));
    }
    assert!(tenants.items().len() > 10);
    operator.get("/flags/slice").send().await.refused(400, "missing").at("?tenant");
    operator.get("/flags/slice?tenant=absent").send().await.refused(404, "not_found");
}

#[tokio::test]
async fn the_slug_that_slices_use_for_others_is_nobodys() {
    let operator = Api::of(&SERVER, "operator").await;
    for path in ["/tenants", "/partners"] {
        let body = json!({ "slug": "elsewhere", "name": "E", "plan": "free" });
        let body = if path == "/partners" { json!({ "slug": "elsewhere", "name": "E" }) } else { body };
        operator.post(path).json(body).send().await.refused(422, "reserved_slug").at("/slug");
    }
}

#[tokio::test]
async fn a_stream_tells_what_is_out_and_every_change() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let started = Instant::now();
    let mut stream = key.get("/flags/stream").open().await;
    assert_eq!(stream.answer.header("content-type"), "text/event-stream");
    assert_eq!(stream.answer.header("x-accel-buffering"), "no");
    let first = stream.within(Duration::from_secs(5)).await.flatten().unwrap();
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    let whole = key.get("/flags/snapshot").send().await.is(200);
    assert_eq!(stream.answer.header("dezky-history"), whole.header("dezky-history"));
    let expected = |whole: &Answer| {
        let revision = whole.body["revision"].as_u64().unwrap();
        let population: u64 = whole.header("dezky-population").parse().unwrap();
        let digest = whole.etag().trim_matches('"').to_owned();
        let data = json!({ "revision": revision, "digest": digest, "population": population });
        Event::Told { id: revision.to_string(), name: "revision".to_owned(), data }
    };
    assert_eq!(first, expected(&whole));
    for pct in [1, 2, 3] {
        change(&operator, "meetings_e2ee", json!({ "state": "rollout", "pct": pct })).await;
        let event = stream.within(Duration::from_secs(5)).await.flatten().unwrap();
        assert_eq!(event, expected(&key.get("/flags/snapshot").send().await.is(200)));
    }
    // A tenant's change moves the population alone.
    move_to(&operator, "acme", "free").await;
    let moved = key.get("/flags/snapshot").send().await.is(200);
    assert_eq!(stream.within(Duration::from_secs(5)).await.flatten().unwrap(), expected(&moved));
    stream.is_silent(Duration::from_millis(300)).await;
    // Whoever reconnects is told the latest, whatever was missed.
    drop(stream);
    for pct in [4, 5, 6] {
        change(&operator, "meetings_e2ee", json!({ "pct": pct })).await;
    }
    let mut stream = key.get("/flags/stream").header("last-event-id", "1").open().await;
    let event = stream.within(Duration::from_secs(5)).await.flatten().unwrap();
    assert_eq!(event, expected(&key.get("/flags/snapshot").send().await.is(200)));
    stream.is_silent(Duration::from_millis(300)).await;
    let metrics = Api::nobody(&server).await.get("/metrics").send().await.is(200).text;
    assert!(metrics.lines().any(|line| line == "dezky_streams 1"), "{metrics}");
}

#[tokio::test]
async fn a_burst_ends_with_the_latest() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(key.get("/flags/stream").open().await);
    }
    let changes = 60;
    for number in 0..changes {
        change(&operator, "meetings_e2ee", json!({ "state": "rollout", "pct": number + 1 })).await;
    }
    let newest = key.get("/flags/snapshot").send().await.is(200);
    for stream in &mut streams {
        let (mut last, mut events) = (0, 0);
        loop {
            let (revision, told) = stream.next().await;
            assert!(revision > last, "{revision} after {last}");
            (last, events) = (revision, events + 1);
            if told["digest"] == newest.etag().trim_matches('"') {
                break;
            }
        }
        assert!(events <= changes + 1, "{events}");
        stream.is_silent(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_slices_stream_is_silent_when_others_change() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let make = async |key: &str, scope: Value| {
        let body = json!({ "key": key, "state": "targeted", "scope": scope });
        operator.post("/flags").json(body).send().await.is(201);
    };
    make("by_plan", json!({ "plans": ["enterprise"] })).await;
    make("by_tenant", json!({ "tenantSlugs": ["globex"] })).await;
    make("by_partner", json!({ "partnerSlugs": ["lumen"] })).await;
    let key = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let member = Api::of(&server, "member").await;
    let mut streams = [key.get(SLICES).open().await, member.get(SLICES).open().await];
    let is_told = async |streams: &mut [crate::support::Events; 2]| {
        let slice = key.get(SLICE).send().await.is(200);
        for stream in streams {
            let (revision, told) = stream.next().await;
            assert_eq!(slice.body["revision"], revision);
            assert_eq!(told, json!({ "revision": revision, "digest": slice.etag().trim_matches('"') }));
        }
    };
    is_told(&mut streams).await;
    let slice = key.get(SLICE).send().await.is(200);
    move_to(&operator, "globex", "free").await;
    move_to(&operator, "globex", "enterprise").await;
    operator
        .post("/tenants")
        .json(json!({ "slug": "umpteenth", "name": "U", "plan": "business" }))
        .send()
        .await
        .is(201);
    change(&operator, "by_tenant", json!({ "scope": { "tenantSlugs": ["globex", "initech", "umpteenth"] } }))
        .await;
    change(&operator, "by_plan", json!({ "scope": { "plans": ["enterprise", "free"] } })).await;
    change(&operator, "by_tenant", json!({ "description": "Said to people." })).await;
    operator.patch("/partners/nordlys").on_any().json(json!({ "name": "Nord" })).send().await.is(200);
    for stream in &mut streams {
        stream.is_silent(Duration::from_millis(300)).await;
    }
    assert_eq!(key.get(SLICE).send().await.is(200).text, slice.text);
    // Its own: a flag that lets it in, its plan, its partner, its name.
    change(&operator, "by_tenant", json!({ "scope": { "tenantSlugs": ["acme", "globex"] } })).await;
    is_told(&mut streams).await;
    move_to(&operator, "acme", "enterprise").await;
    is_told(&mut streams).await;
    let lumen = operator.get("/partners/lumen").send().await.is(200).body["id"].clone();
    operator.patch("/tenants/acme").on_any().json(json!({ "partnerId": lumen })).send().await.is(200);
    is_told(&mut streams).await;
    make("brand_new", json!({ "tenantSlugs": ["globex"] })).await;
    is_told(&mut streams).await;
    operator.delete("/flags/brand_new").on_any().send().await.is(200);
    is_told(&mut streams).await;
}

#[tokio::test]
async fn a_stream_ends_with_the_right_to_it() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let member = Api::of(&server, "member").await;
    let mut stream = member.get(SLICES).open().await;
    stream.next().await;
    let users = operator.get("/users").send().await.is(200);
    let user = users.items().iter().find(|user| user["subject"]["sub"] == "dev-member").unwrap();
    let path = format!("/users/{}", user["id"].as_str().unwrap());
    operator.patch(path).on_any().json(json!({ "tenantIds": [] })).send().await.is(200);
    change(&operator, "meetings_e2ee", json!({ "state": "on" })).await;
    stream.ends_within(Duration::from_secs(2)).await;
    member.get(SLICES).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let server = Server::start();
    let key = Api::with_key(&server, &server.server_key().await).await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(key.get("/flags/stream").open().await);
        streams.push(key.get(SLICES).open().await);
    }
    for stream in &mut streams {
        stream.next().await;
    }
    let asked = Instant::now();
    server.stop();
    for stream in &mut streams {
        stream.ends_within(Duration::from_secs(5)).await;
    }
    drop(server);
    assert!(asked.elapsed() < Duration::from_secs(5), "it waits for no stream: {:?}", asked.elapsed());
}

/// The one test that waits for the heartbeat: of a stream that goes on, and of one whose key was revoked with nothing else happening.
#[tokio::test]
async fn a_stream_that_has_nothing_to_tell_shows_that_it_is_alive() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let (id, secret) =
        server.key(json!({ "name": "For a while", "kind": "tenant", "tenantSlug": "acme" })).await;
    let key = Api::with_key(&server, &server.server_key().await).await;
    let short = Api::with_key(&server, &secret).await;
    let mut revoked = short.get(SLICES).open().await;
    let mut streams = [key.get("/flags/stream").open().await, key.get(SLICES).open().await];
    revoked.next().await;
    for stream in &mut streams {
        stream.next().await;
    }
    operator.delete(format!("/keys/{id}")).send().await.is(200);
    let from = Instant::now();
    let [one, other] = &mut streams;
    let wait = Duration::from_secs(20);
    let (one, other, ()) = tokio::join!(one.within(wait), other.within(wait), revoked.ends_within(wait));
    assert_eq!((one, other), (Some(Some(Event::Alive)), Some(Some(Event::Alive))));
    assert!((14..18).contains(&from.elapsed().as_secs()), "{:?}", from.elapsed());
    // And it still tells.
    change(&operator, "meetings_e2ee", json!({ "state": "on" })).await;
    for stream in &mut streams {
        stream.next().await;
    }
}

#[tokio::test]
async fn who_asks_for_one_tenant_has_so_many_streams() {
    let server = Server::start();
    let (id, secret) = server.key(json!({ "name": "Many", "kind": "tenant", "tenantSlug": "acme" })).await;
    let key = Api::with_key(&server, &secret).await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.extend(join_all((0..100).map(|_| key.get(SLICES).open())).await);
    }
    let refused = key.get(SLICES).send().await.refused(429, "too_many_streams");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait));
    // Only streams are counted, and only this key's.
    key.get(SLICE).send().await.is(200);
    let second = Api::with_key(&server, &server.tenant_key("acme").await).await;
    streams.push(second.get(SLICES).open().await);
    let server_key = Api::with_key(&server, &server.server_key().await).await;
    streams.push(server_key.get(SLICES).open().await);
    // Whoever leaves makes room, once the server has seen it.
    streams.drain(0..5);
    let deadline = Instant::now() + Duration::from_secs(5);
    while key.get(SLICES).send().await.status == 429 {
        assert!(Instant::now() < deadline, "no room");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // All of them end with their key.
    let operator = Api::of(&server, "operator").await;
    operator.delete(format!("/keys/{id}")).send().await.is(200);
    change(&operator, "meetings_e2ee", json!({ "state": "on" })).await;
    for stream in &mut streams[..995] {
        stream.next().await;
        stream.ends_within(Duration::from_secs(5)).await;
    }
}
