//! One value of a document. A value is two words, so what it does is done by the document for a node's number, and only wrapped here: in
//! WASM a pair that is returned takes a way through memory.

use super::document::{Document, Kind, NOTHING};
use super::problems::Kin;
use crate::Code;

/// One value of a document, or nothing: what stands in for a value that is absent or of the wrong kind, and is never wrong itself.
#[derive(Clone, Copy)]
pub(crate) struct Value<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) node: u32,
}

impl<'d> Value<'d> {
    /// The value of another node of the same document.
    #[inline(always)]
    pub(super) fn at(self, node: u32) -> Value<'d> {
        Value { node, ..self }
    }

    #[inline(always)]
    pub(crate) fn is_given(self) -> bool {
        self.node != NOTHING
    }

    /// The same where there is something.
    #[inline(always)]
    fn given(self) -> Option<Value<'d>> {
        if self.node == NOTHING { None } else { Some(self) }
    }

    /// What stands in for a value that is not there.
    #[inline(always)]
    pub(crate) fn nothing(self) -> Value<'d> {
        self.at(NOTHING)
    }

    #[inline(always)]
    pub(crate) fn kind(self) -> Kind {
        self.document.node(self.node).kind
    }

    /// Notes that something is wrong with this value.
    #[inline(always)]
    pub(crate) fn note(self, kin: Kin, code: Code) {
        self.document.note(self.node, kin, code, &[]);
    }

    /// The characters of a text or a number, or `true` or `false`.
    #[inline(always)]
    pub(crate) fn raw(self) -> &'d str {
        self.document.raw(self.node)
    }

    /// The values that this one holds: items, or names and values in turn.
    #[inline(always)]
    pub(crate) fn items(self) -> Children<'d> {
        Children { value: self.at(self.node.wrapping_add(1)), end: self.document.end(self.node) }
    }

    pub(crate) fn members(self) -> impl Iterator<Item = (&'d str, Value<'d>)> {
        let mut children = self.items();
        core::iter::from_fn(move || Some((children.next()?.raw(), children.next()?)))
    }

    /// A member's value; `null` is the same as absent.
    #[inline(always)]
    pub(crate) fn member(self, name: &str) -> Option<Value<'d>> {
        self.at(self.document.member_given(self.node, name)).given()
    }

    /// A member that may be absent, and is nothing then.
    #[inline(always)]
    pub(crate) fn part(self, name: &str) -> Value<'d> {
        self.at(self.document.member_given(self.node, name))
    }

    /// A member's value, also where it is `null`.
    #[inline(always)]
    pub(crate) fn member_or_null(self, name: &str) -> Option<Value<'d>> {
        self.at(self.document.member(self.node, name)).given()
    }
}

/// The values that a value holds, in text order.
pub(crate) struct Children<'d> {
    value: Value<'d>,
    end: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Value<'d>;

    #[inline(always)]
    fn next(&mut self) -> Option<Value<'d>> {
        let value = self.value;
        if value.node >= self.end {
            return None;
        }
        self.value = value.at(value.document.node(value.node).next);
        Some(value)
    }
}
