//! The check of a change log's hash chain (specification section 16.3).

use alloc::format;

use super::Change;
use crate::names::Digest;
use crate::{Code, Error};

/// Returns the hash of the last change if the chain is intact, and otherwise the first break as an
/// error. For an empty list the hash is 64 zeros.
///
/// The list may begin in the middle of a log: the `previousHash` of its first change is then taken
/// as given.
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
