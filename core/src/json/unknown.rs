//! Unknown members: rejected in documents that people write, ignored in documents that a newer
//! writer may have made.

use alloc::vec::Vec;

use super::document::{ABSENT, Document};
use super::problems::ProblemKind;
use super::value::Value;
use crate::Code;
use crate::text::{nearest_name, same_text};

/// Recorded as a read member of objects that accept any member. No document has a member of this
/// name.
const ANY: &str = "";

impl Document<'_> {
    /// Returns the document with unknown members rejected: decoding records the members that it
    /// reads.
    pub(crate) fn rejecting_unknown(self) -> Self {
        Document { rejects_unknown: true, ..self }
    }

    /// Records that decoding reads a member of an object.
    pub(super) fn record_read(&self, object: u32, name: &str) {
        if object != ABSENT {
            let mut members = self.read_members.take();
            members.push((object, name.into()));
            self.read_members.set(members);
        }
    }

    /// Notes every member that decoding did not read, in the objects of which it read members.
    pub(super) fn note_unknown(&self) {
        let mut members = self.read_members.take();
        members.sort_by_key(|(object, _)| *object);
        for of_object in members.chunk_by(|(object, _), (other, _)| object == other) {
            let known: Vec<&str> = of_object.iter().map(|(_, name)| &**name).collect();
            if let Some((object, _)) = of_object.first()
                && !known.contains(&ANY)
            {
                self.value(*object).only(&known);
            }
        }
    }
}

impl Value<'_> {
    /// Notes every member of this object that is not in `known`.
    pub(crate) fn only(self, known: &[&str]) {
        let mut names = self.items();
        while let Some(name) = names.next() {
            let mut is_known = false;
            for known in known {
                is_known |= same_text(known, name.raw());
            }
            if !is_known {
                let message = match nearest_name(name.raw(), known.iter().copied()) {
                    Some(near) => [Code::UnknownField.message(), ": did you mean `", near, "`?"],
                    None => [""; 4],
                };
                self.document.note_with_message(
                    name.node,
                    ProblemKind::Form,
                    Code::UnknownField,
                    &[],
                    &message,
                );
            }
            names.next();
        }
    }

    /// Accepts every member of this object, because its format is unknown.
    pub(crate) fn accept_any(self) {
        if self.document.rejects_unknown {
            self.document.record_read(self.node, ANY);
        }
    }
}
