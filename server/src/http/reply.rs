//! The reply of a handler, before it becomes an HTTP response.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::problem::Problem;

/// A reply with status, body and headers.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    /// The body of the response.
    pub content: Content,
    /// The strong entity tag of the body.
    pub etag: Option<HeaderValue>,
    /// The path of the created resource.
    pub location: Option<String>,
    /// The media type of the body.
    pub content_type: &'static str,
    /// Further headers of the response.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of a reply.
#[derive(Debug)]
pub enum Content {
    /// A complete body, possibly empty.
    Whole(Bytes),
    /// A body that is produced while it is sent.
    Stream(Body),
}

const JSON: &str = "application/json";

impl Reply {
    /// Serializes a value as a 200 reply.
    pub fn json(value: &impl Serialize) -> Result<Reply, Problem> {
        Ok(Reply::text(serde_json::to_vec(value).map_err(serialization_failed)?))
    }

    /// Creates a 200 reply from serialized JSON.
    pub fn text(body: impl Into<Bytes>) -> Reply {
        Reply::with_content(Content::Whole(body.into()))
    }

    /// Creates a 200 reply from a stream.
    pub fn stream(body: Body) -> Reply {
        Reply::with_content(Content::Stream(body))
    }

    fn with_content(content: Content) -> Reply {
        let status = StatusCode::OK;
        Reply { status, content, etag: None, location: None, content_type: JSON, headers: Vec::new() }
    }

    /// Sets the strong entity tag.
    pub fn tagged(self, etag: &str) -> Reply {
        Reply { etag: HeaderValue::try_from(etag).ok(), ..self }
    }

    /// Turns the reply into 201 with `Location`.
    pub fn created(self, location: String) -> Reply {
        Reply { status: StatusCode::CREATED, location: Some(location), ..self }
    }

    /// Sets a media type other than JSON.
    pub fn with_type(self, content_type: &'static str) -> Reply {
        Reply { content_type, ..self }
    }

    /// Adds a header to the reply.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Reply {
        self.headers.push((name, value));
        self
    }

    /// Turns the reply into 304 without a body.
    pub fn not_modified(self) -> Reply {
        Reply { status: StatusCode::NOT_MODIFIED, content: Content::Whole(Bytes::new()), ..self }
    }

    /// Returns the bytes of a complete body, which a receipt can store.
    pub fn kept_body(&self) -> &[u8] {
        match &self.content {
            Content::Whole(bytes) => bytes,
            Content::Stream(_) => &[],
        }
    }

    /// Builds the HTTP response.
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
        let location = self.location.and_then(|path| HeaderValue::try_from(path).ok());
        for (name, value) in [(ETAG, self.etag), (LOCATION, location)] {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        headers.extend(self.headers);
        response
    }
}

/// Returns the 500 problem for a value of the server that cannot be serialized.
pub fn serialization_failed(error: serde_json::Error) -> Problem {
    tracing::error!(%error, "a response cannot be serialized");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "An internal error occurred")
}
