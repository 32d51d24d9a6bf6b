//! Where the next page starts, sealed: a client can neither make a cursor nor use one with another question.

use super::limits::MAX_CURSOR;
use super::problem::Problem;
use super::seal::Seal;
use crate::store::PageStart;

/// The cursor of a position in the answer to a question (route, filter, order and caller, as one text).
pub fn cursor(seal: &Seal, question: &str, position: &PageStart) -> String {
    seal.seal(question, &format!("{}\n{}", position.id, position.key))
}

/// The position, if this cursor was given for this question.
pub fn position(seal: &Seal, question: &str, cursor: &str) -> Result<PageStart, Problem> {
    let opened = Some(cursor).filter(|cursor| cursor.len() <= MAX_CURSOR);
    let opened = opened.and_then(|cursor| seal.open(question, cursor));
    let parts = opened.as_deref().and_then(|text| text.split_once('\n'));
    parts.map(|(id, key)| PageStart { key: key.to_owned(), id: id.to_owned() }).ok_or_else(|| {
        Problem::invalid(
            "?cursor",
            "invalid_cursor",
            "This cursor is not one that was given for this question",
        )
        .with_status(axum::http::StatusCode::BAD_REQUEST)
    })
}
