//! Entity tags and the conditions that name them.

use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use dezky_core::Revisioned;

use super::problem::{Finding, Problem};

/// The strong tag of a record. The time of creation tells a record from a later one of the same name.
pub fn etag(revisioned: Revisioned) -> String {
    format!("\"v{}-{:x}\"", revisioned.version, revisioned.created_at.as_micros())
}

/// What a write's `If-Match` says of the record as it stands: it must be there, and it must name it.
pub fn judge_if_match(headers: &HeaderMap, current: &str) -> Result<(), Problem> {
    let mut lines = headers.get_all(IF_MATCH).into_iter().peekable();
    let is_given = lines.peek().is_some();
    let is_it =
        |line: &HeaderValue| line.to_str().is_ok_and(|line| line.split(',').any(|tag| names(tag, current)));
    match is_given {
        true if lines.any(is_it) => Ok(()),
        true => Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "stale",
            "This has changed since it was read: read it again",
        )),
        false => {
            let finding = Finding {
                path: "If-Match".to_owned(),
                code: "if_match_missing",
                detail: "A write says which version it is for: send If-Match with the entity tag that was read",
            };
            Err(Problem::of_findings(vec![finding]).with_status(StatusCode::PRECONDITION_REQUIRED))
        }
    }
}

/// Whether the reader has this already.
pub fn is_known<'h>(if_none_match: impl IntoIterator<Item = &'h HeaderValue>, current: &str) -> bool {
    // Weak tags count for reading.
    let is_it = |tag: &str| names(tag.trim().strip_prefix("W/").unwrap_or(tag), current);
    if_none_match.into_iter().any(|line| line.to_str().is_ok_and(|line| line.split(',').any(is_it)))
}

fn names(tag: &str, current: &str) -> bool {
    tag.trim() == "*" || tag.trim() == current
}
