//! Free text that people write: limited in length, without control characters.

use alloc::boxed::Box;

use super::forms::copy_if;

fn is_plain(text: &str, longest: usize, breaks: &[char]) -> bool {
    let is_allowed = |character: char| !character.is_control() || breaks.contains(&character);
    text.chars().count() <= longest && text.chars().all(is_allowed)
}

/// Accepts one line that is not blank.
pub(super) fn label(text: &str) -> Option<Box<str>> {
    copy_if(is_plain(text, 255, &[]) && text.chars().any(|character| character != ' '), text)
}

/// Accepts any number of lines, including none.
pub(super) fn prose(text: &str) -> Option<Box<str>> {
    copy_if(is_plain(text, 2_000, &['\n', '\t']), text)
}
