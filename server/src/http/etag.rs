//! Entity tags and the conditions that name them.

use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use dezky_core::Revisioned;

use super::problem::{Finding, Problem};

/// The strong tag of a record. The time of creation tells a record from a later one of the same name.
pub fn etag(revisioned: Revisioned) -> String {
    format!("\"v{}-{:x}\"", revisioned.version, revisioned.created_at.as_micros())
}

/// What a write's `If-Match` says of the record as it stands: it must be there, and it must name it.
pub fn judge_if_match(headers: &HeaderMap, current: &str) -> Result<(), Problem> {
    match matches(headers, &IF_MATCH, current, false) {
        Some(true) => Ok(()),
        Some(false) => Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "stale",
            "This has changed since it was read: read it again",
        )),
        None => {
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
pub fn is_known(headers: &HeaderMap, current: &str) -> bool {
    matches(headers, &IF_NONE_MATCH, current, true) == Some(true)
}

/// Whether a header of entity tags names this one; nothing, where there is no such header. `weak` ones count for reading alone.
fn matches(headers: &HeaderMap, name: &HeaderName, current: &str, weak: bool) -> Option<bool> {
    let mut lines = headers.get_all(name).into_iter().peekable();
    lines.peek()?;
    let is_it = |tag: &str| {
        let tag = tag.trim();
        let strong = if weak { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
        tag == "*" || strong == current
    };
    Some(lines.any(|line| line.to_str().is_ok_and(|line| line.split(',').any(is_it))))
}
