//! Error responses for OFREP clients: an OFREP error code and a sentence.

use axum::http::{StatusCode, Uri};
use serde_json::json;

use super::problem::Problem;

/// The path prefix of the evaluation of a single flag.
const SINGLE: &str = "/ofrep/v1/evaluate/flags/";

/// Converts errors of the evaluation to OFREP errors; 401, 403 and 429 stay problems.
pub fn refusal(problem: Problem, uri: &Uri) -> Problem {
    let status = match problem.status() {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => return problem,
        status if status == StatusCode::NOT_FOUND || status.is_server_error() => status,
        _ => StatusCode::BAD_REQUEST,
    };
    let details = problem.detail();
    if status.is_server_error() {
        let body = json!({ "errorDetails": details });
        return problem.with_body(body);
    }
    let code = match problem.code() {
        "flag_not_found" => "FLAG_NOT_FOUND",
        "targeting_key_missing" => "TARGETING_KEY_MISSING",
        "invalid_context" => "INVALID_CONTEXT",
        "invalid_json" | "wrong_type" | "duplicate_member" | "too_deep" | "unsupported_media_type" => {
            "PARSE_ERROR"
        }
        _ => "GENERAL",
    };
    let body = match uri.path().strip_prefix(SINGLE) {
        Some(key) => json!({ "key": key, "errorCode": code, "errorDetails": details }),
        None => json!({ "errorCode": code, "errorDetails": details }),
    };
    problem.with_status(status).with_body(body)
}
