//! What an instance that evaluates by itself says of itself in the headers of its requests.

use axum::http::{HeaderMap, HeaderName};
use dezky_core::Digest;

const INSTANCE: HeaderName = HeaderName::from_static("dezky-instance");
const DIGEST: HeaderName = HeaderName::from_static("dezky-digest");

const MAX_INSTANCE: usize = 64;

/// What it calls itself, where it does in the form that is asked for.
pub fn instance(headers: &HeaderMap) -> Option<&str> {
    let name = headers.get(&INSTANCE)?.to_str().ok()?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_good = (1..=MAX_INSTANCE).contains(&name.len()) && name.bytes().all(is_allowed);
    is_good.then_some(name)
}

/// The digest of what it evaluates with.
pub fn digest(headers: &HeaderMap) -> Option<Digest> {
    Digest::new(headers.get(&DIGEST)?.to_str().ok()?).ok()
}
