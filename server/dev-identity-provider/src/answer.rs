//! Response bodies and headers of the provider, and the parser of its forms.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION,
};
use axum::http::{HeaderValue, Response, StatusCode};
use http_body_util::LengthLimitError;
use serde_json::Value;
use url::Url;

use crate::problem::OAuthError;

/// The largest request body. No form of the provider comes close to it.
const MAX_BODY_BYTES: usize = 16 << 10;

/// The time for a request body to arrive, as everywhere in the server.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads a request body within the limits of size and time, with the error codes of the server.
pub(crate) async fn body(body: Body) -> Result<Vec<u8>, OAuthError> {
    let reject = |status, code, detail| Err(OAuthError::new(status, code, detail));
    match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(error)) if error.source().is_some_and(|source| source.is::<LengthLimitError>()) => {
            reject(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body exceeds the limit of 16 KiB")
        }
        Ok(Err(_)) => reject(StatusCode::BAD_REQUEST, "body_broken", "The body is incomplete"),
        Err(_) => {
            reject(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "The body did not arrive within 10 seconds")
        }
    }
}

/// The parameters of a query or a form. A repeated name is an error, because its value is
/// ambiguous.
#[derive(Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn parse(encoded: &[u8]) -> Option<Parameters> {
        let mut url = Url::parse("http://localhost/").ok()?;
        url.set_query(Some(std::str::from_utf8(encoded).ok()?));
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url.query_pairs() {
            if pairs.iter().any(|(earlier, _)| *earlier == name) {
                return None;
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Some(Parameters(pairs))
    }

    /// The value of a parameter; an empty value counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(each, _)| each == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Response<Body> {
    answer(status, "application/json", body.to_string())
}

/// Returns an HTML page. Its form may lead to `form_target` besides this server, because browsers
/// apply `form-action` to redirects as well.
pub(crate) fn html(status: StatusCode, page: String, form_target: Option<&Url>) -> Response<Body> {
    let target = form_target.map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' {target}; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response = answer(status, "text/html; charset=utf-8", page);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Redirects with 303, so that the browser follows a form's answer with GET.
pub(crate) fn redirect(target: &Url) -> Response<Body> {
    let mut response = answer(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", String::new());
    if let Ok(target) = HeaderValue::from_str(target.as_str()) {
        response.headers_mut().insert(LOCATION, target);
    }
    response
}

/// Lets pages of every origin read the response: applications under development have their own
/// ports.
pub(crate) fn for_any_origin(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn answer(status: StatusCode, media_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
