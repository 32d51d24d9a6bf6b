//! Options that were found well formed.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::held::Held;
use super::key::Kind;
use super::{ClientCode, ClientError, ConnectOptions, Key, PastDeadline, Timing};
use dezky_core::names::Slug;

/// What the client's thread works from.
pub(super) struct Settings {
    pub(super) snapshot_url: Url,
    pub(super) stream_url: Url,
    pub(super) tenants_url: Url,
    /// Only the part for one tenant is followed, which does not tell of the whole population.
    pub(super) is_slice: bool,
    pub(super) key: Key,
    pub(super) snapshot: Option<Arc<Held>>,
    pub(super) file: Option<PathBuf>,
    pub(super) deadline: Duration,
    pub(super) past_deadline: PastDeadline,
    pub(super) stale_after: Duration,
    pub(super) max_backoff: Duration,
    pub(super) instance: Option<String>,
    pub(super) sdk: &'static str,
    pub(super) timing: Timing,
}

impl Settings {
    pub(super) fn read(options: ConnectOptions) -> Result<Settings, ClientError> {
        let base = base(&options.url, options.allow_http)?;
        let tenant = match &options.tenant {
            None => None,
            Some(slug) => {
                Some(Slug::new(slug).map_err(|error| ClientError::option("/tenant", error.message))?)
            }
        };
        let (snapshot_path, stream_path) = match tenant {
            None => ("flags/snapshot", "flags/stream"),
            Some(_) => ("flags/slice", "flags/slice/stream"),
        };
        let address = |path: &str| {
            let mut url = base.clone();
            url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
            if let Some(slug) = &tenant {
                url.set_query(Some(&format!("tenant={}", slug.as_str())));
            }
            url
        };
        let mut tenants_url = address("tenants");
        tenants_url.set_query(None);
        if let Kind::Text(text) = &options.key.0 {
            bearer(text).ok_or_else(|| ClientError::option("/key", "a key is visible ASCII characters"))?;
        }
        if options.instance.as_deref().is_some_and(|name| !is_instance(name)) {
            let message = "an instance is 1 to 64 of A-Z, a-z, 0-9, _, . and -";
            return Err(ClientError::option("/instance", message));
        }
        for (path, duration) in [("/stale_after", options.stale_after), ("/max_backoff", options.max_backoff)]
        {
            if duration.is_zero() {
                return Err(ClientError::option(path, "this duration is above zero"));
            }
        }
        let snapshot = match &options.snapshot {
            None => None,
            Some(document) => Some(Held::from_document(document).map_err(|error| ClientError {
                snapshot_error: Some(error.clone().into()),
                ..ClientError::option("/snapshot", format!("this is no snapshot: {error}"))
            })?),
        };
        let without_server = match options.file {
            Some(_) => PastDeadline::File,
            None => PastDeadline::Fail,
        };
        Ok(Settings {
            snapshot_url: address(snapshot_path),
            stream_url: address(stream_path),
            tenants_url,
            is_slice: tenant.is_some(),
            key: options.key,
            snapshot: snapshot.map(Arc::new),
            file: options.file,
            deadline: options.deadline,
            past_deadline: options.past_deadline.unwrap_or(without_server),
            stale_after: options.stale_after,
            max_backoff: options.max_backoff,
            instance: options.instance,
            sdk: options.sdk,
            timing: options.timing,
        })
    }
}

fn base(text: &str, allow_http: bool) -> Result<Url, ClientError> {
    let refuse = |message| Err(ClientError::option("/url", message));
    let Ok(url) = Url::parse(text) else { return refuse("this is no absolute URL") };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return refuse("the server is on http or https");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("the base URL has neither query nor fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("credentials belong into the key, not the URL");
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        let message = "the key would travel over plain http: use https, or allow_http";
        return Err(ClientError { code: ClientCode::InsecureUrl, ..ClientError::option("/url", message) });
    }
    Ok(url)
}

/// Requests to this host do not leave the machine.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// The header that carries a key; `None` where no header can.
pub(super) fn bearer(key: &str) -> Option<HeaderValue> {
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut value = HeaderValue::try_from(format!("Bearer {key}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn is_instance(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(fits)
}
