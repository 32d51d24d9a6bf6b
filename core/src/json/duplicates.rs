//! Members that repeat a name of their object.

use super::Document;
use crate::names::same_text;
use crate::{Code, Error};

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
        let text = |node: u32| document.value(node).raw();
        let repeated = if names.len() <= 8 {
            let is_repeated = |&(index, node): &(usize, u32)| {
                names.iter().take(index).any(|&before| same_text(text(before), text(node)))
            };
            names.iter().copied().enumerate().find(is_repeated).map(|(_, node)| node)
        } else {
            let mut sorted = names.to_vec();
            sorted.sort_unstable_by(|&a, &b| text(a).cmp(text(b)).then(a.cmp(&b)));
            let pairs = sorted.iter().zip(sorted.iter().skip(1));
            pairs.filter(|&(&a, &b)| text(a) == text(b)).map(|(_, &b)| b).min()
        };
        self.first = self.first.into_iter().chain(repeated).min();
        self.names.truncate(opened);
    }

    pub(super) fn verdict(&self, document: &Document<'_>) -> Result<(), Error> {
        match self.first {
            None => Ok(()),
            Some(node) => Err(Error::new(Code::DuplicateMember, document.path(node))),
        }
    }
}
