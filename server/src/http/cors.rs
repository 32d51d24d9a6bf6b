//! CORS: the origins whose pages may call the server, and the headers that they may read.

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::page::NO_SNIFF;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, DELETE");

const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, x-api-key, content-type, if-match, if-none-match, idempotency-key, dezky-instance, dezky-digest, dezky-closing",
);

const EXPOSED: HeaderValue =
    HeaderValue::from_static("etag, location, retry-after, x-request-id, dezky-history, dezky-population");

const A_DAY: HeaderValue = HeaderValue::from_static("86400");

/// Returns the origin of the request, if it is allowed.
pub fn allowed(origins: &[HeaderValue], headers: &HeaderMap) -> Option<HeaderValue> {
    if origins.is_empty() {
        return None;
    }
    let origin = headers.get(ORIGIN)?;
    origins.iter().find(|allowed| *allowed == origin).cloned()
}

/// Lets the page of this origin read the response.
pub fn expose(origin: HeaderValue, headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.append(VARY, HeaderValue::from_static("origin"));
}

/// Answers an allowed preflight request; `None` for every other request.
pub fn preflight(origins: &[HeaderValue], method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
    let origin = allowed(origins, headers).filter(|_| method == Method::OPTIONS)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    expose(origin, headers);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, A_DAY);
    Some(response)
}
