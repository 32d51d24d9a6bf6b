//! The validated options of a client.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::key::KeySource;
use super::loaded_snapshot::LoadedSnapshot;
use super::{ClientCode, ClientError, ConnectOptions, Key, PastDeadline, Timing};
use dezky_core::names::Slug;

/// The settings that the client's thread uses.
pub(super) struct ClientSettings {
    pub(super) snapshot_url: Url,
    pub(super) stream_url: Url,
    pub(super) tenants_url: Url,
    /// `true` if the client follows the slice of one tenant.
    pub(super) is_slice: bool,
    pub(super) key: Key,
    pub(super) snapshot: Option<Arc<LoadedSnapshot>>,
    pub(super) file: Option<PathBuf>,
    pub(super) deadline: Duration,
    pub(super) past_deadline: PastDeadline,
    pub(super) stale_after: Duration,
    pub(super) max_backoff: Duration,
    pub(super) instance: Option<String>,
    pub(super) sdk: &'static str,
    pub(super) timing: Timing,
}

impl ClientSettings {
    /// Validates the options. Returns the error of the first one that is malformed.
    pub(super) fn read(options: ConnectOptions) -> Result<ClientSettings, ClientError> {
        let base = read_base(&options.url, options.allow_http)?;
        let tenant = options.tenant.as_deref().map(read_tenant).transpose()?;
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
        check(&options)?;
        let snapshot = options.snapshot.as_deref().map(read_snapshot).transpose()?;
        let without_server = match options.file {
            Some(_) => PastDeadline::File,
            None => PastDeadline::Fail,
        };
        Ok(ClientSettings {
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

fn read_base(text: &str, allow_http: bool) -> Result<Url, ClientError> {
    let reject = |message| Err(ClientError::option("/url", message));
    let url = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
        _ => return reject("the URL must be an absolute http or https address"),
    };
    if url.query().is_some() || url.fragment().is_some() {
        return reject("the URL must not contain a query or a fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return reject("the URL must not contain a user name or a password");
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        let message = "the key would travel over plain http: use https, or set allow_http";
        return Err(ClientError { code: ClientCode::InsecureUrl, ..ClientError::option("/url", message) });
    }
    Ok(url)
}

fn read_tenant(slug: &str) -> Result<Slug, ClientError> {
    let message = "the tenant must be a slug: 1 to 63 of a-z, 0-9 and -, beginning and ending with a \
                   letter or digit";
    Slug::new(slug).map_err(|_| ClientError::option("/tenant", message))
}

fn read_snapshot(document: &[u8]) -> Result<LoadedSnapshot, ClientError> {
    LoadedSnapshot::from_document(document).map_err(|error| ClientError {
        snapshot_error: Some(error.clone().into()),
        ..ClientError::option("/snapshot", format!("the snapshot is malformed: {error}"))
    })
}

/// Checks the key, the instance name and the durations.
fn check(options: &ConnectOptions) -> Result<(), ClientError> {
    if let KeySource::Fixed(text) = &options.key.0 {
        let message = "the key must be a string of visible ASCII characters, or a function that returns one";
        bearer(text).ok_or_else(|| ClientError::option("/key", message))?;
    }
    if options.instance.as_deref().is_some_and(|name| !is_instance_name(name)) {
        let message = "an instance name is 1 to 64 of A-Z, a-z, 0-9, _, . and -";
        return Err(ClientError::option("/instance", message));
    }
    for (path, duration) in [("/stale_after", options.stale_after), ("/max_backoff", options.max_backoff)] {
        if duration.is_zero() {
            return Err(ClientError::option(path, "the duration must be above zero"));
        }
    }
    Ok(())
}

/// Returns whether requests to this host stay on the machine.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// The `Authorization` header for a key; `None` if the key cannot be in a header.
pub(super) fn bearer(key: &str) -> Option<HeaderValue> {
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut value = HeaderValue::try_from(format!("Bearer {key}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn is_instance_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}
