//! Lists of names as one string with a line for each name.

/// Splits the first line off `text` and returns it.
pub(crate) fn split_line<'a>(text: &mut &'a str) -> &'a str {
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
