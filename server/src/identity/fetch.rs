//! Fetching an issuer's keys: little is accepted, and nothing is followed.

use std::error::Error as _;
use std::time::Duration;

use dezky_core::limits::MAX_KEY_SET_BYTES;
use dezky_core::token::TokenPolicy;
use reqwest::header::ACCEPT;
use reqwest::{Certificate, StatusCode, Url};
use serde::Deserialize;

use super::settings::{KeyTiming, unfit};

/// Where an issuer's keys are, and what its tokens are held to.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) issuer: String,
    pub(super) issuer_url: Url,
    pub(super) jwks_url: Option<Url>,
    pub(super) policy: TokenPolicy,
    pub(super) client: Client,
    pub(super) timing: KeyTiming,
}

/// What of the discovery document is read.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Source {
    /// The key set as the issuer publishes it now, unread; else why not, without anything of the answer.
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
            Err(_) => Err("no complete answer in time".to_owned()),
        }
    }

    async fn discover(&self) -> Result<Url, String> {
        let mut address = self.issuer_url.clone();
        let path = format!("{}/.well-known/openid-configuration", address.path().trim_end_matches('/'));
        address.set_path(&path);
        let body = self.client.get(address).await?;
        let discovery: Discovery = serde_json::from_slice(&body)
            .map_err(|_| "the discovery document is no JSON with issuer and jwks_uri".to_owned())?;
        if discovery.issuer != self.issuer {
            return Err("the discovery document is another issuer's; a slash at the end counts".to_owned());
        }
        let keys = Url::parse(&discovery.jwks_uri).map_err(|_| "jwks_uri is no absolute URL".to_owned())?;
        if let Some(reason) = unfit(&keys) {
            return Err(format!("jwks_uri: {reason}"));
        }
        if self.issuer_url.scheme() == "https" && keys.scheme() != "https" {
            return Err("jwks_uri: the issuer is on https, its keys are not".to_owned());
        }
        Ok(keys)
    }
}

/// A client that follows no redirect, knows no proxy, and reads no more than a key set may have.
#[derive(Debug, Clone)]
pub(super) struct Client(reqwest::Client);

impl Client {
    pub(super) fn new(roots: Option<Vec<Certificate>>, timeout: Duration) -> Result<Client, String> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("dezky-server/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(timeout)
            .timeout(timeout)
            // A connection kept for ten minutes is more often dead than not.
            .pool_max_idle_per_host(0);
        if let Some(roots) = roots {
            builder = builder.tls_certs_only(roots);
        }
        builder.build().map(Client).map_err(told)
    }

    async fn get(&self, address: Url) -> Result<Vec<u8>, String> {
        let request = self.0.get(address).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(told)?;
        if response.status() != StatusCode::OK {
            return Err(format!("the answer's status is {}", response.status().as_u16()));
        }
        let mut body = Vec::new();
        // What the answer says of its length may be wrong, so it is measured.
        while let Some(chunk) = response.chunk().await.map_err(told)? {
            if body.len() + chunk.len() > MAX_KEY_SET_BYTES {
                return Err(format!("the answer is larger than {MAX_KEY_SET_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// An error with its causes: the outermost alone says only that sending failed.
fn told(error: reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
