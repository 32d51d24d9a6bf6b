//! Whether a log is the one that was written: every link, and the first that is broken.

use alloc::format;

use super::Change;
use crate::names::Digest;
use crate::{Code, Error};

/// The hash of the last change, where every change follows the one before and its hash is right; else the first break.
///
/// The first of the changes may stand anywhere in a log: what comes before it is taken as given, except that revision 1 follows nothing.
///
/// ```
/// use dezky_core::Code;
/// use dezky_core::model::verify_chain;
/// assert_eq!(verify_chain(&[])?, "0".repeat(64).as_str());
/// # Ok::<(), dezky_core::Error>(())
/// ```
pub fn verify_chain(changes: &[Change]) -> Result<Digest, Error> {
    let start = Digest::zero();
    let mut previous: Option<&Change> = None;
    for (index, change) in changes.iter().enumerate() {
        let follows = previous.is_none_or(|previous| previous.revision + 1 == change.revision);
        let before = match previous {
            Some(previous) => &previous.hash,
            None if change.revision == 1 => &start,
            None => &change.previous_hash,
        };
        let checks = [
            (follows, Code::ChainRevision, "revision"),
            (change.previous_hash == *before, Code::ChainLink, "previousHash"),
            (change.hash == change.expected_hash(), Code::ChainHash, "hash"),
        ];
        if let Some((_, code, member)) = checks.into_iter().find(|(sound, ..)| !sound) {
            return Err(Error::new(code, format!("/{index}/{member}")));
        }
        previous = Some(change);
    }
    Ok(previous.map_or(start, |last| last.hash.clone()))
}
