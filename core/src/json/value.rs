//! One value of a document: a reference to the document and the number of a node.
//!
//! The methods of [`Value`] only wrap methods of [`Document`] that take and return node numbers,
//! because WASM returns a pair through memory.

use super::document::{ABSENT, Document, Kind};
use super::problems::ProblemKind;
use crate::Code;

/// One value of a document. An absent value replaces a member that is missing or malformed; notes
/// about it are ignored, so each problem is reported once.
#[derive(Clone, Copy)]
pub(crate) struct Value<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) node: u32,
}

impl<'d> Value<'d> {
    /// Returns the value of another node of the same document.
    #[inline(always)]
    pub(super) fn at(self, node: u32) -> Value<'d> {
        Value { node, ..self }
    }

    #[inline(always)]
    pub(crate) fn is_given(self) -> bool {
        self.node != ABSENT
    }

    /// Returns the value unless it is absent.
    #[inline(always)]
    fn given(self) -> Option<Value<'d>> {
        if self.node == ABSENT { None } else { Some(self) }
    }

    /// Returns the absent value of the same document.
    #[inline(always)]
    pub(crate) fn absent(self) -> Value<'d> {
        self.at(ABSENT)
    }

    #[inline(always)]
    pub(crate) fn kind(self) -> Kind {
        self.document.node(self.node).kind
    }

    /// Notes a problem with this value.
    #[inline(always)]
    pub(crate) fn note(self, kind: ProblemKind, code: Code) {
        self.document.note(self.node, kind, code, &[]);
    }

    /// The characters of a string or a number, or `true` or `false`.
    #[inline(always)]
    pub(crate) fn raw(self) -> &'d str {
        self.document.raw(self.node)
    }

    /// The children of this value: the items of a list, or the names and values of an object in
    /// turn.
    #[inline(always)]
    pub(crate) fn items(self) -> Children<'d> {
        Children { value: self.at(self.node.wrapping_add(1)), end: self.document.end(self.node) }
    }

    pub(crate) fn members(self) -> impl Iterator<Item = (&'d str, Value<'d>)> {
        let mut children = self.items();
        core::iter::from_fn(move || Some((children.next()?.raw(), children.next()?)))
    }

    /// Returns a member's value. `null` counts as absent.
    #[inline(always)]
    pub(crate) fn member(self, name: &str) -> Option<Value<'d>> {
        self.at(self.document.non_null_member(self.node, name)).given()
    }

    /// Returns a member's value, or the absent value. `null` counts as absent.
    #[inline(always)]
    pub(crate) fn part(self, name: &str) -> Value<'d> {
        self.at(self.document.non_null_member(self.node, name))
    }

    /// Returns a member's value, which may be `null`.
    #[inline(always)]
    pub(crate) fn member_or_null(self, name: &str) -> Option<Value<'d>> {
        self.at(self.document.member(self.node, name)).given()
    }
}

/// The children of a value, in text order.
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
