//! Fetches an issuer's keys, with a bounded size and without following redirects.

use std::error::Error as _;
use std::time::Duration;

use dezky_core::limits::MAX_KEY_SET_BYTES;
use dezky_core::token::TokenPolicy;
use reqwest::header::ACCEPT;
use reqwest::{Certificate, StatusCode, Url};
use serde::Deserialize;

use super::address::rejection;
use super::timing::KeyTiming;

/// The source of an issuer's keys, and the policy for its tokens.
#[derive(Debug)]
pub(super) struct IssuerSource {
    pub(super) issuer: String,
    pub(super) issuer_url: Url,
    pub(super) jwks_url: Option<Url>,
    pub(super) policy: TokenPolicy,
    pub(super) client: IssuerClient,
    pub(super) timing: KeyTiming,
}

/// The members of the discovery document that matter here.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl IssuerSource {
    /// Fetches the bytes of the current key set. An error never contains parts of the response.
    pub(super) async fn key_set(&self) -> Result<Vec<u8>, String> {
        let attempt = async {
            let address = match &self.jwks_url {
                Some(url) => url.clone(),
                None => self.discover().await?,
            };
            self.client.get(address).await
        };
        match tokio::time::timeout(self.timing.timeout, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err("the fetch timed out".to_owned()),
        }
    }

    async fn discover(&self) -> Result<Url, String> {
        let mut address = self.issuer_url.clone();
        let path = format!("{}/.well-known/openid-configuration", address.path().trim_end_matches('/'));
        address.set_path(&path);
        let body = self.client.get(address).await?;
        let discovery: Discovery = serde_json::from_slice(&body)
            .map_err(|_| "the discovery document is not JSON with issuer and jwks_uri".to_owned())?;
        if discovery.issuer != self.issuer {
            return Err("the discovery document names another issuer (a trailing slash counts)".to_owned());
        }
        let keys =
            Url::parse(&discovery.jwks_uri).map_err(|_| "jwks_uri is not an absolute URL".to_owned())?;
        if let Some(reason) = rejection(&keys) {
            return Err(format!("jwks_uri: {reason}"));
        }
        if self.issuer_url.scheme() == "https" && keys.scheme() != "https" {
            return Err("jwks_uri: the issuer uses https, so its keys must too".to_owned());
        }
        Ok(keys)
    }
}

/// An HTTP client that follows no redirects, uses no proxy, and limits the size of responses.
#[derive(Debug, Clone)]
pub(super) struct IssuerClient(reqwest::Client);

impl IssuerClient {
    pub(super) fn new(roots: Option<Vec<Certificate>>, timeout: Duration) -> Result<IssuerClient, String> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("dezky-server/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(timeout)
            .timeout(timeout)
            // Fetches are ten minutes apart, and few idle connections live that long.
            .pool_max_idle_per_host(0);
        if let Some(roots) = roots {
            builder = builder.tls_certs_only(roots);
        }
        builder.build().map(IssuerClient).map_err(describe)
    }

    async fn get(&self, address: Url) -> Result<Vec<u8>, String> {
        let request = self.0.get(address).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(describe)?;
        if response.status() != StatusCode::OK {
            return Err(format!("the response has status {}", response.status().as_u16()));
        }
        let mut body = Vec::new();
        // Counts the bytes, because Content-Length may be wrong.
        while let Some(chunk) = response.chunk().await.map_err(describe)? {
            if body.len() + chunk.len() > MAX_KEY_SET_BYTES {
                return Err(format!("the response exceeds {MAX_KEY_SET_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Formats an error with its causes, because the outermost error only reports that sending failed.
fn describe(error: reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
