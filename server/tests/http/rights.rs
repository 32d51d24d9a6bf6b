//! Rights that change while a request is under way: a write counts only with the rights that its caller has when it is committed.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Api, Server};

/// A request whose head the server has taken, and whose body it is waiting for.
struct Stalled {
    connection: TcpStream,
    body: String,
}

impl Stalled {
    async fn new(server: &Server, credential: &str, path: &str, headers: &str, body: Value) -> Stalled {
        let address = server.url.trim_start_matches("http://");
        let mut connection = TcpStream::connect(address).await.unwrap();
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {credential}\r\n{headers}\
             content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
            body.len()
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        // The server asks for the body once it has let the head in.
        let mut asked = [0; 25];
        connection.read_exact(&mut asked).await.unwrap();
        assert_eq!(&asked[..], b"HTTP/1.1 100 Continue\r\n\r\n");
        Stalled { connection, body }
    }

    /// Sends the body; the status and the body of the answer.
    async fn finish(mut self) -> (u16, Value) {
        self.connection.write_all(self.body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        self.connection.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.get(9..12).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
    }
}

/// The operator, a second one who may take the first one's rights, and the first one's path.
async fn two_operators(server: &Server) -> (Api, Api, String) {
    let (operator, support) = (Api::of(server, "operator").await, Api::of(server, "support").await);
    let users = operator.get("/users?limit=200").send().await.is(200);
    let path = |subject: &str| {
        let user = users.items().iter().find(|user| user["subject"]["sub"] == subject).unwrap();
        format!("/users/{}", user["id"].as_str().unwrap())
    };
    let promotion = json!({ "platformAdmin": true });
    operator.patch(path("dev-support")).on_any().json(promotion).send().await.is(200);
    (operator, support, path("dev-operator"))
}

#[tokio::test]
async fn rights_are_decided_again_when_the_body_has_arrived() {
    let server = Server::start();
    let (_, support, path) = two_operators(&server).await;
    let token = server.token("operator").await;
    let key = json!({ "name": "Too late", "kind": "server" });
    for (change, back, code) in [
        (json!({ "active": false }), json!({ "active": true }), "denied_inactive_user"),
        (json!({ "platformAdmin": false }), json!({ "platformAdmin": true }), "denied_not_platform_admin"),
    ] {
        let stalled = Stalled::new(&server, &token, "/keys", "", key.clone()).await;
        support.patch(&path).on_any().json(change).send().await.is(200);
        let (status, body) = stalled.finish().await;
        assert_eq!((status, &body["code"]), (403, &json!(code)), "{body}");
        assert!(support.get("/keys").send().await.is(200).items().is_empty());
        support.patch(&path).on_any().json(back).send().await.is(200);
    }
    // What is no right does not disturb: a change of name, a sign-in.
    let stalled = Stalled::new(&server, &token, "/keys", "", key.clone()).await;
    support.patch(&path).on_any().json(json!({ "name": "Olga" })).send().await.is(200);
    Api::of(&server, "operator").await.get("/users/me").send().await.is(200);
    let (status, body) = stalled.finish().await;
    assert_eq!(status, 201, "{body}");
    assert!(body["secret"].is_string());
}

#[tokio::test]
async fn what_was_answered_before_is_repeated_only_to_who_may_still_ask() {
    let server = Server::start();
    let (operator, support, path) = two_operators(&server).await;
    let body = json!({ "slug": "receipt", "name": "Receipt" });
    operator.post("/partners").key("once").json(body.clone()).send().await.is(201);
    let (token, header) = (server.token("operator").await, "idempotency-key: once\r\n");
    let stalled = Stalled::new(&server, &token, "/partners", header, body.clone()).await;
    assert_eq!(stalled.finish().await.0, 201);
    let stalled = Stalled::new(&server, &token, "/partners", header, body).await;
    support.patch(&path).on_any().json(json!({ "active": false })).send().await.is(200);
    let (status, body) = stalled.finish().await;
    assert_eq!((status, &body["code"]), (403, &json!("denied_inactive_user")));
}

#[tokio::test]
async fn a_revoked_key_gets_no_answer_to_what_it_began_to_ask() {
    let server = Server::start();
    let operator = Api::of(&server, "operator").await;
    let (id, secret) = server.key(json!({ "name": "Going", "kind": "server" })).await;
    let ask = || Stalled::new(&server, &secret, "/flags/evaluate", "", json!({ "tenantSlug": "acme" }));
    assert_eq!(ask().await.finish().await.0, 200);
    let stalled = ask().await;
    operator.delete(format!("/keys/{id}")).send().await.is(200);
    let (status, body) = stalled.finish().await;
    assert_eq!((status, &body["code"]), (401, &json!("key_unknown")));
}

/// Between the decision and the commit too: the log has nothing by somebody after the change that took their rights.
#[tokio::test]
async fn nothing_is_committed_after_the_change_that_took_the_rights() {
    let server = Server::start();
    let (operator, support, path) = two_operators(&server).await;
    let (made, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for round in 0..12 {
        let asking = (0..8).map(|asker| {
            let (operator, made, refused) = (&operator, &made, &refused);
            async move {
                for number in 0.. {
                    let body = json!({ "slug": format!("p-{round}-{asker}-{number}"), "name": "P" });
                    let answer = operator.post("/partners").json(body).send().await;
                    if answer.status != 201 {
                        answer.refused(403, "denied_inactive_user");
                        refused.fetch_add(1, Ordering::Relaxed);
                        return;
                    }
                    made.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let taking = async {
            while made.load(Ordering::Relaxed) < (round + 1) * 20 {
                tokio::task::yield_now().await;
            }
            support.patch(&path).on_any().json(json!({ "active": false })).send().await.is(200);
        };
        futures_util::future::join(futures_util::future::join_all(asking), taking).await;
        support.patch(&path).on_any().json(json!({ "active": true })).send().await.is(200);
    }
    assert_eq!(refused.load(Ordering::Relaxed), 12 * 8);
    let id = path.trim_start_matches("/users/");
    let mut below = String::new();
    let (mut is_active, mut seen) = (true, 0);
    loop {
        let page = support.get(format!("/audit?limit=200{below}")).send().await.is(200);
        // Newest first: what follows a change of the record was written with the rights before it.
        for change in page.items() {
            if change["entity"]["id"] == id {
                is_active = change["before"]["active"] != false;
            } else if change["actor"]["id"] == id {
                assert!(is_active, "{change}");
                seen += 1;
            }
        }
        match page.body["nextCursor"].as_str() {
            Some(next) => below = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(seen >= made.load(Ordering::Relaxed));
}
