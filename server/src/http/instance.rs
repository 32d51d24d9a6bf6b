//! The headers in which locally evaluating instances report their state.

use axum::http::{HeaderMap, HeaderName};
use dezky_core::names::Digest;

const INSTANCE: HeaderName = HeaderName::from_static("dezky-instance");
const DIGEST: HeaderName = HeaderName::from_static("dezky-digest");
const CLOSING: HeaderName = HeaderName::from_static("dezky-closing");

const MAX_INSTANCE: usize = 64;

/// Returns the name of the instance, if it is well-formed.
pub fn instance(headers: &HeaderMap) -> Option<&str> {
    let name = headers.get(&INSTANCE)?.to_str().ok()?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_good = (1..=MAX_INSTANCE).contains(&name.len()) && name.bytes().all(is_allowed);
    is_good.then_some(name)
}

/// Reports whether the instance signs off: it no longer evaluates.
pub fn is_closing(headers: &HeaderMap) -> bool {
    headers.get(&CLOSING).is_some_and(|value| value == "1")
}

/// Returns the digest of the rules that the instance evaluates with.
pub fn digest(headers: &HeaderMap) -> Option<Digest> {
    Digest::new(headers.get(&DIGEST)?.to_str().ok()?).ok()
}
