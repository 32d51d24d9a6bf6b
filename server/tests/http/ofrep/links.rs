//! Links to event streams, for clients that cannot send headers: their scope, lifetime and seal.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dezky_server::http::seal::Seal;
use serde_json::json;

use super::{bulk, create_flag, link};
use crate::support::{Answer, Api, Event, NO_LIMITS, Request, Server, stored_secret, unix_seconds};

/// The token of a link.
fn token_of(link: &str) -> &str {
    link.split_once("token=").unwrap().1
}

/// The event that announces this version of the slice.
fn refetch(slice: &Answer) -> Event {
    let data = json!({ "type": "refetchEvaluation", "etag": slice.etag().trim_matches('"') });
    Event::Message { id: slice.body["revision"].to_string(), name: "message".to_owned(), data }
}

/// Every kind of caller that may evaluate for acme.
async fn callers(server: &Server) -> [Api; 4] {
    [
        Api::with_key(server, &server.server_key().await).await,
        Api::with_key(server, &server.tenant_key("acme").await).await,
        Api::sign_in(server, "member").await,
        Api::sign_in(server, "operator").await,
    ]
}

/// A server with the flag `followed`, its operator, and an anonymous client.
async fn followed_flag() -> (Server, Api, Api) {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    create_flag(&operator, "followed", "targeted", 0.0, json!({ "tenantSlugs": ["globex"] })).await;
    let anonymous = Api::anonymous(&server).await;
    (server, operator, anonymous)
}

/// The edit that targets the flag `followed` at these tenants.
fn target<'a>(operator: &'a Api, slugs: &[&str]) -> Request<'a> {
    let scope = json!({ "scope": { "tenantSlugs": slugs } });
    operator.patch("/flags/followed").any_version().json(scope)
}

#[tokio::test]
async fn a_link_follows_the_slice_without_any_header() {
    let (server, operator, anonymous) = followed_flag().await;
    for api in callers(&server).await {
        let link = link(&bulk(&api, "acme").await);
        assert!(link.starts_with("/ofrep/v1/stream?tenant=acme&token="), "{link}");
        let mut stream = anonymous.get(&link).open().await;
        let slice = api.get("/flags/slice?tenant=acme").send().await.is(200);
        assert_eq!(stream.event().await, refetch(&slice));
        target(&operator, &["globex", "hooli"]).send().await.is(200);
        stream.stays_silent(Duration::from_millis(150)).await;
        target(&operator, &["globex", "acme"]).send().await.is(200);
        let slice = api.get("/flags/slice?tenant=acme").send().await.is(200);
        assert_eq!(stream.event().await, refetch(&slice));
        target(&operator, &["globex"]).send().await.is(200);
        stream.next().await;
    }
    assert!(!server.log().contains("token="), "a link is in the log: {}", server.log());
}

#[tokio::test]
async fn a_reconnecting_reader_receives_only_a_version_that_it_missed() {
    let (server, operator, anonymous) = followed_flag().await;
    for api in callers(&server).await {
        let link = link(&bulk(&api, "acme").await);
        target(&operator, &["globex", "acme"]).send().await.is(200);
        let slice = api.get("/flags/slice?tenant=acme").send().await.is(200);
        let id = slice.body["revision"].to_string();
        let mut current = anonymous.get(&link).header("last-event-id", &id).open().await;
        assert_eq!(current.event().await, Event::Heartbeat);
        current.stays_silent(Duration::from_millis(100)).await;
        for other in ["0", "1", "x", "99999999999999999999", "-1", ""] {
            let mut outdated = anonymous.get(&link).header("last-event-id", other).open().await;
            assert_eq!(outdated.event().await, refetch(&slice), "{other}");
        }
        target(&operator, &["globex"]).send().await.is(200);
        current.next().await;
    }
}

#[tokio::test]
async fn a_link_opens_its_stream_alone_whatever_the_headers_are() {
    let server = Server::start();
    let anonymous = Api::anonymous(&server).await;
    for api in callers(&server).await {
        let link = link(&bulk(&api, "acme").await);
        anonymous.get(&link).header("authorization", "Bearer nonsense").send().await.is(200);
        anonymous.get(&link).header("x-api-key", "dzk_x").send().await.is(200);
        let token = token_of(&link);
        for path in ["/flags/slice?tenant=acme", "/flags/slice/stream?tenant=acme", "/tenants/acme"] {
            assert!(anonymous.get(format!("{path}&token={token}")).send().await.status >= 400);
            let bearer = format!("Bearer {token}");
            anonymous.get(path).header("authorization", bearer).send().await.is(401);
            anonymous.get(path).header("x-api-key", token).send().await.is(401);
        }
    }
}

/// A server, an anonymous client, and acme's key with its id.
async fn tenant_key() -> (Server, Api, Api, String) {
    let server = Server::start();
    let body = json!({ "name": "Acme's", "kind": "tenant", "tenantSlug": "acme" });
    let (id, secret) = server.create_key(body).await;
    let (anonymous, key) = (Api::anonymous(&server).await, Api::with_key(&server, &secret).await);
    (server, anonymous, key, id)
}

