//! Decoding of a [`Value`] to a typed value.
//!
//! Decoding never stops early: it notes each problem with its path and continues with a
//! placeholder, so that one error reports every problem. A document with problems yields only the
//! error, so no placeholder leaves this module.

use alloc::{borrow::ToOwned, boxed::Box, string::String, vec::Vec};
use core::ops::RangeInclusive;

use super::document::{ABSENT, Document, Kind};
use super::number::{Scaled, scaled};
use super::problems::ProblemKind;
use super::value::{Children, Value};
use crate::limits::{MAX_LIST, MAX_PROBLEMS, MAX_REVISION};
use crate::text::{repetitions, same_text};
use crate::{Code, Error};

/// A type that can be read from a document.
pub(crate) trait Decode {
    /// Reads the value and notes its problems. Returns a placeholder for an absent value.
    fn decode(value: Value<'_>) -> Self;
}

/// Reads a whole document.
pub(crate) fn decode_bytes<T: Decode>(bytes: &[u8], limit: usize) -> Result<T, Error> {
    decode_document(&Document::read(bytes, limit))
}

/// Decodes a parsed document.
pub(crate) fn decode_document<T: Decode>(document: &Document<'_>) -> Result<T, Error> {
    let decoded = T::decode(document.root());
    if !cfg!(dezky_evaluation_only) && document.rejects_unknown {
        document.note_unknown();
    }
    document.finish().map(|()| decoded)
}

/// Reads a whole document that people write: unknown members are rejected.
pub(crate) fn decode_strictly<T: Decode>(bytes: &[u8], limit: usize) -> Result<T, Error> {
    decode_document(&Document::read(bytes, limit).rejecting_unknown())
}

/// Reads a list of at most `limit` items.
pub(crate) fn decode_list<T: Decode>(value: Value<'_>, limit: usize) -> Vec<T> {
    let mut list = Vec::new();
    for item in value.list(limit) {
        list.push(T::decode(item));
    }
    list
}

/// Reads a word of a fixed list and returns its index, or the length of the list for another word.
pub(crate) fn decode_word(value: Value<'_>, words: &[&str], code: Code) -> usize {
    let text = value.text_of(code);
    let index = words.iter().position(|word| same_text(word, text.raw()));
    if index.is_none() {
        text.note(ProblemKind::Form, code);
    }
    index.unwrap_or(words.len())
}

/// Reads a string and converts it to its normal form. Notes `code` if it has none.
pub(crate) fn decode_text(value: Value<'_>, normalize: fn(&str) -> Option<Box<str>>, code: Code) -> Box<str> {
    let text = value.text_of(code);
    normalize(text.raw()).unwrap_or_else(|| {
        text.note(ProblemKind::Form, code);
        Box::default()
    })
}

/// Each function returns [`ABSENT`] for a value that does not satisfy it, and notes the problem.
impl Document<'_> {
    /// Returns the node if it is of this kind. The error message ends with the message of
    /// `expected`.
    fn expect_of(&self, node: u32, kind: Kind, expected: Code) -> u32 {
        let found = self.node(node).kind;
        if found == kind {
            return node;
        }
        let mut message = ["expected ", kind.noun(), ", found ", found.noun(), "", ""];
        if expected != Code::WrongType {
            message = ["expected ", kind.noun(), ", found ", found.noun(), ": ", expected.message()];
        }
        self.note_with_message(node, ProblemKind::Form, Code::WrongType, &[], &message);
        ABSENT
    }

    fn expect(&self, node: u32, kind: Kind) -> u32 {
        self.expect_of(node, kind, Code::WrongType)
    }

    /// Returns a required member.
    fn required(&self, object: u32, name: &str) -> u32 {
        let member = self.non_null_member(object, name);
        if member == ABSENT {
            self.note(object, ProblemKind::Form, Code::Missing, &[name]);
        }
        member
    }

    /// Returns the node if it is a list of at most `limit` items.
    fn list(&self, node: u32, limit: usize) -> u32 {
        let list = self.expect(node, Kind::Array);
        if self.value(list).items().nth(limit).is_some() {
            self.note(list, ProblemKind::Form, Code::TooManyItems, &[]);
            return ABSENT;
        }
        list
    }

