//! Error responses: RFC 9457 problems with a stable code, the paths of the errors and the request
//! id.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, Response, StatusCode};
use dezky_core::access::AccessReason;
use serde_json::{Value, json};

use crate::delivery::SliceError;
use crate::store::{Require, StoreError, WriteError};

/// An error response. Boxed to keep every `Result` that can hold one small.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<Finding>,
    headers: Vec<(HeaderName, HeaderValue)>,
    extra: Option<(&'static str, Value)>,
    replacement: Option<Value>,
}

/// One error and its path: a JSON Pointer into the body, `?name` for a query parameter, or the
/// name of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The path of the error.
    pub path: String,
    /// The stable code of the error.
    pub code: &'static str,
    /// A sentence that explains the error.
    pub detail: Cow<'static, str>,
}

impl Problem {
    /// Creates a problem with a detail sentence.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        let (errors, headers) = (Vec::new(), Vec::new());
        Problem(Box::new(Parts {
            status,
            code,
            detail: detail.into(),
            errors,
            headers,
            extra: None,
            replacement: None,
        }))
    }

    /// Returns 404, both for missing resources and for those that the caller may not see.
    pub fn not_found() -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", "The resource does not exist, or you may not see it")
    }

    /// Returns 403 with the reason of the decision.
    pub fn denied(reason: AccessReason) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, reason.as_str(), reason.message())
    }

    /// Returns 422 for one invalid value.
    pub fn invalid(path: impl Into<String>, code: &'static str, detail: &'static str) -> Problem {
        Problem::from_findings(vec![Finding { path: path.into(), code, detail: detail.into() }])
    }

    /// Returns 422 for several invalid values, with the code of the first.
    pub fn from_findings(findings: Vec<Finding>) -> Problem {
        let (code, detail) = findings
            .first()
            .map_or_else(|| ("invalid", String::new()), |first| (first.code, first.detail.to_string()));
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).with_findings(findings)
    }

    /// Returns 409 for a value that conflicts with the current state.
    pub fn conflict(code: &'static str, path: &str, detail: &'static str) -> Problem {
        let errors = vec![Finding { path: path.to_owned(), code, detail: detail.into() }];
        Problem::new(StatusCode::CONFLICT, code, detail).with_findings(errors)
    }

    /// Replaces the HTTP status.
    pub fn with_status(mut self, status: StatusCode) -> Problem {
        self.0.status = status;
        self
    }

    /// Replaces the detail sentence.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Problem {
        self.0.detail = detail.into();
        self
    }

    fn with_findings(mut self, findings: Vec<Finding>) -> Problem {
        self.0.errors = findings;
        self
    }

    /// Adds a header to the response.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.0.headers.push((name, value));
        self
    }

    /// Adds a member to the problem document.
    pub fn with_member(mut self, name: &'static str, value: Value) -> Problem {
        self.0.extra = Some((name, value));
        self
    }

    /// Replaces the problem document, for clients of another protocol.
    pub fn with_body(mut self, body: Value) -> Problem {
        self.0.replacement = Some(body);
        self
    }

    /// Returns the detail sentence.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// Builds the HTTP response.
    pub fn respond(self, request_id: &str) -> Response<Body> {
        let Parts { status, code, detail, errors, headers, extra, replacement } = *self.0;
        if let Some(body) = replacement {
            return answer(status, "application/json", body.to_string(), headers);
        }
        let errors: Vec<Value> = errors
            .iter()
            .map(|Finding { path, code, detail }| json!({ "path": path, "code": code, "detail": detail }))
            .collect();
        let mut body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "code": code,
            "detail": detail,
            "errors": errors,
            "requestId": request_id,
        });
        if let (Some((name, value)), Some(members)) = (extra, body.as_object_mut()) {
            members.insert(name.to_owned(), value);
        }
        answer(status, "application/problem+json", body.to_string(), headers)
    }
}

fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: String,
    headers: Vec<(HeaderName, HeaderValue)>,
) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().extend(headers);
    response
}

impl From<dezky_core::Error> for Problem {
    fn from(error: dezky_core::Error) -> Problem {
        let finding = |error: &dezky_core::Error| Finding {
            path: error.path.clone(),
            code: error.code.as_str(),
            detail: error.message.clone(),
        };
        Problem::from_findings(error.all().map(finding).collect())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::Unavailable(reason) | StoreError::Exposed(reason) => {
                tracing::error!(reason, "the store is unavailable");
                let detail = "The store is unavailable; treat a write with this response as not \
                              committed, and repeat it with the same idempotency key";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
                    .with_header(axum::http::header::RETRY_AFTER, HeaderValue::from_static("1"))
            }
            StoreError::Broken(reason) => {
                tracing::error!(reason, "the store contains a record that cannot be read");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "store_broken",
                    "The store contains a record that cannot be read",
                )
            }
            StoreError::Overflow => Problem::new(
                StatusCode::CONFLICT,
                "mrr_overflow",
                "The sum exceeds the range of exact amounts",
            ),
        }
    }
}

impl From<SliceError> for Problem {
    fn from(error: SliceError) -> Problem {
        match error {
            SliceError::Store(error) => error.into(),
            SliceError::Data(error) => error.into(),
        }
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Problem {
        match error {
            WriteError::Stale => Problem::new(
                StatusCode::PRECONDITION_FAILED,
                "stale",
                "The resource changed since it was read: read it again",
            ),
            WriteError::Taken(path) => Problem::conflict("taken", path, "Another record has this value"),
            WriteError::Unmet(Require::ActivePartner(_)) => {
                Problem::invalid("/partnerId", "unknown_partner", "No active partner has this id")
            }
            WriteError::Unmet(Require::LiveTenants(_)) => {
                Problem::invalid("/tenantIds", "unknown_tenant", "The tenant does not exist or is terminated")
            }
            // `Call::write` authorizes the caller again instead and never returns this.
            WriteError::Unmet(Require::Actor(..)) => Problem::new(
                StatusCode::CONFLICT,
                "busy",
                "The caller's rights changed at the same time: try again",
            ),
            WriteError::Unmet(Require::AnActiveAdmin) => Problem::denied(AccessReason::DeniedLastAdmin),
            WriteError::Unmet(Require::FlagsWithin { .. }) => Problem::conflict(
                "snapshot_too_large",
                "",
                "The change would make the snapshot larger than clients accept (32 MiB, 100,000 flags). List plans or partners instead of tenants, or delete unused flags",
            ),
            WriteError::Unmet(Require::UnchangedWorld(_)) => Problem::new(
                StatusCode::CONFLICT,
                "effect_changed",
                "Another change was committed at the same time: plan again",
            ),
            // `Call::write` replays the receipt instead and never returns this.
            WriteError::Received(_) => Problem::new(
                StatusCode::CONFLICT,
                "idempotency_key_reused",
                "This idempotency key was already used",
            ),
            WriteError::Failed(error) => error.into(),
        }
    }
}
