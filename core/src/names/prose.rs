//! Texts that people write: bounded, and without control characters.

use alloc::boxed::Box;

use super::forms::same_if;

fn is_plain(text: &str, longest: usize, breaks: &[char]) -> bool {
    let is_allowed = |character: char| !character.is_control() || breaks.contains(&character);
    text.chars().count() <= longest && text.chars().all(is_allowed)
}

/// One line with something on it.
pub(super) fn label(text: &str) -> Option<Box<str>> {
    same_if(is_plain(text, 255, &[]) && text.chars().any(|character| character != ' '), text)
}

/// Any number of lines, also none.
pub(super) fn prose(text: &str) -> Option<Box<str>> {
    same_if(is_plain(text, 2_000, &['\n', '\t']), text)
}
