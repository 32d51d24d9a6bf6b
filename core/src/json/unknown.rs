//! Members that nobody knows: refused in what people write, ignored in what a newer writer may have made.

use alloc::vec::Vec;

use super::document::{Document, NOTHING};
use super::problems::Kin;
use super::value::Value;
use crate::Code;
use crate::text::{nearest_name, same_text};

/// Stands among the names asked of an object whose other members are not judged. No form has a member of this name.
const ANY: &str = "";

impl Document<'_> {
    /// The same document, of which decoding remembers what it asks for.
    pub(crate) fn refusing_unknown(self) -> Self {
        Document { refuses_unknown: true, ..self }
    }

    /// Remembers that decoding asked an object for a member.
    pub(super) fn ask(&self, object: u32, name: &str) {
        if object != NOTHING {
            let mut asked = self.asked.take();
            asked.push((object, name.into()));
            self.asked.set(asked);
        }
    }

    /// Notes every member that decoding did not ask for, in the objects that it asked for members.
    pub(super) fn note_unknown(&self) {
        let mut asked = self.asked.take();
        asked.sort_by_key(|(object, _)| *object);
        for of_object in asked.chunk_by(|(object, _), (other, _)| object == other) {
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
    /// Notes every member of this object that is not one of these.
    pub(crate) fn only(self, known: &[&str]) {
        let mut names = self.items();
        while let Some(name) = names.next() {
            let mut is_known = false;
            for known in known {
                is_known |= same_text(known, name.raw());
            }
            if !is_known {
                let sentence = match nearest_name(name.raw(), known.iter().copied()) {
                    Some(near) => [Code::UnknownField.message(), ": did you mean `", near, "`?"],
                    None => [""; 4],
                };
                self.document.note_saying(name.node, Kin::Form, Code::UnknownField, &[], &sentence);
            }
            names.next();
        }
    }

    /// Accepts every member of this object: what it means is not known, so its members cannot be judged.
    pub(crate) fn accept_any(self) {
        if self.document.refuses_unknown {
            self.document.ask(self.node, ANY);
        }
    }
}
