//! The parsed document: a flat list of nodes in text order that refers to the source, without
//! nested allocations.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::cell::Cell;

use super::Value;
use super::problems::{ProblemKind, Problems};
use crate::text::{push_char, push_escaped, push_whole, same_text};
use crate::{Code, Error};

/// The JSON type of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

impl Kind {
    /// The name of the type in error messages.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "true or false",
            Kind::Number => "a number",
            Kind::Text => "a string",
            Kind::Array => "a list",
            Kind::Object => "an object",
        }
    }
}

/// One value. `start` and `length` are the range of a string, a number, `true` or `false`; `next`
/// is the node after this one and its children. The children of an object are its members' names
/// and values in turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// True if the range refers to [`Document::unescaped`] instead of [`Document::source`].
    pub(crate) unescaped: bool,
    pub(crate) start: u32,
    pub(crate) length: u32,
    pub(crate) next: u32,
}

/// A document that is well-formed JSON within the limits and repeats no member. Node 0 is its root.
/// If parsing fails, the document has no nodes and holds only the error.
#[derive(Default)]
pub(crate) struct Document<'s> {
    pub(crate) source: &'s str,
    /// The strings that contain escapes, unescaped and concatenated.
    pub(crate) unescaped: String,
    pub(crate) nodes: Vec<Node>,
    /// The problems that decoding noted.
    pub(crate) problems: Cell<Problems>,
    /// True if members that decoding does not read are rejected.
    pub(super) rejects_unknown: bool,
    /// The objects and member names that decoding reads; recorded only if unknown members are
    /// rejected.
    pub(super) read_members: Cell<Vec<(u32, Box<str>)>>,
}

/// The node of an absent value. Notes about it are ignored.
pub(super) const ABSENT: u32 = u32::MAX;

impl Document<'_> {
    pub(crate) fn root(&self) -> Value<'_> {
        self.value(if self.nodes.is_empty() { ABSENT } else { 0 })
    }

    pub(super) fn value(&self, node: u32) -> Value<'_> {
        Value { document: self, node }
    }

    /// Returns the noted problems as one error.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        self.problems.take().into_result()
    }

    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(super) fn node(&self, node: u32) -> &Node {
        const NONE: &Node = &Node { kind: Kind::Null, unescaped: false, start: 0, length: 0, next: ABSENT };
        self.nodes.get(node as usize).unwrap_or(NONE)
    }

    /// The characters of a string or a number, or `true` or `false`.
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(super) fn raw(&self, node: u32) -> &str {
        let Node { unescaped, start, length, .. } = *self.node(node);
        let text: &str = if unescaped { &self.unescaped } else { self.source };
        text.get(start as usize..(start as usize) + length as usize).unwrap_or_default()
    }

    /// The node after the last child of a list or an object.
    pub(super) fn end(&self, node: u32) -> u32 {
        match self.node(node) {
            Node { kind: Kind::Array | Kind::Object, next, .. } => *next,
            _ => 0,
        }
    }

    /// Returns the value of an object's member, which may be `null`.
    #[cfg_attr(not(target_family = "wasm"), inline)]
    pub(super) fn member(&self, object: u32, name: &str) -> u32 {
        if !cfg!(dezky_evaluation_only) && self.rejects_unknown {
            self.record_read(object, name);
        }
        let end = self.end(object);
        let mut at = object.wrapping_add(1);
        while at < end {
            let value = self.node(at).next;
            if same_text(self.raw(at), name) {
                return value;
            }
            at = self.node(value).next;
        }
        ABSENT
    }

    /// Like `member`, but treats `null` as absent.
    pub(super) fn non_null_member(&self, object: u32, name: &str) -> u32 {
        match self.member(object, name) {
            member if self.node(member).kind == Kind::Null => ABSENT,
            member => member,
        }
    }

    /// Notes a problem with a node, or with a member below it that the object lacks: `names` leads
    /// to it.
    pub(super) fn note(&self, node: u32, kind: ProblemKind, code: Code, names: &[&str]) {
        self.note_with_message(node, kind, code, names, &[]);
    }

    /// Like `note`, with a message of these pieces. Without pieces, the message is that of the
    /// code.
    pub(super) fn note_with_message(
        &self,
        node: u32,
        kind: ProblemKind,
        code: Code,
        names: &[&str],
        message: &[&str],
    ) {
        if node == ABSENT {
            return;
        }
        let mut problems = self.problems.take();
        if problems.accepts(kind) {
            let mut path = self.path(node);
            for name in names {
                push_char(&mut path, '/');
                path.push_str(name);
            }
            problems.add(Error::new(code, path).with_message(message));
        }
        self.problems.set(problems);
    }

    /// Discards the nodes and all problems but this one.
    pub(super) fn reject(&mut self, code: Code, path: &str) {
        let mut problems = Problems::default();
        problems.add(Error::new(code, path));
        self.problems.set(problems);
        self.nodes.clear();
    }

    /// The JSON Pointer of a node. Found by walking down from the root, because only problems need
    /// it.
    pub(crate) fn path(&self, target: u32) -> String {
        let mut path = String::new();
        let (mut at, mut child, mut index) = (0, 1, 0);
        while at != target && child < self.node(at).next {
            let is_object = self.node(at).kind == Kind::Object;
            let value = if is_object { self.node(child).next } else { child };
            let end = self.node(value).next;
            if target >= end {
                child = end;
                index += 1;
                continue;
            }
            push_char(&mut path, '/');
            if is_object {
                push_escaped(&mut path, self.raw(child), pointer_escape);
            } else {
                push_whole(&mut path, index);
            }
            // The name of a member has the path of its value.
            at = if target == child { target } else { value };
            (child, index) = (value + 1, 0);
        }
        path
    }
}

/// Escapes `~` and `/` inside a name, as RFC 6901 requires.
fn pointer_escape(byte: u8) -> &'static str {
    match byte {
        b'~' => "~0",
        b'/' => "~1",
        _ => "",
    }
}
