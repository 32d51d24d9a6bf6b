//! The parsed document: a flat list of nodes over the text, in text order, without nested allocations.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::cell::Cell;

use super::Value;
use super::problems::{Kin, Problems};
use crate::text::{push_char, push_escaped, push_whole, same_text};
use crate::{Code, Error};

/// What a node is.
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
    /// What people call it.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "true or false",
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::Array => "a list",
            Kind::Object => "an object",
        }
    }
}

/// One value. `start` and `length` are a range of text (numbers, texts, `true` and `false`); `next` is the node after this
/// one and all that it holds. An object's nodes are its members' names and values in turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Whether the range lies in `unescaped` instead of `source`.
    pub(crate) unescaped: bool,
    pub(crate) start: u32,
    pub(crate) length: u32,
    pub(crate) next: u32,
}

/// A document that is well-formed JSON within the limits and repeats no member. Node 0 is the whole of it. What is not such a
/// document has no nodes, and that is its one problem.
#[derive(Default)]
pub(crate) struct Document<'s> {
    pub(crate) source: &'s str,
    /// Texts that held escapes, as they read without them.
    pub(crate) unescaped: String,
    pub(crate) nodes: Vec<Node>,
    /// What decoding found to be wrong.
    pub(crate) problems: Cell<Problems>,
    /// Whether members that decoding does not ask for are refused.
    pub(super) refuses_unknown: bool,
    /// The objects and member names that decoding asked for; kept only where unknown members are refused.
    pub(super) asked: Cell<Vec<(u32, Box<str>)>>,
}

/// The node of a value that is not there.
pub(super) const NOTHING: u32 = u32::MAX;

impl Document<'_> {
    pub(crate) fn root(&self) -> Value<'_> {
        self.value(if self.nodes.is_empty() { NOTHING } else { 0 })
    }

    pub(super) fn value(&self, node: u32) -> Value<'_> {
        Value { document: self, node }
    }

    /// The problems that decoding noted, as one error.
    pub(crate) fn verdict(&self) -> Result<(), Error> {
        self.problems.take().verdict()
    }

    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(super) fn node(&self, node: u32) -> &Node {
        const NONE: &Node = &Node { kind: Kind::Null, unescaped: false, start: 0, length: 0, next: NOTHING };
        self.nodes.get(node as usize).unwrap_or(NONE)
    }

    /// The characters of a text or a number, or `true` or `false`.
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(super) fn raw(&self, node: u32) -> &str {
        let Node { unescaped, start, length, .. } = *self.node(node);
        let text: &str = if unescaped { &self.unescaped } else { self.source };
        text.get(start as usize..(start as usize) + length as usize).unwrap_or_default()
    }

    /// The node after the last of those that a value holds.
    pub(super) fn end(&self, node: u32) -> u32 {
        match self.node(node) {
            Node { kind: Kind::Array | Kind::Object, next, .. } => *next,
            _ => 0,
        }
    }

    /// The value of an object's member, also where it is `null`.
    #[cfg_attr(not(target_family = "wasm"), inline)]
    pub(super) fn member(&self, object: u32, name: &str) -> u32 {
        if !cfg!(dezky_evaluation_only) && self.refuses_unknown {
            self.ask(object, name);
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
        NOTHING
    }

    /// The same; `null` is as good as absent.
    pub(super) fn member_given(&self, object: u32, name: &str) -> u32 {
        match self.member(object, name) {
            member if self.node(member).kind == Kind::Null => NOTHING,
            member => member,
        }
    }

    /// Notes that something is wrong at a node, or at a member that it lacks, named from it down. Nothing is never wrong.
    pub(super) fn note(&self, node: u32, kin: Kin, code: Code, names: &[&str]) {
        self.note_saying(node, kin, code, names, &[]);
    }

    /// Like `note`, with a sentence of these pieces instead of the code's own.
    pub(super) fn note_saying(&self, node: u32, kin: Kin, code: Code, names: &[&str], sentence: &[&str]) {
        if node == NOTHING {
            return;
        }
        let mut problems = self.problems.take();
        if problems.admits(kin) {
            let mut path = self.path(node);
            for name in names {
                push_char(&mut path, '/');
                path.push_str(name);
            }
            problems.add(Error::new(code, path).saying(sentence));
        }
        self.problems.set(problems);
    }

    /// Leaves nothing of a document but what is wrong with it.
    pub(super) fn refuse(&mut self, code: Code, path: &str) {
        let mut problems = Problems::default();
        problems.add(Error::new(code, path));
        self.problems.set(problems);
        self.nodes.clear();
    }

    /// The JSON Pointer of a node, found by walking down from the root: it is only wanted when something is wrong.
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
            // A name's path is that of its value.
            at = if target == child { target } else { value };
            (child, index) = (value + 1, 0);
        }
        path
    }
}

/// RFC 6901: `~` and `/` inside a name.
fn pointer_escape(byte: u8) -> &'static str {
    match byte {
        b'~' => "~0",
        b'/' => "~1",
        _ => "",
    }
}
