//! The parsed document: a flat list of nodes over the text, in text order, without nested allocations.

use std::borrow::Cow;

use crate::names::same_text;

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

/// A document that is well-formed JSON within the limits and repeats no member. Node 0 is the whole of it.
#[derive(Debug, Default)]
pub(crate) struct Document<'s> {
    pub(crate) source: Cow<'s, str>,
    /// Texts that held escapes, as they read without them.
    pub(crate) unescaped: String,
    pub(crate) nodes: Vec<Node>,
}

impl<'s> Document<'s> {
    pub(crate) fn root(&self) -> Value<'_> {
        self.value(0)
    }

    pub(super) fn value(&self, node: u32) -> Value<'_> {
        Value { document: self, node }
    }

    fn node(&self, node: u32) -> Node {
        const NOTHING: Node =
            Node { kind: Kind::Null, unescaped: false, start: 0, length: 0, next: u32::MAX };
        self.nodes.get(node as usize).copied().unwrap_or(NOTHING)
    }

    /// The JSON Pointer of a node, found by walking down from the root: it is only wanted when something is wrong.
    pub(crate) fn path(&self, target: u32) -> String {
        let mut path = String::new();
        let mut at = self.root();
        'down: while at.node != target {
            let names = at.kind() == Kind::Object;
            let mut child = at.node + 1;
            let mut index = 0;
            while child < self.node(at.node).next {
                let value = if names { self.node(child).next } else { child };
                let end = self.node(value).next;
                if target < end {
                    path.push('/');
                    match names {
                        true => push_escaped(&mut path, self.value(child).raw()),
                        false => path.push_str(&index.to_string()),
                    }
                    if target == child {
                        break 'down;
                    }
                    at.node = value;
                    continue 'down;
                }
                child = end;
                index += 1;
            }
            break;
        }
        path
    }
}

/// RFC 6901: `~` and `/` inside a name.
fn push_escaped(path: &mut String, name: &str) {
    path.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

/// One value of a document.
#[derive(Clone, Copy)]
pub(crate) struct Value<'d> {
    document: &'d Document<'d>,
    node: u32,
}

impl<'d> Value<'d> {
    pub(crate) fn kind(self) -> Kind {
        self.document.node(self.node).kind
    }

    pub(crate) fn path(self) -> String {
        self.document.path(self.node)
    }

    /// The characters of a text or a number, or `true` or `false`.
    pub(crate) fn raw(self) -> &'d str {
        let Node { unescaped, start, length, .. } = self.document.node(self.node);
        let text: &str = if unescaped { &self.document.unescaped } else { &self.document.source };
        text.get(start as usize..(start as usize) + length as usize).unwrap_or_default()
    }

    /// The values that this one holds: items, or names and values in turn.
    fn children(self) -> Children<'d> {
        let first = self.node + 1;
        let end = match self.kind() {
            Kind::Array | Kind::Object => self.document.node(self.node).next,
            _ => first,
        };
        Children { document: self.document, next: first, end }
    }

    pub(crate) fn items(self) -> Children<'d> {
        self.children()
    }

    pub(crate) fn members(self) -> impl Iterator<Item = (&'d str, Value<'d>)> {
        let mut children = self.children();
        std::iter::from_fn(move || Some((children.next()?.raw(), children.next()?)))
    }

    /// A member's value; `null` is the same as absent.
    pub(crate) fn member(self, name: &str) -> Option<Value<'d>> {
        self.member_or_null(name).filter(|value| value.kind() != Kind::Null)
    }

    /// A member's value, also where it is `null`.
    pub(crate) fn member_or_null(self, name: &str) -> Option<Value<'d>> {
        self.members().find(|(found, _)| same_text(found, name)).map(|(_, value)| value)
    }
}

/// The values that a value holds, in text order.
pub(crate) struct Children<'d> {
    document: &'d Document<'d>,
    next: u32,
    end: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Value<'d>> {
        if self.next >= self.end {
            return None;
        }
        let value = Value { document: self.document, node: self.next };
        self.next = self.document.node(self.next).next;
        Some(value)
    }
}
