//! Problem documents (RFC 9457) in the format of every other endpoint of the server.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// An error response before it is rendered.
#[derive(Debug)]
pub(crate) struct OAuthError {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
    /// A JSON Pointer into the body, or the name of a header.
    path: Option<&'static str>,
    /// One further member of the document.
    member: Option<(&'static str, Value)>,
}

impl OAuthError {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: &'static str) -> OAuthError {
        OAuthError { status, code, detail, path: None, member: None }
    }

    /// Adds the path of the value that is wrong.
    pub(crate) fn with_path(self, path: &'static str) -> OAuthError {
        OAuthError { path: Some(path), ..self }
    }

    /// Adds one further member.
    pub(crate) fn with_member(self, name: &'static str, value: Value) -> OAuthError {
        OAuthError { member: Some((name, value)), ..self }
    }

    pub(crate) fn respond(self) -> Response<Body> {
        let OAuthError { status, code, detail, path, member } = self;
        let error = |path| json!({ "path": path, "code": code, "detail": detail });
        let mut body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "code": code,
            "detail": detail,
            "errors": path.map(error).into_iter().collect::<Vec<Value>>(),
            "requestId": Uuid::now_v7().to_string(),
        });
        if let (Some((name, value)), Some(members)) = (member, body.as_object_mut()) {
            members.insert(name.to_owned(), value);
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        let media_type = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        response
    }
}
