//! Documents on their way in, and problems on their way out.

use dezky_core::Error;
use napi::Either;

/// A document: text or UTF-8 bytes.
pub(crate) type Source<'a> = Either<String, &'a [u8]>;

/// Its bytes, copied: where they are shared with another thread, that may write into them while they are read.
pub(crate) fn bytes(source: Source<'_>) -> Vec<u8> {
    match source {
        Either::A(text) => text.into_bytes(),
        Either::B(bytes) => bytes.to_vec(),
    }
}

/// An error whose message is the JSON list of problems: the JavaScript makes a `DezkyError` of it.
pub(crate) fn problems(error: Error) -> napi::Error {
    napi::Error::from_reason(error.to_json())
}
