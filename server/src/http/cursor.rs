//! Sealed cursors: clients can neither forge a cursor nor use it with another list.

use super::limits::MAX_CURSOR;
use super::problem::Problem;
use super::seal::Seal;
use crate::store::PageStart;

/// Seals a position for a list: route, filter, order and caller as one string.
pub fn cursor(seal: &Seal, context: &str, position: &PageStart) -> String {
    seal.seal(context, &format!("{}\n{}", position.id, position.key))
}

/// Opens a cursor that was sealed for this list.
pub fn position(seal: &Seal, context: &str, cursor: &str) -> Result<PageStart, Problem> {
    let opened = Some(cursor).filter(|cursor| cursor.len() <= MAX_CURSOR);
    let opened = opened.and_then(|cursor| seal.open(context, cursor));
    let parts = opened.as_deref().and_then(|text| text.split_once('\n'));
    parts.map(|(id, key)| PageStart { key: key.to_owned(), id: id.to_owned() }).ok_or_else(|| {
        Problem::invalid("?cursor", "invalid_cursor", "The cursor was not issued for this list")
            .with_status(axum::http::StatusCode::BAD_REQUEST)
    })
}
