//! Strict reading of a document whose form is somebody else's.

use super::decode_bytes;
use crate::Error;

/// Reads any JSON document of at most `max_bytes` bytes (and never more than 4 GiB) as strictly as the documents of this crate are read.
///
/// What is refused: too many bytes (judged before anything else), text that is not UTF-8 or not JSON to the letter, nesting deeper than
/// [`MAX_DEPTH`](crate::limits::MAX_DEPTH), an object with two members of one name, and numbers that are not the same in every language:
/// whole ones past 64 bits, and decimals of less than 0.0001 or of 10^15 and more.
///
/// ```
/// use dezky_core::{Code, read_json};
/// assert_eq!(read_json(br#"{ "seats": 25 }"#, 1 << 20)?["seats"], 25);
/// let repeated = read_json(br#"{ "seats": 25, "seats": 26 }"#, 1 << 20).unwrap_err();
/// assert_eq!((repeated.code, repeated.path.as_str()), (Code::DuplicateMember, "/seats"));
/// # Ok::<(), dezky_core::Error>(())
/// ```
pub fn read_json(bytes: &[u8], max_bytes: usize) -> Result<serde_json::Value, Error> {
    // A document's places are numbers of 32 bits.
    decode_bytes(bytes, max_bytes.min(u32::MAX as usize))
}
