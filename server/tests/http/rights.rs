//! Rights that change during a request: a write needs the rights that its caller has when it is
//! committed.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::support::{Api, Server};

/// A request whose head the server has read, and whose body it waits for.
struct Stalled {
    connection: TcpStream,
    body: String,
}

impl Stalled {
    /// Sends the head of a POST request, with further headers that each end with a line break.
    async fn new(server: &Server, credential: &str, path: &str, headers: &str, body: Value) -> Stalled {
        let address = server.url.trim_start_matches("http://");
        let mut connection = TcpStream::connect(address).await.unwrap();
        let body = body.to_string();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {credential}\r\n{headers}\
             content-type: application/json\r\ncontent-length: {length}\r\n\
             expect: 100-continue\r\nconnection: close\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        // The server requests the body after it has accepted the head.
        let mut interim = [0; 25];
        connection.read_exact(&mut interim).await.unwrap();
        assert_eq!(&interim[..], b"HTTP/1.1 100 Continue\r\n\r\n");
        Stalled { connection, body }
    }

    /// Sends the body, and returns the status and the body of the answer.
    async fn finish(mut self) -> (u16, Value) {
        self.connection.write_all(self.body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        self.connection.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.get(9..12).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
    }
}

/// The operator, a second operator, and the path of the first one's record.
async fn two_operators(server: &Server) -> (Api, Api, String) {
    let (operator, support) = (Api::sign_in(server, "operator").await, Api::sign_in(server, "support").await);
    let support_path = format!("/users/{}", operator.user_id("dev-support").await);
    let promotion = json!({ "platformAdmin": true });
    operator.patch(support_path).any_version().json(promotion).send().await.is(200);
    let path = format!("/users/{}", operator.user_id("dev-operator").await);
    (operator, support, path)
}

#[tokio::test]
async fn rights_are_checked_again_when_the_body_has_arrived() {
    let server = Server::start();
    let (_, support, path) = two_operators(&server).await;
    let token = server.token("operator").await;
    let key = json!({ "name": "Too late", "kind": "server" });
    for (change, back, code) in [
        (json!({ "active": false }), json!({ "active": true }), "denied_inactive_user"),
        (json!({ "platformAdmin": false }), json!({ "platformAdmin": true }), "denied_not_platform_admin"),
    ] {
        let stalled = Stalled::new(&server, &token, "/keys", "", key.clone()).await;
        support.patch(&path).any_version().json(change).send().await.is(200);
        let (status, body) = stalled.finish().await;
        assert_eq!((status, &body["code"]), (403, &json!(code)), "{body}");
        assert!(support.get("/keys").send().await.is(200).items().is_empty());
        support.patch(&path).any_version().json(back).send().await.is(200);
    }
    // A new name and a sign-in change no rights, so the request succeeds.
    let stalled = Stalled::new(&server, &token, "/keys", "", key.clone()).await;
    support.patch(&path).any_version().json(json!({ "name": "Olga" })).send().await.is(200);
    Api::sign_in(&server, "operator").await.get("/users/me").send().await.is(200);
    let (status, body) = stalled.finish().await;
    assert_eq!(status, 201, "{body}");
    assert!(body["secret"].is_string());
}

#[tokio::test]
async fn a_stored_answer_is_repeated_only_to_callers_with_the_right_to_it() {
    let server = Server::start();
    let (operator, support, path) = two_operators(&server).await;
    let body = json!({ "slug": "receipt", "name": "Receipt" });
    operator.post("/partners").idempotency_key("once").json(body.clone()).send().await.is(201);
    let (token, header) = (server.token("operator").await, "idempotency-key: once\r\n");
    let stalled = Stalled::new(&server, &token, "/partners", header, body.clone()).await;
    assert_eq!(stalled.finish().await.0, 201);
    let stalled = Stalled::new(&server, &token, "/partners", header, body).await;
    support.patch(&path).any_version().json(json!({ "active": false })).send().await.is(200);
    let (status, body) = stalled.finish().await;
    assert_eq!((status, &body["code"]), (403, &json!("denied_inactive_user")));
}

#[tokio::test]
async fn a_key_that_is_revoked_during_a_request_is_refused() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let (id, secret) = server.create_key(json!({ "name": "Going", "kind": "server" })).await;
    let request = || Stalled::new(&server, &secret, "/flags/evaluate", "", json!({ "tenantSlug": "acme" }));
    assert_eq!(request().await.finish().await.0, 200);
    let stalled = request().await;
    operator.delete(format!("/keys/{id}")).send().await.is(200);
    let (status, body) = stalled.finish().await;
    assert_eq!((status, &body["code"]), (401, &json!("key_unknown")));
}

/// The log has no change by a user after the change that revoked their rights, not even one that
/// was decided before and committed after it.
#[tokio::test]
async fn no_write_is_committed_after_the_change_that_revoked_the_rights() {
    let server = Server::start();
    let (operator, support, path) = two_operators(&server).await;
    let (made, refused) = (watch::Sender::new(0), AtomicUsize::new(0));
    let mut watched = made.subscribe();
    for round in 0..12 {
        let writing = (0..8).map(|writer| {
            let (operator, made, refused) = (&operator, &made, &refused);
            async move {
                for number in 0.. {
                    let body = json!({ "slug": format!("p-{round}-{writer}-{number}"), "name": "P" });
                    let answer = operator.post("/partners").json(body).send().await;
                    if answer.status != 201 {
                        answer.refused(403, "denied_inactive_user");
                        refused.fetch_add(1, Ordering::Relaxed);
                        return;
                    }
                    made.send_modify(|made| *made += 1);
                }
            }
        });
        let revoking = async {
            watched.wait_for(|made| *made >= (round + 1) * 20).await.unwrap();
            support.patch(&path).any_version().json(json!({ "active": false })).send().await.is(200);
        };
        futures_util::future::join(futures_util::future::join_all(writing), revoking).await;
        support.patch(&path).any_version().json(json!({ "active": true })).send().await.is(200);
    }
    assert_eq!(refused.load(Ordering::Relaxed), 12 * 8);
    let own = changes_with_rights(&support, path.trim_start_matches("/users/")).await;
    assert!(own >= *made.borrow());
}

/// Counts the changes by this user in the log, and asserts that the user was active at each.
async fn changes_with_rights(api: &Api, id: &str) -> usize {
    let mut below = String::new();
    let (mut is_active, mut count) = (true, 0);
    loop {
        let page = api.get(format!("/audit?limit=200{below}")).send().await.is(200);
        // Newest first: entries below a change of the record are older than it.
        for change in page.items() {
            if change["entity"]["id"] == id {
                is_active = change["before"]["active"] != false;
            } else if change["actor"]["id"] == id {
                assert!(is_active, "{change}");
                count += 1;
            }
        }
        match page.body["nextCursor"].as_str() {
            Some(next) => below = format!("&cursor={next}"),
            None => return count,
        }
    }
}
