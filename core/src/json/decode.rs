//! From a [`Value`] to a typed value. Decoding is total: what is wrong is noted with its place, none hiding another, something
//! stands in for it, and nothing that was decoded leaves a document with problems.

use alloc::{borrow::ToOwned, boxed::Box, string::String, vec::Vec};
use core::ops::RangeInclusive;

use super::document::{Document, Kind, NOTHING};
use super::number::{Scaled, scaled};
use super::problems::Kin;
use super::value::{Children, Value};
use crate::limits::{MAX_LIST, MAX_PROBLEMS, MAX_REVISION};
use crate::text::{repetitions, same_text};
use crate::{Code, Error};

/// A type that can be read from a document.
pub(crate) trait Decode {
    /// Reads it, and notes what is wrong with it. Of a value that is absent it makes something quietly.
    fn decode(value: Value<'_>) -> Self;
}

/// Reads a whole document.
pub(crate) fn decode_bytes<T: Decode>(bytes: &[u8], limit: usize) -> Result<T, Error> {
    decode_document(&Document::read(bytes, limit))
}

/// Reads the value that a document is.
pub(crate) fn decode_document<T: Decode>(document: &Document<'_>) -> Result<T, Error> {
    let decoded = T::decode(document.root());
    if !cfg!(dezky_evaluation_only) && document.refuses_unknown {
        document.note_unknown();
    }
    document.verdict().map(|()| decoded)
}

/// Reads a whole document that somebody wrote: members that nobody knows are refused.
pub(crate) fn decode_strictly<T: Decode>(bytes: &[u8], limit: usize) -> Result<T, Error> {
    decode_document(&Document::read(bytes, limit).refusing_unknown())
}

/// Reads a list of at most `limit` items.
pub(crate) fn decode_list<T: Decode>(value: Value<'_>, limit: usize) -> Vec<T> {
    let mut list = Vec::new();
    for item in value.list(limit) {
        list.push(T::decode(item));
    }
    list
}

/// Reads a word of a fixed list: its place there, or one past the end.
pub(crate) fn decode_word(value: Value<'_>, words: &[&str], otherwise: Code) -> usize {
    let text = value.text_of(otherwise);
    let place = words.iter().position(|word| same_text(word, text.raw()));
    if place.is_none() {
        text.note(Kin::Form, otherwise);
    }
    place.unwrap_or(words.len())
}

/// Reads a text that has one normal form.
pub(crate) fn decode_text(
    value: Value<'_>,
    normalise: fn(&str) -> Option<Box<str>>,
    otherwise: Code,
) -> Box<str> {
    let text = value.text_of(otherwise);
    normalise(text.raw()).unwrap_or_else(|| {
        text.note(Kin::Form, otherwise);
        Box::default()
    })
}

impl Document<'_> {
    /// The node itself where it is of this kind; else nothing, which is noted. `meant` is what a value of the kind would be refused with: its
    /// sentence says what is expected.
    fn expect_of(&self, node: u32, kind: Kind, meant: Code) -> u32 {
        let found = self.node(node).kind;
        if found == kind {
            return node;
        }
        let mut sentence = [kind.noun(), " is needed here, not ", found.noun(), "", ""];
        if meant != Code::WrongType {
            sentence = [kind.noun(), " is needed here, not ", found.noun(), ": ", meant.message()];
        }
        self.note_saying(node, Kin::Form, Code::WrongType, &[], &sentence);
        NOTHING
    }

    fn expect(&self, node: u32, kind: Kind) -> u32 {
        self.expect_of(node, kind, Code::WrongType)
    }

    /// A member that is needed; else nothing, which is noted.
    fn required(&self, object: u32, name: &str) -> u32 {
        let member = self.member_given(object, name);
        if member == NOTHING {
            self.note(object, Kin::Form, Code::Missing, &[name]);
        }
        member
    }

    /// A list of at most `limit` items; else nothing, which is noted.
    fn list(&self, node: u32, limit: usize) -> u32 {
        let list = self.expect(node, Kind::Array);
        if self.value(list).items().nth(limit).is_some() {
            self.note(list, Kin::Form, Code::TooManyItems, &[]);
            return NOTHING;
        }
        list
    }

    /// A text of a certain form; else nothing, which is noted.
    fn checked(&self, node: u32, is_good: fn(&str) -> bool, otherwise: Code) -> u32 {
        let text = self.expect_of(node, Kind::Text, otherwise);
        if text == NOTHING || is_good(self.raw(text)) {
            return text;
        }
        self.note(text, Kin::Form, otherwise, &[]);
        NOTHING
    }

    /// A list of at most `limit` texts of a certain form; else nothing, which is noted.
    fn checked_list(&self, node: u32, limit: usize, is_good: fn(&str) -> bool, otherwise: Code) -> u32 {
        let mut list = self.list(node, limit);
        for item in self.value(list).items() {
            if self.checked(item.node, is_good, otherwise) == NOTHING {
                list = NOTHING;
            }
        }
        list
    }

    /// Whether a list holds a text.
    fn lists(&self, list: u32, text: &str) -> bool {
        for item in self.value(list).items() {
            if same_text(self.raw(item.node), text) {
                return true;
            }
        }
        false
    }

