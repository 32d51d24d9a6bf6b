//! Where the next page starts, sealed: a client can neither make a cursor nor use one with another question.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::limits::MAX_CURSOR;
use super::problem::Problem;
use crate::store::Position;

const SEAL_BYTES: usize = 16;

/// Seals and opens cursors.
pub struct Cursors(hmac::Key);

impl Cursors {
    /// With the store's secret, so that cursors outlive a restart.
    pub fn new(secret: &[u8; 32]) -> Cursors {
        Cursors(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The cursor of a position in the answer to a question (route, filter, order and caller, as one text).
    pub fn seal(&self, question: &str, position: &Position) -> String {
        let mut bytes = format!("{}\n{}", position.id, position.key).into_bytes();
        let tag = self.tag(question, &bytes);
        bytes.extend(tag.as_ref().iter().take(SEAL_BYTES));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position, if this cursor was given for this question.
    pub fn open(&self, question: &str, cursor: &str) -> Result<Position, Problem> {
        self.opened(question, cursor).ok_or_else(|| {
            Problem::invalid(
                "?cursor",
                "invalid_cursor",
                "This cursor is not one that was given for this question",
            )
            .with_status(axum::http::StatusCode::BAD_REQUEST)
        })
    }

    fn opened(&self, question: &str, cursor: &str) -> Option<Position> {
        if cursor.len() > MAX_CURSOR {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (text, seal) = bytes.split_at_checked(bytes.len().checked_sub(SEAL_BYTES)?)?;
        let tag = self.tag(question, text);
        aws_lc_rs::constant_time::verify_slices_are_equal(tag.as_ref().get(..SEAL_BYTES)?, seal).ok()?;
        let (id, key) = std::str::from_utf8(text).ok()?.split_once('\n')?;
        Some(Position { key: key.to_owned(), id: id.to_owned() })
    }

    fn tag(&self, question: &str, text: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(question.len() as u64).to_be_bytes());
        context.update(question.as_bytes());
        context.update(text);
        context.sign()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_cursor_opens_for_its_question_alone() {
        let cursors = Cursors::new(&[7; 32]);
        let position = Position { key: "acme\nnorth".to_owned(), id: "t1".to_owned() };
        let cursor = cursors.seal("tenants", &position);
        assert_eq!(cursors.open("tenants", &cursor).unwrap(), position);
        assert!(cursors.open("tenants?plan=free", &cursor).is_err());
        assert!(Cursors::new(&[8; 32]).open("tenants", &cursor).is_err());
        for at in 0..cursor.len() {
            let mut forged = cursor.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert!(cursors.open("tenants", &forged).is_err(), "character {at}");
        }
        for junk in ["", "A", "....", "ä"] {
            assert!(cursors.open("tenants", junk).is_err());
        }
    }
}
