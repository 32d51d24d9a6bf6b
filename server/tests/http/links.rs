//! The link that stands for a header, for readers that can send none: whom it lets in, to what, and for how long.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::ofrep::{bulk, link, make};
use crate::support::{Answer, Api, Event, Server};

#[tokio::test]
async fn a_link_follows_without_any_header() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    make(&operator, "followed", "targeted", 0.0, json!({ "tenantSlugs": ["globex"] })).await;
    let nobody = Api::nobody(&server).await;
    for api in [
        Api::with_key(&server, &server.server_key().await).await,
        Api::with_key(&server, &server.tenant_key("acme").await).await,
        Api::of(&server, "member").await,
        Api::of(&server, "operator").await,
    ] {
        let link = link(&bulk(&api, "acme").await);
        assert!(link.starts_with("/ofrep/v1/stream?tenant=acme&token="), "{link}");
        let mut stream = nobody.get(&link).open().await;
        let slice = api.get("/flags/slice?tenant=acme").send().await.is(200);
        let told = |slice: &Answer| {
            let data = json!({ "type": "refetchEvaluation", "etag": slice.etag().trim_matches('"') });
            Event::Told { id: slice.body["revision"].to_string(), name: "message".to_owned(), data }
        };
        let wait = Duration::from_secs(5);
        assert_eq!(stream.within(wait).await.flatten(), Some(told(&slice)));
        let scope = |slugs: Value| {
            operator.patch("/flags/followed").on_any().json(json!({ "scope": { "tenantSlugs": slugs } }))
        };
        scope(json!(["globex", "hooli"])).send().await.is(200);
        stream.is_silent(Duration::from_millis(150)).await;
        scope(json!(["globex", "acme"])).send().await.is(200);
        let slice = api.get("/flags/slice?tenant=acme").send().await.is(200);
        assert_eq!(stream.within(wait).await.flatten(), Some(told(&slice)));
        // Whoever reconnects and has heard of the newest is told nothing new; whoever has not, is.
        let id = slice.body["revision"].to_string();
        let mut again = nobody.get(&link).header("last-event-id", &id).open().await;
        assert_eq!(again.within(wait).await.flatten(), Some(Event::Alive));
        again.is_silent(Duration::from_millis(100)).await;
        for other in ["0", "1", "x", "99999999999999999999", "-1", ""] {
            let mut again = nobody.get(&link).header("last-event-id", other).open().await;
            assert_eq!(again.within(wait).await.flatten(), Some(told(&slice)), "{other}");
        }
        scope(json!(["globex"])).send().await.is(200);
        assert!(matches!(again.within(wait).await.flatten(), Some(Event::Told { .. })));
        // A header on top does not count, not even one that is wrong.
        nobody.get(&link).header("authorization", "Bearer nonsense").send().await.is(200);
        nobody.get(&link).header("x-api-key", "dzk_x").send().await.is(200);
        // The link is for this alone.
        let token = link.split_once("token=").unwrap().1;
        for path in ["/flags/slice?tenant=acme", "/flags/slice/stream?tenant=acme", "/tenants/acme"] {
            assert!(nobody.get(format!("{path}&token={token}")).send().await.status >= 400);
            assert_eq!(
                nobody.get(path).header("authorization", format!("Bearer {token}")).send().await.status,
                401
            );
            assert_eq!(nobody.get(path).header("x-api-key", token).send().await.status, 401);
        }
    }
    // No link is in the log.
    assert!(!server.log().contains("token="), "{}", server.log());
}

