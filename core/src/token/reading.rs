//! How tokens and keys are read: strict base64url, and JSON members whose `null` is not absence.

use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::json::{Kind, Value};
use crate::{Code, Error, Timestamp};

/// Base64url without padding, and with zeros in the bits that the last character leaves over.
pub(super) fn base64url(text: &str) -> Result<Vec<u8>, Code> {
    if text.contains('=') {
        return Err(Code::TokenPadding);
    }
    URL_SAFE_NO_PAD.decode(text).map_err(|error| match error {
        base64::DecodeError::InvalidLastSymbol { .. } => Code::TokenBase64Bits,
        _ => Code::TokenBase64,
    })
}

/// The characters of a text; `None` where the value is anything else.
pub(super) fn text(value: Value<'_>) -> Option<&str> {
    (value.kind() == Kind::Text).then(|| value.raw())
}

/// Whole seconds since 1970 that are written as digits alone: no sign, point or exponent.
pub(super) fn seconds(value: Value<'_>) -> Option<Timestamp> {
    let digits = value.raw();
    let plain = value.kind() == Kind::Number && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten().and_then(|seconds| Timestamp::from_seconds(seconds).ok())
}

/// Something to read in a text, and nothing that a terminal or a log would act on.
pub(super) fn is_plain(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest
        && text.chars().any(|character| !character.is_whitespace())
        && !text.chars().any(char::is_control)
}

/// What reading a JSON text may refuse, told with the codes of the part that the text is.
pub(super) struct JsonCodes {
    pub(super) too_large: Code,
    pub(super) utf8: Code,
    pub(super) json: Code,
    pub(super) depth: Code,
    pub(super) duplicate: Code,
}

impl JsonCodes {
    pub(super) fn tell(&self, error: Error) -> Error {
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