async fn assert_refused(anonymous: &Api, query: &str) {
    anonymous.get(format!("/ofrep/v1/stream{query}")).send().await.refused(401, "link_invalid");
}

#[tokio::test]
async fn incomplete_and_altered_links_are_refused() {
    let (_server, anonymous, key, _) = tenant_key().await;
    let good = link(&bulk(&key, "acme").await);
    let token = token_of(&good);
    anonymous.get(&good).send().await.is(200);
    for query in
        ["", "?", "?tenant=acme", "?tenant=acme&token=", "?tenant=acme&token=AAAA", "?tenant=&token=AAAA"]
    {
        assert_refused(&anonymous, query).await;
    }
    assert_refused(&anonymous, &format!("?tenant=globex&token={token}")).await;
    assert_refused(&anonymous, &format!("?tenant=absent&token={token}")).await;
    assert_refused(&anonymous, &format!("?token={token}")).await;
    assert_refused(&anonymous, &format!("?tenant=acme&token={token}A")).await;
    assert_refused(&anonymous, &format!("?tenant=acme&token={}", token.strip_prefix(|_| true).unwrap()))
        .await;
    // The seal covers every byte, the expiry included.
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
    for index in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[index] ^= 1;
        let forged = URL_SAFE_NO_PAD.encode(&forged);
        assert_refused(&anonymous, &format!("?tenant=acme&token={forged}")).await;
    }
}

#[tokio::test]
async fn a_link_stays_the_same_for_five_minutes_and_expires_within_ten() {
    let (_server, _, key, _) = tenant_key().await;
    let good = link(&bulk(&key, "acme").await);
    let bytes = URL_SAFE_NO_PAD.decode(token_of(&good)).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let until: i64 = text.split('\n').next().unwrap().parse().unwrap();
    let rest = until - unix_seconds();
    assert!((300..=600).contains(&rest), "{rest}");
    assert_eq!(until % 300, 0, "links change every five minutes");
}

#[tokio::test]
async fn a_link_of_another_tenant_is_refused() {
    let (server, anonymous, _, _) = tenant_key().await;
    let other = Api::with_key(&server, &server.tenant_key("globex").await).await;
    let other = link(&bulk(&other, "globex").await);
    let token = token_of(&other);
    assert_refused(&anonymous, &format!("?tenant=acme&token={token}")).await;
    for query in [
        format!("tenant=globex&tenant=acme&token={token}"),
        format!("tenant=acme&tenant=globex&token={token}"),
    ] {
        let answer = anonymous.get(format!("/ofrep/v1/stream?{query}")).send().await;
        assert!(answer.status >= 400, "{query}");
    }
}

#[tokio::test]
async fn a_link_and_its_streams_end_with_the_key() {
    let (server, anonymous, key, id) = tenant_key().await;
    let good = link(&bulk(&key, "acme").await);
    let mut stream = anonymous.get(&good).open().await;
    stream.next().await;
    let operator = Api::sign_in(&server, "operator").await;
    operator.delete(format!("/keys/{id}")).send().await.is(200);
    anonymous.get(&good).send().await.refused(401, "link_invalid");
    operator.post("/flags/meetings_e2ee/kill").any_version().send().await.is(200);
    stream.ends_within(Duration::from_secs(2)).await;
}

#[tokio::test]
async fn a_users_link_ends_with_the_right_to_read_the_tenant() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let member = Api::sign_in(&server, "member").await;
    let good = link(&bulk(&member, "acme").await);
    let anonymous = Api::anonymous(&server).await;
    anonymous.get(&good).send().await.is(200);
    let path = format!("/users/{}", operator.user_id("dev-member").await);
    operator.patch(path).any_version().json(json!({ "active": false })).send().await.is(200);
    assert!(anonymous.get(&good).send().await.status >= 400);
}

#[tokio::test]
async fn a_link_survives_a_restart_but_not_its_expiry() {
    let (server, _, key, id) = tenant_key().await;
    let good = link(&bulk(&key, "acme").await);
    let mut secret = [0; 32];
    let server = server.restart_after(&NO_LIMITS, |data| secret = stored_secret(data));
    let anonymous = Api::anonymous(&server).await;
    anonymous.get(&good).send().await.is(200);
    // Links are sealed here like in the server. The first one is valid, which shows that the others
    // are refused for their contents.
    let seal = Seal::new(&secret);
    let now = unix_seconds();
    let sealed = |purpose: &str, until: i64, key: &str| {
        let token = seal.seal(purpose, &format!("{until}\nkey\n{key}"));
        format!("/ofrep/v1/stream?tenant=acme&token={token}")
    };
    anonymous.get(sealed("follow\nacme", now + 60, &id)).send().await.is(200);
    for (purpose, until, key) in [
        ("follow\nacme", now - 1, &*id),
        ("follow\nacme", 0, &id),
        ("follow\nglobex", now + 60, &id),
        ("tenants", now + 60, &id),
        ("follow\nacme", now + 60, "absent"),
    ] {
        anonymous.get(sealed(purpose, until, key)).send().await.refused(401, "link_invalid");
    }
}
