//! Every route for every kind of caller, and records that a caller may not see.

mod absence;
mod records;
mod table;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use dezky_server::http::router::OPEN_PATHS;
use dezky_server::routes::ENDPOINTS;
use serde_json::{Value, json};

use self::records::Records;
use self::table::{WORDS, callers, rows};
use crate::support::{Answer, Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

async fn caller(name: &str) -> Api {
    let with_key = async |secret: String| Api::with_key(&SERVER, &secret).await;
    match name {
        "serverKey" => with_key(SERVER.server_key().await).await,
        "tenantKey" => with_key(SERVER.tenant_key("acme").await).await,
        "otherKey" => with_key(SERVER.tenant_key("globex").await).await,
        "revoked" => {
            let (id, secret) = SERVER.create_key(json!({ "name": "Revoked", "kind": "server" })).await;
            let operator = Api::sign_in(&SERVER, "operator").await;
            operator.delete(format!("/keys/{id}")).send().await.is(200);
            with_key(secret).await
        }
        "nobody" => Api::anonymous(&SERVER).await,
        "forged" => Api::anonymous(&SERVER).await.with_token(&forged(&SERVER.token("operator").await)),
        persona => Api::sign_in(&SERVER, persona).await,
    }
}

/// An operator's token with an altered signature.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (first, rest) = signature.split_at(1);
    format!("{signed}.{}{rest}", if first == "A" { "B" } else { "A" })
}

/// The body of an OFREP evaluation for this tenant.
fn context(tenant: &str) -> Value {
    json!({ "context": { "targetingKey": tenant } })
}

async fn send(api: &Api, method: &str, path: &str, body: Option<Value>) -> Answer {
    let request = api.request(method, path);
    let request = if method == "GET" { request } else { request.any_version() };
    match body {
        Some(body) => request.json(body).send().await,
        None => request.send().await,
    }
}

/// Asserts the header and the texts that go with certain refusals.
fn check_texts(answer: &Answer) {
    if answer.status == 401 {
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer "), "{}: {challenge:?}", answer.what);
    }
    if answer.code() == "token_signature" {
        let message = "The access token is not accepted. signature: the signature does not match this token";
        assert!(answer.body["detail"].as_str().unwrap().starts_with(message), "{}", answer.what);
    }
    if answer.code() == "denied_operator_audience" {
        let message = "This endpoint requires an operator-scoped token";
        assert_eq!(answer.body["detail"], message, "{}", answer.what);
    }
}

#[test]
fn the_table_has_every_route_and_no_other() {
    let written: BTreeSet<(String, String)> =
        rows().iter().map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
    let served = ENDPOINTS.iter().map(|endpoint| (endpoint.method.to_string(), endpoint.path.to_owned()));
    let open = OPEN_PATHS.iter().map(|path| ("GET".to_owned(), (*path).to_owned()));
    let served: BTreeSet<(String, String)> = served.chain(open).collect();
    assert_eq!(written, served);
    assert!(ENDPOINTS.len() >= 50, "routes are missing");
}

#[tokio::test]
async fn every_route_answers_every_caller_as_the_table_says() {
    let records = Records::new().await;
    let mut clients = Vec::new();
    for name in callers() {
        clients.push((name, caller(name).await));
    }
    let mut wrong = Vec::new();
    for row in rows() {
        for ((name, api), cell) in clients.iter().zip(&row.cells) {
            let word = WORDS.iter().find(|(word, ..)| word == cell);
            let (path, body) = records.request(&row, word.is_none()).await;
            let answer = send(api, row.method, &path, body).await;
            let expected = match word {
                Some((_, status, code)) => format!("{status} {code}"),
                None if *cell == "409" => "409 invalid_transition".to_owned(),
                None => format!("{cell} "),
            };
            let given = format!("{} {}", answer.status, answer.code());
            if given != expected {
                wrong.push(format!("{name}: {} {path}: {given}, not {expected}", row.method));
            }
            check_texts(&answer);
        }
    }
    assert!(wrong.is_empty(), "{} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
