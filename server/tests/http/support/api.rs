//! An HTTP client that checks every answer against the served OpenAPI document.

use std::io::Read;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response};
use serde_json::Value;

use super::answer::text_of;
use super::{Answer, Contract, EventStream, Exchange, Server};

/// A client for plain HTTP that follows no redirects. It skips the certificates of the system,
/// which take longer to read than most tests run.
pub fn plain_client() -> Client {
    let builder = Client::builder().no_proxy().tls_certs_only([]);
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// A client of one server, with one credential or none.
#[derive(Clone)]
pub struct Api {
    url: String,
    client: Client,
    token: Option<String>,
    contract: &'static Contract,
}

/// A request under construction.
pub struct Request<'a> {
    api: &'a Api,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Api {
    /// A client that sends no credential.
    pub async fn anonymous(server: &Server) -> Api {
        let contract = Contract::fetch(&server.url).await;
        Api { url: server.url.clone(), client: plain_client(), token: None, contract }
    }

    /// A client with the access token of a sample persona.
    pub async fn sign_in(server: &Server, persona: &str) -> Api {
        let token = server.token(persona).await;
        Api { token: Some(token), ..Api::anonymous(server).await }
    }

    /// A client that sends a machine key's secret.
    pub async fn with_key(server: &Server, secret: &str) -> Api {
        Api::anonymous(server).await.with_token(secret)
    }

    /// Replaces the token that the client sends; the token need not be valid.
    pub fn with_token(self, token: &str) -> Api {
        Api { token: Some(token.to_owned()), ..self }
    }

    pub fn get(&self, path: impl Into<String>) -> Request<'_> {
        self.request("GET", path)
    }

    pub fn post(&self, path: impl Into<String>) -> Request<'_> {
        self.request("POST", path)
    }

    pub fn patch(&self, path: impl Into<String>) -> Request<'_> {
        self.request("PATCH", path)
    }

    pub fn delete(&self, path: impl Into<String>) -> Request<'_> {
        self.request("DELETE", path)
    }

    pub fn request(&self, method: &str, path: impl Into<String>) -> Request<'_> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Request { api: self, method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// The id of the user who signs in with this subject.
    pub async fn user_id(&self, subject: &str) -> String {
        let users = self.get("/users?limit=200").send().await.is(200);
        let user = users.items().iter().find(|user| user["subject"]["sub"] == subject);
        user.unwrap_or_else(|| panic!("no user {subject}"))["id"].as_str().unwrap().to_owned()
    }
}

impl Request<'_> {
    pub fn json(self, body: Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    pub fn raw(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Request { body: body.into(), ..self }.header("content-type", content_type)
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn if_match(self, etag: &str) -> Self {
        self.header("if-match", etag)
    }

    /// Sends `If-Match: *`, so the write applies to every version.
    pub fn any_version(self) -> Self {
        self.if_match("*")
    }

    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Returns the whole answer; for a stream only its head, and the connection is then closed.
    pub async fn send(self) -> Answer {
        self.exchange().await.0
    }

    /// Opens an event stream, which must answer 200.
    pub async fn open(self) -> EventStream {
        let (answer, response) = self.exchange().await;
        EventStream::new(answer.is(200), response.expect("a stream"))
    }

    async fn exchange(self) -> (Answer, Option<Response>) {
        let Request { api, method, path, headers, body } = self;
        let what = format!("{method} {path}");
        let mut request = api.client.request(method.clone(), format!("{}{path}", api.url)).body(body);
        if let Some(token) = &api.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let content_type = text_of(&headers, "content-type");
        let (bytes, stream) = match content_type == "text/event-stream" {
            true => (Vec::new(), Some(response)),
            false => (response.bytes().await.unwrap().to_vec(), None),
        };
        let plain = decompressed(&bytes, &text_of(&headers, "content-encoding"));
        api.contract.check(&Exchange {
            method: method.as_str(),
            path: &path,
            status,
            content_type: &content_type,
            body: &plain,
        });
        let body = parsed(&plain, &content_type);
        assert_eq!(text_of(&headers, "x-request-id").len(), 32, "{what}: no request id");
        if status >= 400 && method != Method::HEAD {
            check_error(&what, status, &headers, &body);
        }
        let text = String::from_utf8(plain).unwrap();
        (Answer { what, status, headers, bytes, text, body }, stream)
    }
}

fn decompressed(bytes: &[u8], coding: &str) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        "" => plain.extend(bytes),
        "gzip" => drop(flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap()),
        "br" => drop(brotli::Decompressor::new(bytes, 4_096).read_to_end(&mut plain).unwrap()),
        coding => panic!("the client did not accept the content coding {coding}"),
    }
    plain
}

fn parsed(plain: &[u8], content_type: &str) -> Value {
    match content_type {
        "application/x-ndjson" => {
            let lines = plain.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
            lines.map(|line| serde_json::from_slice::<Value>(line).unwrap()).collect()
        }
        content_type if content_type.contains("json") && !plain.is_empty() => {
            serde_json::from_slice(plain).unwrap()
        }
        _ => Value::Null,
    }
}

/// A problem document repeats the status and the request id; an OFREP error has neither.
fn check_error(what: &str, status: u16, headers: &HeaderMap, body: &Value) {
    if text_of(headers, "content-type") == "application/problem+json" {
        assert_eq!(body["requestId"], text_of(headers, "x-request-id"), "{what}");
        assert_eq!(body["status"], status, "{what}");
        return;
    }
    let details = body["errorDetails"].as_str().unwrap_or_default();
    assert!(!details.is_empty(), "{what}: {body}");
    assert_eq!((&body["requestId"], &body["status"]), (&Value::Null, &Value::Null), "{what}");
}
