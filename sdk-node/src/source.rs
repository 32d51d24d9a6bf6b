//! Conversion of documents from JavaScript, and of problems to JavaScript errors.

use dezky_core::Error;
use napi::Either;

/// A document: a string or UTF-8 bytes.
pub(crate) type Source<'a> = Either<String, &'a [u8]>;

/// Copies the bytes of a document, because another thread can write to a shared buffer meanwhile.
pub(crate) fn bytes(source: Source<'_>) -> Vec<u8> {
    match source {
        Either::A(text) => text.into_bytes(),
        Either::B(bytes) => bytes.to_vec(),
    }
}

/// Creates an error whose message is the JSON list of problems; JavaScript turns it into a
/// `DezkyError`.
pub(crate) fn problems(error: Error) -> napi::Error {
    napi::Error::from_reason(error.to_json())
}
