//! Detection of members that repeat a name of their object.

use alloc::vec::Vec;

use super::Document;
use crate::Code;
use crate::text::{same_text, sort_indexed};

/// Finds members that repeat a name of their object.
#[derive(Default)]
pub(super) struct Duplicates {
    /// The name nodes of the objects being parsed, innermost last.
    names: Vec<u32>,
    /// For each of those objects, the index of its first name.
    starts: Vec<usize>,
    /// The first repeated name in text order.
    first: Option<u32>,
}

impl Duplicates {
    pub(super) fn open(&mut self) {
        self.starts.push(self.names.len());
    }

    pub(super) fn name(&mut self, node: u32) {
        self.names.push(node);
    }

    pub(super) fn close_all(&mut self, document: &Document<'_>) {
        while !self.starts.is_empty() {
            self.close(document);
        }
    }

    pub(super) fn close(&mut self, document: &Document<'_>) {
        let start = self.starts.pop().unwrap_or_default();
        let names = self.names.get(start..).unwrap_or_default();
        if let Some(repeated) = first_repeated(names, document) {
            self.first = Some(self.first.map_or(repeated, |first| first.min(repeated)));
        }
        self.names.truncate(start);
    }

    /// Rejects the document if a name is repeated, and returns whether it did.
    pub(super) fn reject(&self, document: &mut Document<'_>) -> bool {
        if let Some(node) = self.first {
            let path = document.path(node);
            document.reject(Code::DuplicateMember, &path);
        }
        self.first.is_some()
    }
}

/// Returns the first name of an object that repeats an earlier one. Up to eight names are compared
/// pairwise, more are sorted.
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
    for (text, index) in sort_indexed(texts) {
        if last == Some(text) {
            first = first.min(index);
        }
        last = Some(text);
    }
    names.get(first as usize).copied()
}