#[tokio::test]
async fn a_link_that_is_not_good_is_refused() {
    let server = Server::start();
    let nobody = Api::nobody(&server).await;
    let (id, secret) = server.key(json!({ "name": "Acme's", "kind": "tenant", "tenantSlug": "acme" })).await;
    let key = Api::with_key(&server, &secret).await;
    let good = link(&bulk(&key, "acme").await);
    let token = good.split_once("token=").unwrap().1;
    nobody.get(&good).send().await.is(200);
    let refused = async |query: &str| {
        nobody.get(format!("/ofrep/v1/stream{query}")).send().await.refused(401, "link_invalid");
    };
    for query in
        ["", "?", "?tenant=acme", "?tenant=acme&token=", "?tenant=acme&token=AAAA", "?tenant=&token=AAAA"]
    {
        refused(query).await;
    }
    refused(&format!("?tenant=globex&token={token}")).await;
    refused(&format!("?tenant=absent&token={token}")).await;
    refused(&format!("?token={token}")).await;
    refused(&format!("?tenant=acme&token={token}A")).await;
    refused(&format!("?tenant=acme&token={}", token.strip_prefix(|_| true).unwrap())).await;
    // Whatever is changed in it, it is nobody's; its end above all.
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
    for at in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        refused(&format!("?tenant=acme&token={}", URL_SAFE_NO_PAD.encode(&forged))).await;
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let until: u64 = text.split('\n').next().unwrap().parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((300..=600).contains(&(until - now)), "{}", until - now);
    assert_eq!(until % 300, 0, "the same link for five minutes");
    // Another tenant's link is for another tenant, and twice the tenant does not make it both.
    let other = Api::with_key(&server, &server.tenant_key("globex").await).await;
    let others = link(&bulk(&other, "globex").await);
    let others = others.split_once("token=").unwrap().1;
    refused(&format!("?tenant=acme&token={others}")).await;
    for query in [
        format!("tenant=globex&tenant=acme&token={others}"),
        format!("tenant=acme&tenant=globex&token={others}"),
    ] {
        assert!(nobody.get(format!("/ofrep/v1/stream?{query}")).send().await.status >= 400, "{query}");
    }
    let mut stream = nobody.get(&good).open().await;
    stream.next().await;
    // It is dead with its key, at once; and what hangs on it, with the next event.
    let operator = Api::of(&server, "operator").await;
    operator.delete(format!("/keys/{id}")).send().await.is(200);
    nobody.get(&good).send().await.refused(401, "link_invalid");
    operator.post("/flags/meetings_e2ee/kill").on_any().send().await.is(200);
    stream.ends_within(Duration::from_secs(2)).await;
    // So it is with a person's: it follows what they may see.
    let member = Api::of(&server, "member").await;
    let good = link(&bulk(&member, "acme").await);
    nobody.get(&good).send().await.is(200);
    let users = operator.get("/users").send().await.is(200);
    let user = users.items().iter().find(|user| user["subject"]["sub"] == "dev-member").unwrap();
    let path = format!("/users/{}", user["id"].as_str().unwrap());
    operator.patch(path).on_any().json(json!({ "active": false })).send().await.is(200);
    assert!(nobody.get(&good).send().await.status >= 400);
}

/// A link outlives a restart, as its maker's key does; a link whose time is over does not count.
#[tokio::test]
async fn a_link_outlives_a_restart_and_not_its_time() {
    use dezky_server::http::seal::Seal;
    use dezky_server::store::Store;
    use dezky_server::store::sqlite::SqliteStore;
    let server = Server::start();
    let (id, secret) = server.key(json!({ "name": "Acme's", "kind": "tenant", "tenantSlug": "acme" })).await;
    let good = link(&bulk(&Api::with_key(&server, &secret).await, "acme").await);
    let mut stored = [0; 32];
    let settings = ["--rate-limit", "0", "--failure-limit", "0"];
    let server = server.restart_after(&settings, |data| {
        let live = dezky_server::live::Live::new(dezky_core::names::Environment::new("production").unwrap())
            .unwrap();
        let store = SqliteStore::open(data, live.observer()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let reading = std::thread::spawn(move || runtime.block_on(store.secret()).unwrap());
        stored = reading.join().unwrap();
    });
    let nobody = Api::nobody(&server).await;
    nobody.get(&good).send().await.is(200);
    // Made here as the server makes them: one that is good, so that the others are refused for what they are.
    let seal = Seal::new(&stored);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let made = |purpose: &str, until: u64, key: &str| {
        let token = seal.seal(purpose, &format!("{until}\nkey\n{key}"));
        format!("/ofrep/v1/stream?tenant=acme&token={token}")
    };
    nobody.get(made("follow\nacme", now + 60, &id)).send().await.is(200);
    for (purpose, until, key) in [
        ("follow\nacme", now - 1, &*id),
        ("follow\nacme", 0, &id),
        ("follow\nglobex", now + 60, &id),
        ("tenants", now + 60, &id),
        ("follow\nacme", now + 60, "absent"),
    ] {
        nobody.get(made(purpose, until, key)).send().await.refused(401, "link_invalid");
    }
}
