//! Readers that tokens and keys share: base64url, strings, seconds and JSON errors.

use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::json::{Kind, Value};
use crate::{Code, Error, Timestamp};

/// Decodes base64url without padding. The unused bits of the last character must be zero.
pub(super) fn base64url(text: &str) -> Result<Vec<u8>, Code> {
    if text.contains('=') {
        return Err(Code::TokenPadding);
    }
    URL_SAFE_NO_PAD.decode(text).map_err(|error| match error {
        base64::DecodeError::InvalidLastSymbol { .. } => Code::TokenBase64Bits,
        _ => Code::TokenBase64,
    })
}

/// Returns the characters of a string, or `None` for a value of another type.
pub(super) fn text(value: Value<'_>) -> Option<&str> {
    (value.kind() == Kind::Text).then(|| value.raw())
}

/// Reads seconds since 1970, written as digits without sign, point or exponent.
pub(super) fn seconds(value: Value<'_>) -> Option<Timestamp> {
    let digits = value.raw();
    let is_digits = value.kind() == Kind::Number && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| digits.parse().ok()).flatten().and_then(|seconds| Timestamp::from_seconds(seconds).ok())
}

/// Returns whether a string is plain: at least one character is not white space, and none is a
/// control character, which a terminal or a log could interpret.
pub(super) fn is_plain(text: &str, max_characters: usize) -> bool {
    text.chars().count() <= max_characters
        && text.chars().any(|character| !character.is_whitespace())
        && !text.chars().any(char::is_control)
}

/// The codes that replace the general codes of JSON text in a token or a key set.
pub(super) struct JsonCodes {
    pub(super) too_large: Code,
    pub(super) utf8: Code,
    pub(super) json: Code,
    pub(super) depth: Code,
    pub(super) duplicate: Code,
}

impl JsonCodes {
    pub(super) fn translate(&self, error: Error) -> Error {
        let code = match error.code {
            Code::DocumentTooLarge => self.too_large,
            Code::InvalidUtf8 => self.utf8,
            Code::TooDeep => self.depth,
            Code::DuplicateMember => self.duplicate,
            _ => self.json,
        };
        Error::new(code, error.path)
    }
}