    /// Returns the node if it is a string for which `is_valid` returns true.
    fn checked(&self, node: u32, is_valid: fn(&str) -> bool, code: Code) -> u32 {
        let text = self.expect_of(node, Kind::Text, code);
        if text == ABSENT || is_valid(self.raw(text)) {
            return text;
        }
        self.note(text, ProblemKind::Form, code, &[]);
        ABSENT
    }

    /// Returns the node if it is a list of at most `limit` strings for which `is_valid` returns
    /// true.
    fn checked_list(&self, node: u32, limit: usize, is_valid: fn(&str) -> bool, code: Code) -> u32 {
        let mut list = self.list(node, limit);
        for item in self.value(list).items() {
            if self.checked(item.node, is_valid, code) == ABSENT {
                list = ABSENT;
            }
        }
        list
    }

    /// Returns whether a list contains a string.
    fn lists(&self, list: u32, text: &str) -> bool {
        for item in self.value(list).items() {
            if same_text(self.raw(item.node), text) {
                return true;
            }
        }
        false
    }

    /// Returns a whole number from `low` to `high`. Otherwise notes the problem and returns
    /// [`OUTSIDE`].
    fn whole(&self, node: u32, low: u64, high: u64, code: Code) -> u64 {
        let number = self.expect_of(node, Kind::Number, code);
        match scaled(self.raw(number), 0) {
            Scaled { magnitude, negative: false, is_whole: true } if (low..=high).contains(&magnitude) => {
                magnitude
            }
            _ => {
                self.note(number, ProblemKind::Form, code, &[]);
                OUTSIDE
            }
        }
    }

    fn hundredths(&self, node: u32) -> u16 {
        let number = self.expect_of(node, Kind::Number, Code::InvalidPct);
        let code = match scaled(self.raw(number), 2) {
            Scaled { magnitude: hundredths @ 0..=10_000, negative: false, is_whole: true } => {
                return hundredths as u16;
            }
            Scaled { magnitude: 0..10_000, negative: false, is_whole: false } => Code::PctPrecision,
            _ => Code::InvalidPct,
        };
        self.note(number, ProblemKind::Form, code, &[]);
        0
    }
}

/// The result of [`Document::whole`] for a number outside its range. No range contains this number.
const OUTSIDE: u64 = u64::MAX;

