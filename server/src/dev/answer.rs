//! The forms of the built-in provider's answers, and how it reads forms.

use std::error::Error;

use axum::body::{Body, to_bytes};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION,
};
use axum::http::{HeaderValue, Response, StatusCode};
use http_body_util::LengthLimitError;
use reqwest::Url;
use serde_json::Value;
use uuid::Uuid;

use crate::http::limits::BODY_TIMEOUT;
use crate::http::problem::Problem;

/// More than any form here needs.
const MAX_BODY_BYTES: usize = 16 << 10;

/// The body, if it is of a size and a speed that is waited for. The codes are those of every other endpoint.
pub(super) async fn body(body: Body) -> Result<Vec<u8>, Problem> {
    let refuse = |status, code, detail: &str| Err(Problem::new(status, code, detail));
    match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(error)) if error.source().is_some_and(|source| source.is::<LengthLimitError>()) => {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is larger than is accepted")
        }
        Ok(Err(_)) => refuse(StatusCode::BAD_REQUEST, "body_broken", "The body did not arrive whole"),
        Err(_) => refuse(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "The body did not arrive in time"),
    }
}

/// The parameters of a query or a form, each at most once: which of two would be meant?
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn read(encoded: &[u8]) -> Option<Parameters> {
        let mut url = Url::parse("http://localhost/").ok()?;
        url.set_query(Some(std::str::from_utf8(encoded).ok()?));
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url.query_pairs() {
            if pairs.iter().any(|(known, _)| *known == name) {
                return None;
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Some(Parameters(pairs))
    }

    /// The value of a parameter; an empty one counts as none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

pub(super) fn problem(problem: Problem) -> Response<Body> {
    problem.respond(&Uuid::now_v7().to_string())
}

pub(super) fn json(status: StatusCode, body: &Value) -> Response<Body> {
    answer(status, "application/json", body.to_string())
}

/// `form_target` is where the form's answer may lead, beside this server: browsers hold redirects to it too.
pub(super) fn html(status: StatusCode, page: String, form_target: Option<&Url>) -> Response<Body> {
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

/// 303, so that a form's answer is fetched with GET.
pub(super) fn redirect(target: &Url) -> Response<Body> {
    let mut response = answer(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", String::new());
    if let Ok(target) = HeaderValue::from_str(target.as_str()) {
        response.headers_mut().insert(LOCATION, target);
    }
    response
}

/// Pages of other origins may read it: applications under development run on ports of their own.
pub(super) fn for_any_origin(mut response: Response<Body>) -> Response<Body> {
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
