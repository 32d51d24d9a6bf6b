//! What a refusal looks like to the clients of OFREP: an error code of theirs, and a sentence.

use axum::http::{StatusCode, Uri};
use serde_json::json;

use super::problem::Problem;

/// Where one flag is evaluated; its key comes after.
const SINGLE: &str = "/ofrep/v1/evaluate/flags/";

/// The same refusal in OFREP's words, where it is about the evaluation; who may not ask, or too often, is told so as everywhere.
pub fn refusal(problem: Problem, uri: &Uri) -> Problem {
    let status = match problem.status() {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => return problem,
        status if status == StatusCode::NOT_FOUND || status.is_server_error() => status,
        _ => StatusCode::BAD_REQUEST,
    };
    let details = problem.detail();
    if status.is_server_error() {
        let body = json!({ "errorDetails": details });
        return problem.said_as(body);
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
    problem.with_status(status).said_as(body)
}
