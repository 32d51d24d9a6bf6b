//! Members that repeat a name of their object.

use alloc::vec::Vec;

use super::Document;
use crate::Code;
use crate::text::{in_order, same_text};

/// Finds members that repeat a name of their object.
#[derive(Default)]
pub(super) struct Duplicates {
    /// Name nodes of the objects that are open, innermost last.
    names: Vec<u32>,
    /// Where the names of each of those objects begin.
    opened: Vec<usize>,
    /// The first repetition in text order.
    first: Option<u32>,
}

impl Duplicates {
    pub(super) fn open(&mut self) {
        self.opened.push(self.names.len());
    }

    pub(super) fn name(&mut self, node: u32) {
        self.names.push(node);
    }

    pub(super) fn close_all(&mut self, document: &Document<'_>) {
        while !self.opened.is_empty() {
            self.close(document);
        }
    }

    pub(super) fn close(&mut self, document: &Document<'_>) {
        let opened = self.opened.pop().unwrap_or_default();
        let names = self.names.get(opened..).unwrap_or_default();
        if let Some(repeated) = first_repeated(names, document) {
            self.first = Some(self.first.map_or(repeated, |first| first.min(repeated)));
        }
        self.names.truncate(opened);
    }

    /// Refuses a document in which a member is repeated.
    pub(super) fn refuse(&self, document: &mut Document<'_>) -> bool {
        if let Some(node) = self.first {
            let path = document.path(node);
            document.refuse(Code::DuplicateMember, &path);
        }
        self.first.is_some()
    }
}

/// The first of an object's names that repeats one before it. Few are compared each with each, many are sorted.
fn first_repeated(names: &[u32], document: &Document<'_>) -> Option<u32> {
    if names.len() > 8 {
        return first_repeated_of_many(names, document);
    }
    for (index, &name) in names.iter().enumerate() {
        for &before in names.iter().take(index) {
            if same_text(document.raw(before), document.raw(name)) {
                return Some(name);
            }
        }
    }
    None
}

fn first_repeated_of_many(names: &[u32], document: &Document<'_>) -> Option<u32> {
    let mut texts = Vec::with_capacity(names.len());
    for &name in names {
        texts.push((document.raw(name), texts.len() as u32));
    }
    let mut first = u32::MAX;
    let mut last = None;
    for (text, place) in in_order(texts) {
        if last == Some(text) {
            first = first.min(place);
        }
        last = Some(text);
    }
    names.get(first as usize).copied()
}
