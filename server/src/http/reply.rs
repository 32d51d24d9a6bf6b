//! What a handler answers.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::problem::Problem;

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// What is in it.
    pub content: Content,
    /// The strong tag of what is shown.
    pub etag: Option<HeaderValue>,
    /// Where the new entity is.
    pub location: Option<String>,
    /// What the body is.
    pub content_type: &'static str,
    /// What else there is to say.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// What an answer consists of.
#[derive(Debug)]
pub enum Content {
    /// Bytes, or none.
    Whole(Bytes),
    /// Whatever comes, when it comes.
    Stream(Body),
}

const JSON: &str = "application/json";

impl Reply {
    /// 200 with a body.
    pub fn json(value: &impl Serialize) -> Result<Reply, Problem> {
        Ok(Reply::text(serde_json::to_vec(value).map_err(unwritable)?))
    }

    /// 200 with a JSON body that is written already.
    pub fn text(body: impl Into<Bytes>) -> Reply {
        Reply::of(Content::Whole(body.into()))
    }

    /// 200 with whatever comes.
    pub fn stream(body: Body) -> Reply {
        Reply::of(Content::Stream(body))
    }

    fn of(content: Content) -> Reply {
        let status = StatusCode::OK;
        Reply { status, content, etag: None, location: None, content_type: JSON, headers: Vec::new() }
    }

    /// 204.
    pub fn nothing() -> Reply {
        Reply { status: StatusCode::NO_CONTENT, ..Reply::text(Bytes::new()) }
    }

    /// The same with its strong tag.
    pub fn tagged(self, etag: &str) -> Reply {
        Reply { etag: HeaderValue::try_from(etag).ok(), ..self }
    }

    /// 201: it has been made, and is there.
    pub fn created(self, location: String) -> Reply {
        Reply { status: StatusCode::CREATED, location: Some(location), ..self }
    }

    /// The same as something else than JSON.
    pub fn as_type(self, content_type: &'static str) -> Reply {
        Reply { content_type, ..self }
    }

    /// The same with a header.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Reply {
        self.headers.push((name, value));
        self
    }

    /// 304, instead of what the reader has already.
    pub fn not_modified(self) -> Reply {
        Reply { status: StatusCode::NOT_MODIFIED, content: Content::Whole(Bytes::new()), ..self }
    }

    /// Its bytes, where it has any that can be kept.
    pub fn kept_body(&self) -> &[u8] {
        match &self.content {
            Content::Whole(bytes) => bytes,
            Content::Stream(_) => &[],
        }
    }

    /// The answer.
    pub fn respond(self) -> Response<Body> {
        let (has_body, body) = match self.content {
            Content::Whole(bytes) => (!bytes.is_empty(), Body::from(bytes)),
            Content::Stream(body) => (true, body),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        let location = self.location.and_then(|place| HeaderValue::try_from(place).ok());
        for (name, value) in [(ETAG, self.etag), (LOCATION, location)] {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        headers.extend(self.headers);
        response
    }
}

/// What never happens to values of ours: they cannot be written as JSON.
pub fn unwritable(error: serde_json::Error) -> Problem {
    tracing::error!(%error, "an answer cannot be written");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong here")
}
