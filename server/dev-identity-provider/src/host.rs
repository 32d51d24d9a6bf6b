//! Addresses of this machine: the issuer, the `Host` header, and addresses to return to.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{HeaderMap, Response, StatusCode, Uri, Version};
use axum::middleware::Next;
use url::Url;

use crate::problem::OAuthError;

/// Returns whether a host, as a URL spells it, is `localhost` or a loopback address.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || literal.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Parses an absolute URL of this machine that carries neither credentials nor a fragment.
pub(crate) fn local_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_local = matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(is_loopback_host);
    let is_plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (is_local && is_plain).then_some(url)
}

/// Rejects requests for other hosts. With DNS rebinding, a foreign page reaches this machine under
/// the page's own host name, and could read tokens as its own.
pub(crate) async fn reject_foreign_hosts(request: Request, next: Next) -> Response<Body> {
    if !has_valid_host_header(request.version(), request.headers()) {
        let detail = "An HTTP/1.1 request must have exactly one Host header";
        return OAuthError::new(StatusCode::BAD_REQUEST, "invalid_host", detail).with_path("Host").respond();
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let authority = host.and_then(|host| host.parse::<Uri>().ok()).and_then(|uri| uri.into_parts().authority);
    if authority.is_some_and(|authority| is_loopback_host(authority.host())) {
        return next.run(request).await;
    }
    let detail = "The built-in identity provider answers on loopback only";
    OAuthError::new(StatusCode::MISDIRECTED_REQUEST, "foreign_host", detail).respond()
}

/// HTTP/1.1 requires the header, and no version allows several.
fn has_valid_host_header(version: Version, headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(HOST).iter();
    match (lines.next(), lines.next()) {
        (Some(_), None) => true,
        (None, _) => version != Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}
