//! The `Host` header: exactly one, so that proxies and the server agree on the host.

use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode, Version};

use super::problem::Problem;

/// Rejects an HTTP/1.1 request without `Host`, and any request with several.
pub fn check_host(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let mut lines = headers.get_all(HOST).iter();
    let is_good = match (lines.next(), lines.next()) {
        (Some(_), None) => true,
        (None, _) => version != Version::HTTP_11,
        (Some(_), Some(_)) => false,
    };
    if is_good {
        return Ok(());
    }
    let detail = "An HTTP/1.1 request must have exactly one Host header";
    Err(Problem::invalid("Host", "invalid_host", detail).with_status(StatusCode::BAD_REQUEST))
}
