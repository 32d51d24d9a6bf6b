//! Subjects in the form in which hosts pass them: five lines, or a JSON list.

use alloc::{string::String, vec::Vec};

use super::Subject;
use super::subject::read_names;
use crate::Error;
use crate::json::Document;
use crate::limits::MAX_TENANTS;
use crate::names::{is_id, is_key, is_slug};
use crate::text::{push_char, take_line};

impl<'a> Subject<'a> {
    /// Reads a subject from its five lines, as [`host::subject`](crate::host::subject) describes.
    pub(crate) fn from_lines(lines: &'a str) -> Option<Subject<'a>> {
        let mut rest = lines;
        let mut next = || take_line(&mut rest);
        let (id, slug, plan, partner, environment) = (next(), next(), next(), next(), next());
        let mut breaks = 0;
        for byte in lines.bytes() {
            breaks += usize::from(byte == b'\n');
        }
        let is_whole = breaks == 4
            && is_id(id)
            && is_slug(slug)
            && is_key(plan)
            && (partner.is_empty() || is_slug(partner))
            && (environment.is_empty() || is_key(environment));
        if is_whole { Some(Subject::of(id, slug, plan, partner, environment)) } else { None }
    }
}

/// The five lines of the subject in `document`, which holds the problems that were found.
pub(crate) fn subject_lines_of(document: &Document<'_>) -> String {
    let mut lines = String::new();
    for name in read_names(document.root()) {
        lines.push_str(name.raw());
        push_char(&mut lines, '\n');
    }
    lines.pop();
    lines
}

/// A list of subjects, read from a document, and what is wrong with any of them.
pub(crate) fn read_subjects<'d>(document: &'d Document<'_>) -> Result<Vec<Subject<'d>>, Error> {
    let mut subjects = Vec::new();
    for value in document.root().list(MAX_TENANTS) {
        subjects.push(Subject::read(value));
    }
    document.verdict().map(|()| subjects)
}
