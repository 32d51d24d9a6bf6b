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

/// Takes the first line off a text.
pub(crate) fn take_line<'a>(text: &mut &'a str) -> &'a str {
    let mut end = 0;
    for byte in text.bytes() {
        if byte == b'\n' {
            break;
        }
        end += 1;
    }
    let line = text.get(..end).unwrap_or_default();
    *text = text.get(end + 1..).unwrap_or_default();
    line
}
