//! Subjects in the forms that hosts pass: five lines, or a JSON list.

use alloc::{string::String, vec::Vec};

use super::Subject;
use super::subject::read_names;
use crate::Error;
use crate::json::Document;
use crate::limits::MAX_TENANTS;
use crate::names::{is_id, is_key, is_slug};
use crate::text::{push_char, split_line};

impl<'a> Subject<'a> {
    /// Reads a subject from five lines: id, slug, plan, partner slug and environment. The last two
    /// may be empty. Returns `None` if a line is missing or a name is malformed.
    pub(crate) fn from_lines(lines: &'a str) -> Option<Subject<'a>> {
        let mut rest = lines;
        let mut next = || split_line(&mut rest);
        let (id, slug, plan, partner, environment) = (next(), next(), next(), next(), next());
        let mut breaks = 0;
        for byte in lines.bytes() {
            breaks += usize::from(byte == b'\n');
        }
        let is_valid = breaks == 4
            && is_id(id)
            && is_slug(slug)
            && is_key(plan)
            && (partner.is_empty() || is_slug(partner))
            && (environment.is_empty() || is_key(environment));
        if is_valid { Some(Subject::from_valid(id, slug, plan, partner, environment)) } else { None }
    }
}

/// Returns the five lines of the subject in `document`. The caller then checks the document's
/// problems.
pub(crate) fn subject_lines_of(document: &Document<'_>) -> String {
    let mut lines = String::new();
    for name in read_names(document.root()) {
        lines.push_str(name.raw());
        push_char(&mut lines, '\n');
    }
    lines.pop();
    lines
}

/// Reads a list of subjects.
pub(crate) fn read_subjects<'d>(document: &'d Document<'_>) -> Result<Vec<Subject<'d>>, Error> {
    let mut subjects = Vec::new();
    for value in document.root().list(MAX_TENANTS) {
        subjects.push(Subject::read(value));
    }
    document.finish().map(|()| subjects)
}