impl<'d> Value<'d> {
    /// Returns the value if it is a string of any characters.
    #[inline(always)]
    pub(crate) fn text(self) -> Value<'d> {
        self.at(self.document.expect(self.node, Kind::Text))
    }

    /// Like `text`, but the error message for a value of another type ends with the message of
    /// `expected`.
    #[inline(always)]
    pub(crate) fn text_of(self, expected: Code) -> Value<'d> {
        self.at(self.document.expect_of(self.node, Kind::Text, expected))
    }

    #[inline(always)]
    pub(crate) fn object(self) -> Value<'d> {
        self.at(self.document.expect(self.node, Kind::Object))
    }

    #[inline(always)]
    pub(crate) fn list(self, limit: usize) -> Children<'d> {
        self.at(self.document.list(self.node, limit)).items()
    }

    /// Returns the value if it is a string for which `is_valid` returns true.
    #[inline(always)]
    pub(crate) fn checked(self, is_valid: fn(&str) -> bool, code: Code) -> Value<'d> {
        self.at(self.document.checked(self.node, is_valid, code))
    }

    /// Returns the value if it is a list of at most `limit` strings for which `is_valid` returns
    /// true.
    #[inline(always)]
    pub(crate) fn checked_list(self, limit: usize, is_valid: fn(&str) -> bool, code: Code) -> Value<'d> {
        self.at(self.document.checked_list(self.node, limit, is_valid, code))
    }

    /// Returns whether the value is a list that contains a string.
    #[inline(always)]
    pub(crate) fn lists(self, text: &str) -> bool {
        self.document.lists(self.node, text)
    }

    /// Returns the value if it is a whole number from `low` to `high`.
    #[inline(always)]
    pub(crate) fn whole(self, low: u64, high: u64, code: Code) -> Option<u64> {
        match self.document.whole(self.node, low, high, code) {
            OUTSIDE => None,
            number => Some(number),
        }
    }

    /// Reads a percentage, in hundredths: 0 to 10000.
    #[inline(always)]
    pub(crate) fn hundredths(self) -> u16 {
        self.document.hundredths(self.node)
    }

    /// Decodes a required member.
    #[inline(always)]
    pub(crate) fn required<T: Decode>(self, name: &str) -> T {
        T::decode(self.required_value(name))
    }

    #[inline(always)]
    pub(crate) fn required_value(self, name: &str) -> Value<'d> {
        self.at(self.document.required(self.node, name))
    }

    /// Requires the member `name` of the member `object`. An absent `object` counts as an empty
    /// one.
    pub(crate) fn require_within(self, object: &str, name: &str) {
        let inner = self.member(object);
        let is_object = inner.is_none_or(|inner| inner.kind() == Kind::Object);
        if is_object && inner.and_then(|inner| inner.member(name)).is_none() {
            self.document.note(self.node, ProblemKind::Form, Code::Missing, &[object, name]);
        }
    }

    /// Decodes a struct whose members are members of this object.
    pub(crate) fn embedded<T: Decode>(self) -> T {
        T::decode(self)
    }

    /// Decodes a required whole number.
    pub(crate) fn required_whole<N: TryFrom<u64> + TryInto<u64> + Copy>(
        self,
        name: &str,
        range: RangeInclusive<N>,
    ) -> N {
        whole(self.required_value(name), range)
    }

    /// Decodes a required revision: a whole number that every language represents exactly.
    pub(crate) fn required_revision(self, name: &str, first: u64) -> u64 {
        self.required_value(name).whole(first, MAX_REVISION, Code::InvalidRevision).unwrap_or(first)
    }

    /// Decodes a whole number, or returns `default` if it is absent.
    pub(crate) fn whole_or<N: TryFrom<u64> + TryInto<u64> + Copy>(
        self,
        name: &str,
        range: RangeInclusive<N>,
        default: N,
    ) -> N {
        self.member(name).map_or(default, |value| whole(value, range))
    }

    pub(crate) fn required_list<T: Decode>(self, name: &str, limit: usize) -> Vec<T> {
        decode_list(self.required_value(name), limit)
    }

    /// Decodes an optional member.
    pub(crate) fn optional<T: Decode>(self, name: &str) -> Option<T> {
        self.member(name).map(T::decode)
    }

    /// Decodes a member, or returns `default` if it is absent, as in documents older than the
    /// member.
    pub(crate) fn or<T: Decode>(self, name: &str, default: T) -> T {
        self.optional(name).unwrap_or(default)
    }

    /// Decodes a member of a patch: `null` resets the field to its default, an absent member keeps
    /// it.
    pub(crate) fn reset<T: Decode + Default>(self, name: &str) -> Option<T> {
        let given = self.member_or_null(name)?;
        Some(if given.kind() == Kind::Null { T::default() } else { T::decode(given) })
    }

    pub(crate) fn or_default<T: Decode + Default>(self, name: &str) -> T {
        self.optional(name).unwrap_or_default()
    }

    /// Decodes a list; an absent list is empty.
    pub(crate) fn list_or_empty<T: Decode>(self, name: &str, limit: usize) -> Vec<T> {
        self.member(name).map_or(Vec::new(), |list| decode_list(list, limit))
    }

    /// Decodes a list of distinct values and keeps their order; an absent list is empty.
    pub(crate) fn distinct<T: Decode + AsRef<str>>(self, name: &str, limit: usize) -> Vec<T> {
        let list: Vec<T> = self.list_or_empty(name, limit);
        for repeated in repetitions(list.iter().map(AsRef::as_ref)).into_iter().take(MAX_PROBLEMS) {
            if let Some(value) = self.member(name).and_then(|value| value.items().nth(repeated)) {
                value.note(ProblemKind::Meaning, Code::DuplicateValue);
            }
        }
        list
    }
}

fn whole<N: TryFrom<u64> + TryInto<u64> + Copy>(value: Value<'_>, range: RangeInclusive<N>) -> N {
    let low = *range.start();
    let bound = |bound: N| bound.try_into().unwrap_or_default();
    let number = value.whole(bound(low), bound(*range.end()), Code::InvalidNumber);
    number.and_then(|number| number.try_into().ok()).unwrap_or(low)
}

impl Decode for bool {
    fn decode(value: Value<'_>) -> bool {
        value.at(value.document.expect(value.node, Kind::Bool)).raw() == "true"
    }
}

impl Decode for String {
    fn decode(value: Value<'_>) -> String {
        value.text().raw().to_owned()
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(value: Value<'_>) -> Vec<T> {
        decode_list(value, MAX_LIST)
    }
}
