//! What every refusal looks like: RFC 9457, with a stable code, the paths of what is wrong, and the request's id.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, Response, StatusCode};
use dezky_core::access::AccessReason;
use serde_json::{Value, json};

use crate::delivery::SliceError;
use crate::store::{Require, StoreError, WriteError};

/// A refusal. Boxed, so that every `Result` that may hold one stays small.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<Finding>,
    headers: Vec<(HeaderName, HeaderValue)>,
    further: Option<(&'static str, Value)>,
    said_as: Option<Value>,
}

/// One thing that is wrong, and where: a JSON Pointer into the body, `?name` for a parameter of the query, a header's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub path: String,
    /// What.
    pub code: &'static str,
    /// What, for people.
    pub detail: Cow<'static, str>,
}

impl Problem {
    /// A refusal with a sentence for people.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        let (errors, headers) = (Vec::new(), Vec::new());
        Problem(Box::new(Parts {
            status,
            code,
            detail: detail.into(),
            errors,
            headers,
            further: None,
            said_as: None,
        }))
    }

    /// 404, for what is not there as for what the caller may not see.
    pub fn not_found() -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here, or nothing that you may see")
    }

    /// 403, for the reason that the decision gave.
    pub fn denied(reason: AccessReason) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, reason.as_str(), reason.message())
    }

    /// 422, for one value.
    pub fn invalid(path: impl Into<String>, code: &'static str, detail: &'static str) -> Problem {
        Problem::of_findings(vec![Finding { path: path.into(), code, detail: detail.into() }])
    }

    /// 422, for several values; the first one's code is the problem's.
    pub fn of_findings(findings: Vec<Finding>) -> Problem {
        let (code, detail) = findings
            .first()
            .map_or_else(|| ("invalid", String::new()), |first| (first.code, first.detail.to_string()));
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).with_findings(findings)
    }

    /// 409, for a value that stands in the way.
    pub fn conflict(code: &'static str, path: &str, detail: &'static str) -> Problem {
        let errors = vec![Finding { path: path.to_owned(), code, detail: detail.into() }];
        Problem::new(StatusCode::CONFLICT, code, detail).with_findings(errors)
    }

    /// The same with another status.
    pub fn with_status(mut self, status: StatusCode) -> Problem {
        self.0.status = status;
        self
    }

    /// The same with another sentence for people.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Problem {
        self.0.detail = detail.into();
        self
    }

    fn with_findings(mut self, findings: Vec<Finding>) -> Problem {
        self.0.errors = findings;
        self
    }

    /// The same with a header.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.0.headers.push((name, value));
        self
    }

    /// The same with one more member.
    pub fn with_member(mut self, name: &'static str, value: Value) -> Problem {
        self.0.further = Some((name, value));
        self
    }

    /// The same with another body, for clients that expect one of their own.
    pub fn said_as(mut self, body: Value) -> Problem {
        self.0.said_as = Some(body);
        self
    }

    /// The sentence for people.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The answer.
    pub fn respond(self, request_id: &str) -> Response<Body> {
        let Parts { status, code, detail, errors, headers, further, said_as } = *self.0;
        if let Some(body) = said_as {
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
        if let (Some((name, value)), Some(members)) = (further, body.as_object_mut()) {
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
        Problem::of_findings(error.all().map(finding).collect())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::Unavailable(reason) | StoreError::Exposed(reason) => {
                tracing::error!(reason, "the store is unavailable");
                let detail = "The store cannot do this now; a write that got this answer counts as not made, and can be repeated under the same idempotency key";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
                    .with_header(axum::http::header::RETRY_AFTER, HeaderValue::from_static("1"))
            }
            StoreError::Broken(reason) => {
                tracing::error!(reason, "the store holds something that cannot be read");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "store_broken",
                    "The store holds something that cannot be read",
                )
            }
            StoreError::Overflow => Problem::new(
                StatusCode::CONFLICT,
                "mrr_overflow",
                "The sum is beyond what can be held exactly",
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
                "This has changed since it was read: read it again",
            ),
            WriteError::Taken(path) => Problem::conflict("taken", path, "Another entry has this value"),
            WriteError::Unmet(Require::ActivePartner(_)) => {
                Problem::invalid("/partnerId", "unknown_partner", "There is no active partner with this id")
            }
            WriteError::Unmet(Require::LiveTenants(_)) => Problem::invalid(
                "/tenantIds",
                "unknown_tenant",
                "There is no such tenant, or it is terminated",
            ),
            // Whoever writes for a caller decides anew instead, and answers that.
            WriteError::Unmet(Require::Actor(..)) => Problem::new(
                StatusCode::CONFLICT,
                "busy",
                "The caller's rights are being changed at the same time: try again",
            ),
            WriteError::Unmet(Require::AnActiveAdmin) => Problem::denied(AccessReason::DeniedLastAdmin),
            WriteError::Unmet(Require::FlagsWithin { .. }) => Problem::conflict(
                "snapshot_too_large",
                "",
                "With this, the snapshot of all flags would exceed what clients accept: 32 MiB and 100,000 flags. List plans or partners instead of tenants, or remove flags that are no longer used",
            ),
            WriteError::Unmet(Require::UnchangedWorld(_)) => Problem::new(
                StatusCode::CONFLICT,
                "effect_changed",
                "Something else was changed at the same time: plan again",
            ),
            // Whoever gave the key replays the receipt; nobody else can meet it.
            WriteError::Received(_) => Problem::new(
                StatusCode::CONFLICT,
                "idempotency_key_reused",
                "This idempotency key has been used",
            ),
            WriteError::Failed(error) => error.into(),
        }
    }
}
