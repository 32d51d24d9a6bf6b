//! Layout of reports: items of Markdown lists, wrapped at 100 columns.

const COLUMNS: usize = 100;

/// Formats an item of a list at a depth. Continuation lines are indented below its text.
pub fn item(depth: usize, text: &str) -> String {
    let mut lines = format!("{}-", "  ".repeat(depth));
    let mut column = lines.len();
    for word in text.split(' ') {
        let length = word.chars().count();
        if column + 1 + length <= COLUMNS {
            lines.push(' ');
            column += 1;
        } else {
            let indent = "  ".repeat(depth + 1);
            column = indent.len();
            lines.push('\n');
            lines.push_str(&indent);
        }
        lines.push_str(word);
        column += length;
    }
    lines
}
