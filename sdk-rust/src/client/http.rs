//! The requests that a client sends to the server.

use std::sync::{Arc, OnceLock};

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::failure::RequestFailure;
use super::key::KeySource;
use super::response::{failure_of, read_response};
use super::settings::{ClientSettings, bearer};
use super::{ClientCode, Key};
use dezky_core::names::{Digest, Slug};

/// The HTTP client of one run of the client's thread.
#[derive(Clone)]
pub(super) struct Http {
    settings: Arc<ClientSettings>,
    instance: String,
    client: OnceLock<Client>,
}

impl Http {
    pub(super) fn new(settings: Arc<ClientSettings>, instance: String) -> Http {
        Http { settings, instance, client: OnceLock::new() }
    }

    /// Requests the snapshot, unless it is still the one with the digest `known`.
    pub(super) async fn snapshot(
        &self,
        known: Option<&Digest>,
        in_use: Option<&Digest>,
    ) -> Result<Response, RequestFailure> {
        self.conditional(HeaderMap::new(), known, in_use).await
    }

    async fn conditional(
        &self,
        mut headers: HeaderMap,
        known: Option<&Digest>,
        in_use: Option<&Digest>,
    ) -> Result<Response, RequestFailure> {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(known) = known
            && let Ok(tag) = format!("\"{}\"", known.as_str()).try_into()
        {
            headers.insert(IF_NONE_MATCH, tag);
        }
        self.get(self.settings.snapshot_url.clone(), headers, in_use).await
    }

    /// Opens the event stream.
    pub(super) async fn stream(&self, in_use: Option<&Digest>) -> Result<Response, RequestFailure> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        let limit = self.settings.timing.request_timeout;
        let opening = self.get(self.settings.stream_url.clone(), headers, in_use);
        let response = timeout(limit, opening).await.unwrap_or_else(|_| Err(RequestFailure::timed_out()))?;
        if response.status() != StatusCode::OK {
            let reading = timeout(limit, read_response(response)).await;
            let (head, body) = reading.unwrap_or_else(|_| Err(RequestFailure::timed_out()))?;
            return Err(failure_of(&head, &body));
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        if !content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream")) {
            let message = "the server answered 200, but not with an event stream";
            return Err(RequestFailure::new(ClientCode::UnexpectedStatus, message));
        }
        Ok(response)
    }

    /// Requests the subject of a tenant, unless it is still the one with this tag.
    pub(super) async fn subject(&self, slug: &Slug, tag: Option<&str>) -> Result<Response, RequestFailure> {
        let mut url = self.settings.tenants_url.clone();
        url.set_path(&format!("{}/{}/subject", url.path(), slug.as_str()));
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(tag) = tag.and_then(|tag| tag.try_into().ok()) {
            headers.insert(IF_NONE_MATCH, tag);
        }
        self.get(url, headers, None).await
    }

    /// Sends the last request of a closing client, so that the server no longer waits for this
    /// instance. The response is ignored.
    pub(super) async fn sign_off(&self, in_use: &Digest) {
        let headers =
            HeaderMap::from_iter([(HeaderName::from_static("dezky-closing"), HeaderValue::from_static("1"))]);
        let _ = self.conditional(headers, Some(in_use), Some(in_use)).await;
    }

    async fn get(
        &self,
        url: Url,
        mut headers: HeaderMap,
        in_use: Option<&Digest>,
    ) -> Result<Response, RequestFailure> {
        let key = read_key(&self.settings.key).await?;
        let invalid_key =
            || RequestFailure::new(ClientCode::Unreachable, "the key function returned no valid key");
        headers.insert(AUTHORIZATION, bearer(&key).ok_or_else(invalid_key)?);
        if let Ok(instance) = self.instance.as_str().try_into() {
            headers.insert("dezky-instance", instance);
        }
        if let Some(in_use) = in_use
            && let Ok(digest) = in_use.as_str().try_into()
        {
            headers.insert("dezky-digest", digest);
        }
        Ok(self.client()?.get(url).headers(headers).send().await?)
    }

    /// Builds the client on first use, because that reads the system's certificates and can fail.
    fn client(&self) -> Result<&Client, RequestFailure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let mut builder = Client::builder()
            .user_agent(format!("dezky-{}/{}", self.settings.sdk, env!("CARGO_PKG_VERSION")))
            // A redirect would take the key to another server.
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(self.settings.timing.request_timeout);
        if self.settings.snapshot_url.scheme() == "http" {
            // Plain http needs no certificates, and some systems have none.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build()?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// The key for the next request. A key function runs on a thread where it may block.
async fn read_key(key: &Key) -> Result<String, RequestFailure> {
    let returned = match &key.0 {
        KeySource::Fixed(text) => return Ok(text.clone()),
        KeySource::Function(function) => {
            let function = function.clone();
            spawn_blocking(move || function()).await
        }
    };
    let message = match returned {
        Ok(Ok(key)) => return Ok(key),
        Ok(Err(message)) => format!("the key function failed: {message}"),
        Err(_) => "the key function failed: it panicked".to_owned(),
    };
    Err(RequestFailure::new(ClientCode::Unreachable, message))
}
