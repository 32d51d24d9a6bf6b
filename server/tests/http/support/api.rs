//! A caller: asks, and holds every answer against the document.

use std::io::Read;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response};
use serde_json::Value;

use super::{Contract, Events, Said, Server};

/// Somebody who asks.
#[derive(Clone)]
pub struct Api {
    url: String,
    client: Client,
    token: Option<String>,
    contract: &'static Contract,
}

/// A question that is being put together.
pub struct Ask<'a> {
    api: &'a Api,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What was answered; it keeps to the document.
#[derive(Debug, Clone)]
pub struct Answer {
    pub what: String,
    pub status: u16,
    pub headers: HeaderMap,
    /// The body as it came, compressed where it was.
    pub bytes: Vec<u8>,
    pub text: String,
    /// The body, where it is JSON; a list of the lines, where each is JSON; null else.
    pub body: Value,
}

impl Api {
    /// Without a token.
    pub async fn nobody(server: &Server) -> Api {
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let contract = Contract::of(&server.url).await;
        Api { url: server.url.clone(), client: client.build().unwrap(), token: None, contract }
    }

    /// As one of the personas.
    pub async fn of(server: &Server, persona: &str) -> Api {
        let token = server.token(persona).await;
        Api { token: Some(token), ..Api::nobody(server).await }
    }

    /// With this token, whatever it is.
    pub fn with_token(self, token: &str) -> Api {
        Api { token: Some(token.to_owned()), ..self }
    }

    /// With this machine key.
    pub async fn with_key(server: &Server, secret: &str) -> Api {
        Api::nobody(server).await.with_token(secret)
    }

    pub fn get(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask("GET", path)
    }

    pub fn post(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask("POST", path)
    }

    /// For whatever version is there, unless told otherwise.
    pub fn patch(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask("PATCH", path)
    }

    /// For whatever version is there, unless told otherwise.
    pub fn delete(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask("DELETE", path)
    }

    pub fn ask(&self, method: &str, path: impl Into<String>) -> Ask<'_> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Ask { api: self, method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }
}

impl Ask<'_> {
    pub fn json(self, body: Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    pub fn raw(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Ask { body: body.into(), ..self }.header("content-type", content_type)
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Which version it is for.
    pub fn on(self, etag: &str) -> Self {
        self.header("if-match", etag)
    }

    /// Whatever version is there.
    pub fn on_any(self) -> Self {
        self.on("*")
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// The whole answer; of a stream, its beginning: the connection is then closed.
    pub async fn send(self) -> Answer {
        self.answered().await.0
    }

    /// An answer that goes on, as a stream that has begun.
    pub async fn open(self) -> Events {
        let (answer, response) = self.answered().await;
        Events::new(answer.is(200), response.expect("a stream"))
    }

    async fn answered(self) -> (Answer, Option<Response>) {
        let Ask { api, method, path, headers, body } = self;
        let mut request = api.client.request(method.clone(), format!("{}{path}", api.url)).body(body);
        if let Some(token) = &api.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let content_type = text_of(&headers, "content-type");
        let (bytes, stream) = match content_type == "text/event-stream" {
            true => (Vec::new(), Some(response)),
            false => (response.bytes().await.unwrap().to_vec(), None),
        };
        let plain = decoded(&bytes, &text_of(&headers, "content-encoding"));
        api.contract.check(&Said {
            method: method.as_str(),
            path: &path,
            status,
            content_type: &content_type,
            body: &plain,
        });
        let id = text_of(&headers, "x-request-id");
        assert_eq!(id.len(), 32, "{method} {path}: no request id");
        let body: Value = match &*content_type {
            "application/x-ndjson" => {
                let lines = plain.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
                lines.map(|line| serde_json::from_slice::<Value>(line).unwrap()).collect()
            }
            content_type if content_type.contains("json") && !plain.is_empty() => {
                serde_json::from_slice(&plain).unwrap()
            }
            _ => Value::Null,
        };
        if status >= 400 && method != Method::HEAD {
            match &*content_type {
                "application/problem+json" => {
                    assert_eq!(body["requestId"], id, "{method} {path}");
                    assert_eq!(body["status"], status, "{method} {path}");
                }
                // In OFREP's words.
                _ => {
                    let details = body["errorDetails"].as_str().unwrap_or_default();
                    assert!(!details.is_empty(), "{method} {path}: {body}");
                    assert_eq!((&body["requestId"], &body["status"]), (&Value::Null, &Value::Null));
                }
            }
        }
        let text = String::from_utf8(plain).unwrap();
        (Answer { what: format!("{method} {path}"), status, headers, bytes, text, body }, stream)
    }
}

/// What was compressed so.
fn decoded(bytes: &[u8], coding: &str) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        "" => plain.extend(bytes),
        "gzip" => drop(flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap()),
        "br" => drop(brotli::Decompressor::new(bytes, 4_096).read_to_end(&mut plain).unwrap()),
        coding => panic!("a coding that nobody asked for: {coding}"),
    }
    plain
}

impl Answer {
    /// The same, if it has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text);
        self
    }

    /// The same, if it is a refusal with this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Answer {
        assert_eq!((self.status, self.code()), (status, code), "{}: {}", self.what, self.text);
        self
    }

    /// The same, if the first of what is wrong is at this path.
    #[track_caller]
    pub fn at(self, path: &str) -> Answer {
        assert_eq!(self.body["errors"][0]["path"], path, "{}: {}", self.what, self.text);
        self
    }

    /// The code of a refusal, in whichever words.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().or(self.body["errorCode"].as_str()).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> String {
        text_of(&self.headers, name)
    }

    pub fn etag(&self) -> String {
        self.header("etag")
    }

    pub fn items(&self) -> &[Value] {
        self.body["items"].as_array().unwrap_or_else(|| panic!("{}: {}", self.what, self.text))
    }

    /// One member of every item.
    pub fn each(&self, member: &str) -> Vec<&str> {
        self.items().iter().map(|item| item[member].as_str().unwrap_or_default()).collect()
    }
}

fn text_of(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}
