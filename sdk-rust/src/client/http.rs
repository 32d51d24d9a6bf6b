//! Requests to the server, and what their failure means.

use std::error::Error as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::time::timeout;

use super::fetch::{Head, read};
use super::key::Kind;
use super::settings::{Settings, bearer};
use super::{ClientCode, ClientError, Key};
use dezky_core::json::{JsonDocument, JsonNode};
use dezky_core::limits::MAX_DOCUMENT_BYTES;
use dezky_core::names::{Digest, Slug};

/// Why a request came to nothing.
pub(super) struct Failure {
    pub(super) error: ClientError,
    /// How long the server asks to be left alone.
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    pub(super) fn new(code: ClientCode, message: impl Into<String>) -> Failure {
        ClientError::new(code, message).into()
    }

    /// The meaning of a status that brings no document, and the code that the server gives for it.
    pub(super) fn of_status(head: &Head, body: &[u8]) -> Failure {
        let status = head.status;
        let code = match status {
            401 | 403 => ClientCode::KeyRefused,
            429 => ClientCode::RateLimited,
            _ => ClientCode::UnexpectedStatus,
        };
        let server_code = if code == ClientCode::KeyRefused { code_of(body) } else { None };
        let message = match (code, &server_code) {
            (_, Some(why)) => format!("the server refuses the key: {status} {why}"),
            (ClientCode::KeyRefused, None) => format!("the server refuses the key: {status}"),
            _ => format!("the answer's status is {status}"),
        };
        let error = ClientError { server_code, ..ClientError::new(code, message) };
        Failure { error, retry_after: head.retry_after }
    }

    /// The server does not accept the key.
    pub(super) fn is_refusal(&self) -> bool {
        self.error.code == ClientCode::KeyRefused
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure { error, retry_after: None }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Failure {
        // The outermost says only that sending failed. None of them holds a header.
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Failure::new(ClientCode::Unreachable, text)
    }
}

/// The way to the server, for one run of the client's thread.
#[derive(Clone)]
pub(super) struct Http {
    settings: Arc<Settings>,
    instance: String,
    client: OnceLock<Client>,
}

impl Http {
    pub(super) fn new(settings: Arc<Settings>, instance: String) -> Http {
        Http { settings, instance, client: OnceLock::new() }
    }

    /// The snapshot's answer, unless it is that which `known` names; either confirms something.
    pub(super) async fn snapshot(
        &self,
        known: Option<&Digest>,
        serving: Option<&Digest>,
    ) -> Result<Response, Failure> {
        self.conditional(HeaderMap::new(), known, serving).await
    }

    async fn conditional(
        &self,
        mut headers: HeaderMap,
        known: Option<&Digest>,
        serving: Option<&Digest>,
    ) -> Result<Response, Failure> {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(known) = known
            && let Ok(tag) = format!("\"{}\"", known.as_str()).try_into()
        {
            headers.insert(IF_NONE_MATCH, tag);
        }
        self.get(self.settings.snapshot_url.clone(), headers, serving).await
    }

    /// The stream, as soon as it is open.
    pub(super) async fn stream(&self, serving: Option<&Digest>) -> Result<Response, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        let patience = self.settings.timing.request_timeout;
        let opening = self.get(self.settings.stream_url.clone(), headers, serving);
        let response = timeout(patience, opening).await.unwrap_or_else(|_| Err(late()))?;
        if response.status() != StatusCode::OK {
            let (head, body) = timeout(patience, read(response)).await.unwrap_or_else(|_| Err(late()))?;
            return Err(Failure::of_status(&head, &body));
        }
        let kind = response.headers().get(reqwest::header::CONTENT_TYPE);
        if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            return Err(Failure::new(ClientCode::UnexpectedStatus, "the answer is no event stream"));
        }
        Ok(response)
    }

    /// The subject of a tenant, unless it is that of the tag.
    pub(super) async fn subject(&self, slug: &Slug, tag: Option<&str>) -> Result<Response, Failure> {
        let mut url = self.settings.tenants_url.clone();
        url.set_path(&format!("{}/{}/subject", url.path(), slug.as_str()));
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(tag) = tag.and_then(|tag| tag.try_into().ok()) {
            headers.insert(IF_NONE_MATCH, tag);
        }
        self.get(url, headers, None).await
    }

    /// The last request of a client that is closed, so that nobody waits for it. The answer says nothing new.
    pub(super) async fn sign_off(&self, serving: &Digest) {
        let headers =
            HeaderMap::from_iter([(HeaderName::from_static("dezky-closing"), HeaderValue::from_static("1"))]);
        let _ = self.conditional(headers, Some(serving), Some(serving)).await;
    }

    async fn get(
        &self,
        url: Url,
        mut headers: HeaderMap,
        serving: Option<&Digest>,
    ) -> Result<Response, Failure> {
        let key = current(&self.settings.key).await?;
        let no_key = || {
            Failure::new(
                ClientCode::Unreachable,
                "there is no key at hand: a key is visible ASCII characters",
            )
        };
        headers.insert(AUTHORIZATION, bearer(&key).ok_or_else(no_key)?);
        if let Ok(instance) = self.instance.as_str().try_into() {
            headers.insert("dezky-instance", instance);
        }
        if let Some(serving) = serving
            && let Ok(digest) = serving.as_str().try_into()
        {
            headers.insert("dezky-digest", digest);
        }
        Ok(self.client()?.get(url).headers(headers).send().await?)
    }

    /// Made when it is first needed, because that reads the system's certificates and can fail.
    fn client(&self) -> Result<&Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let mut builder = Client::builder()
            .user_agent(format!("dezky-{}/{}", self.settings.sdk, env!("CARGO_PKG_VERSION")))
            // The key must not travel.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(self.settings.timing.request_timeout);
        if self.settings.snapshot_url.scheme() == "http" {
            // Nothing will be encrypted, and a system may be without certificates.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build()?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// The key for the next request. A function is asked on a thread where it may wait.
async fn current(key: &Key) -> Result<String, Failure> {
    let asked = match &key.0 {
        Kind::Text(text) => return Ok(text.clone()),
        Kind::Source(source) => {
            let source = source.clone();
            tokio::task::spawn_blocking(move || source()).await
        }
    };
    match asked {
        Ok(Ok(key)) => Ok(key),
        Ok(Err(message)) => {
            Err(Failure::new(ClientCode::Unreachable, format!("there is no key at hand: {message}")))
        }
        Err(_) => Err(Failure::new(ClientCode::Unreachable, "the function that gives the key panicked")),
    }
}

pub(super) fn late() -> Failure {
    Failure::new(ClientCode::Unreachable, "no complete answer in time")
}

/// The member `code` of a problem document.
fn code_of(body: &[u8]) -> Option<String> {
    let document = JsonDocument::read(body, MAX_DOCUMENT_BYTES).ok()?;
    let JsonNode::Text(code) = document.at(&["code"]) else { return None };
    let is_code = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    ((1..=64).contains(&code.len()) && code.bytes().all(is_code)).then(|| code.to_string())
}
