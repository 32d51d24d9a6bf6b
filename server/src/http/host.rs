//! The `Host` header: a request names one host, so that everybody on its way agrees for whom it is.

use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode, Version};

use super::problem::Problem;

/// Refuses a request of HTTP/1.1 without `Host`, and any request with several.
pub fn judge_host(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let mut lines = headers.get_all(HOST).iter();
    let is_good = match (lines.next(), lines.next()) {
        (Some(_), None) => true,
        (None, _) => version != Version::HTTP_11,
        (Some(_), Some(_)) => false,
    };
    if is_good {
        return Ok(());
    }
    let detail = "A request of HTTP/1.1 has exactly one Host header";
    Err(Problem::invalid("Host", "invalid_host", detail).with_status(StatusCode::BAD_REQUEST))
}