    /// A whole number from `low` to `high`; else [`OUTSIDE`], which is noted.
    fn whole(&self, node: u32, low: u64, high: u64, otherwise: Code) -> u64 {
        let number = self.expect_of(node, Kind::Number, otherwise);
        match scaled(self.raw(number), 0) {
            Scaled { magnitude, negative: false, is_whole: true } if (low..=high).contains(&magnitude) => {
                magnitude
            }
            _ => {
                self.note(number, Kin::Form, otherwise, &[]);
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
        self.note(number, Kin::Form, code, &[]);
        0
    }
}

/// A number that no member may hold.
const OUTSIDE: u64 = u64::MAX;

impl<'d> Value<'d> {
    /// Itself where it is a text, whose characters may be anything.
    #[inline(always)]
    pub(crate) fn text(self) -> Value<'d> {
        self.at(self.document.expect(self.node, Kind::Text))
    }

    /// Like `text`; `meant` is what a text of another form would be refused with.
    #[inline(always)]
    pub(crate) fn text_of(self, meant: Code) -> Value<'d> {
        self.at(self.document.expect_of(self.node, Kind::Text, meant))
    }

    #[inline(always)]
    pub(crate) fn object(self) -> Value<'d> {
        self.at(self.document.expect(self.node, Kind::Object))
    }

    #[inline(always)]
    pub(crate) fn list(self, limit: usize) -> Children<'d> {
        self.at(self.document.list(self.node, limit)).items()
    }

    /// Itself where it is a text of a certain form.
    #[inline(always)]
    pub(crate) fn checked(self, is_good: fn(&str) -> bool, otherwise: Code) -> Value<'d> {
        self.at(self.document.checked(self.node, is_good, otherwise))
    }

    /// Itself where it is a list of at most `limit` texts of a certain form.
    #[inline(always)]
    pub(crate) fn checked_list(self, limit: usize, is_good: fn(&str) -> bool, otherwise: Code) -> Value<'d> {
        self.at(self.document.checked_list(self.node, limit, is_good, otherwise))
    }

    /// Whether it is a list that holds a text.
    #[inline(always)]
    pub(crate) fn lists(self, text: &str) -> bool {
        self.document.lists(self.node, text)
    }

    /// A whole number from `low` to `high`, where it is one.
    #[inline(always)]
    pub(crate) fn whole(self, low: u64, high: u64, otherwise: Code) -> Option<u64> {
        match self.document.whole(self.node, low, high, otherwise) {
            OUTSIDE => None,
            number => Some(number),
        }
    }

    /// A percentage in hundredths, 0 to 10000.
    #[inline(always)]
    pub(crate) fn hundredths(self) -> u16 {
        self.document.hundredths(self.node)
    }

    /// A member that is needed.
    #[inline(always)]
    pub(crate) fn required<T: Decode>(self, name: &str) -> T {
        T::decode(self.required_value(name))
    }

    #[inline(always)]
    pub(crate) fn required_value(self, name: &str) -> Value<'d> {
        self.at(self.document.required(self.node, name))
    }

    /// Notes a member that an object inside this one lacks, or would lack if it were there.
    pub(crate) fn require_within(self, object: &str, name: &str) {
        let inner = self.member(object);
        let is_object = inner.is_none_or(|inner| inner.kind() == Kind::Object);
        if is_object && inner.and_then(|inner| inner.member(name)).is_none() {
            self.document.note(self.node, Kin::Form, Code::Missing, &[object, name]);
        }
    }

    /// A part that has no object of its own: its members stand in this one.
    pub(crate) fn embedded<T: Decode>(self) -> T {
        T::decode(self)
    }

    /// A whole number that is needed.
    pub(crate) fn required_whole<N: TryFrom<u64> + TryInto<u64> + Copy>(
        self,
        name: &str,
        range: RangeInclusive<N>,
    ) -> N {
        whole(self.required_value(name), range)
    }

    /// A revision: a whole number that every language holds exactly.
    pub(crate) fn required_revision(self, name: &str, first: u64) -> u64 {
        self.required_value(name).whole(first, MAX_REVISION, Code::InvalidRevision).unwrap_or(first)
    }

    /// A whole number that takes its default where it is absent.
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

    /// A member that may be absent.
    pub(crate) fn optional<T: Decode>(self, name: &str) -> Option<T> {
        self.member(name).map(T::decode)
    }

    /// A member that takes its default where it is absent, as in documents written before it existed.
    pub(crate) fn or<T: Decode>(self, name: &str, default: T) -> T {
        self.optional(name).unwrap_or(default)
    }

    /// A member of a patch: `null` resets it to its default, and what is absent stays as it is.
    pub(crate) fn reset<T: Decode + Default>(self, name: &str) -> Option<T> {
        let given = self.member_or_null(name)?;
        Some(if given.kind() == Kind::Null { T::default() } else { T::decode(given) })
    }

    pub(crate) fn or_default<T: Decode + Default>(self, name: &str) -> T {
        self.optional(name).unwrap_or_default()
    }

    /// A list that is empty where it is absent.
    pub(crate) fn list_or_empty<T: Decode>(self, name: &str, limit: usize) -> Vec<T> {
        self.member(name).map_or(Vec::new(), |list| decode_list(list, limit))
    }

    /// A list of distinct values, in the order given; empty where it is absent.
    pub(crate) fn distinct<T: Decode + AsRef<str>>(self, name: &str, limit: usize) -> Vec<T> {
        let list: Vec<T> = self.list_or_empty(name, limit);
        for repeated in repetitions(list.iter().map(AsRef::as_ref)).into_iter().take(MAX_PROBLEMS) {
            if let Some(value) = self.member(name).and_then(|value| value.items().nth(repeated)) {
                value.note(Kin::Meaning, Code::DuplicateValue);
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
