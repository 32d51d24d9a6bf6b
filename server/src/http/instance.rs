//! The headers in which an instance that evaluates locally reports about itself.

use axum::http::{HeaderMap, HeaderName};
use dezky_core::names::Digest;

const INSTANCE: HeaderName = HeaderName::from_static("dezky-instance");
const DIGEST: HeaderName = HeaderName::from_static("dezky-digest");
const CLOSING: HeaderName = HeaderName::from_static("dezky-closing");

const MAX_INSTANCE: usize = 64;

/// The instance's name, if it gives a well-formed one.
pub fn instance(headers: &HeaderMap) -> Option<&str> {
    let name = headers.get(&INSTANCE)?.to_str().ok()?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_good = (1..=MAX_INSTANCE).contains(&name.len()) && name.bytes().all(is_allowed);
    is_good.then_some(name)
}

/// True if the instance signs off with this request: it evaluates no more.
pub fn is_closing(headers: &HeaderMap) -> bool {
    headers.get(&CLOSING).is_some_and(|value| value == "1")
}

/// The digest of the rules that the instance evaluates with.
pub fn digest(headers: &HeaderMap) -> Option<Digest> {
    Digest::new(headers.get(&DIGEST)?.to_str().ok()?).ok()
}
