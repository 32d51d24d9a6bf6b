//! The form of each kind of name, as a check of its bytes. No name contains a colon, which
//! separates names in hash inputs.

use alloc::boxed::Box;

pub(super) fn copy_if(well_formed: bool, text: &str) -> Option<Box<str>> {
    well_formed.then(|| text.into())
}

fn is_lower_or_digit(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9')
}

/// Checks flag keys, plan keys and environments: `[a-z0-9][a-z0-9_-]{0,63}`.
pub(crate) fn is_key(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 64
        && bytes.first().copied().is_some_and(is_lower_or_digit)
        && bytes.iter().all(|&byte| is_lower_or_digit(byte) || byte == b'_' || byte == b'-')
}

/// Checks slugs of tenants and partners: `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`.
pub(crate) fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.first().copied().is_some_and(is_lower_or_digit)
        && bytes.last().copied().is_some_and(is_lower_or_digit)
        && bytes.iter().all(|&byte| is_lower_or_digit(byte) || byte == b'-')
}

/// Checks ids: 1 to 64 characters of `[A-Za-z0-9_-]`.
pub(crate) fn is_id(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(is_part)
}

pub(super) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

pub(super) fn currency(text: &str) -> Option<Box<str>> {
    let letters = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    letters.then(|| text.to_ascii_uppercase().into())
}

pub(super) fn domain(text: &str) -> Option<Box<str>> {
    is_domain(text).then(|| text.to_ascii_lowercase().into())
}

fn is_domain(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_a_number =
        text.rsplit('.').next().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    text.len() <= 253 && text.contains('.') && !last_is_a_number && text.split('.').all(is_label)
}

/// Lower-cases an e-mail address. Accepts only the unquoted form of RFC 5321, which people use.
pub(super) fn email(text: &str) -> Option<Box<str>> {
    let (local, domain) = text.split_once('@')?;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let local_is_valid = (1..=64).contains(&local.len())
        && local.bytes().all(is_part)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    (text.len() <= 254 && local_is_valid && is_domain(domain)).then(|| text.to_ascii_lowercase().into())
}
