//! From a [`Value`] to a typed value: every problem noted with its place, none hiding another.

use std::ops::RangeInclusive;

use super::document::{Children, Document, Kind, Value};
use super::number::{Scaled, scaled};
use super::problems::Problems;
use crate::limits::{MAX_LIST, MAX_PROBLEMS, MAX_REVISION};
use crate::names::repetitions;
use crate::{Code, Error};

/// A type that can be read from a document.
pub(crate) trait Decode: Sized {
    /// `None` when something was wrong, which is then noted in `problems`.
    fn decode(value: Value<'_>, problems: &mut Problems) -> Option<Self>;
}

/// Reads a whole document.
pub(crate) fn decode_bytes<T: Decode>(bytes: &[u8], limit: usize) -> Result<T, Error> {
    decode_value(Document::parse(bytes, limit)?.root())
}

/// Reads one value of a document; its problems have paths from the document's root.
pub(crate) fn decode_value<T: Decode>(value: Value<'_>) -> Result<T, Error> {
    let mut problems = Problems::default();
    let decoded = T::decode(value, &mut problems);
    problems.finish(decoded)
}

/// Reads a list of at most `limit` items; what is wrong with any of them is noted for all of them.
pub(crate) fn decode_list<T: Decode>(
    value: Value<'_>,
    limit: usize,
    problems: &mut Problems,
) -> Option<Vec<T>> {
    let items = value.list(limit, problems)?;
    let mut list = Vec::new();
    let mut whole = true;
    for item in items {
        match T::decode(item, problems) {
            Some(item) => list.push(item),
            None => whole = false,
        }
    }
    whole.then_some(list)
}

/// Reads a word of a fixed list.
pub(crate) fn decode_word<T>(
    value: Value<'_>,
    parse: impl FnOnce(&str) -> Option<T>,
    otherwise: Code,
    problems: &mut Problems,
) -> Option<T> {
    let word = parse(value.text(problems)?);
    if word.is_none() {
        problems.form(otherwise, value);
    }
    word
}

impl<'d> Value<'d> {
    fn expect(self, kind: Kind, problems: &mut Problems) -> Option<Value<'d>> {
        if self.kind() != kind {
            problems.form(Code::WrongType, self);
            return None;
        }
        Some(self)
    }

    pub(crate) fn text(self, problems: &mut Problems) -> Option<&'d str> {
        self.expect(Kind::Text, problems).map(Value::raw)
    }

    pub(crate) fn object(self, problems: &mut Problems) -> Option<Object<'d>> {
        self.expect(Kind::Object, problems).map(Object)
    }

    pub(crate) fn list(self, limit: usize, problems: &mut Problems) -> Option<Children<'d>> {
        let items = self.expect(Kind::Array, problems)?.items();
        if self.items().nth(limit).is_some() {
            problems.form(Code::TooManyItems, self);
            return None;
        }
        Some(items)
    }

    /// A whole number from `low` to `high`.
    pub(crate) fn whole(
        self,
        low: i128,
        high: i128,
        otherwise: Code,
        problems: &mut Problems,
    ) -> Option<i128> {
        match scaled(self.expect(Kind::Number, problems)?.raw(), 0) {
            Scaled::Whole(number) if (low..=high).contains(&number) => Some(number),
            _ => {
                problems.form(otherwise, self);
                None
            }
        }
    }

    /// A percentage in hundredths, 0 to 10000.
    pub(crate) fn hundredths(self, problems: &mut Problems) -> Option<u16> {
        let code = match scaled(self.expect(Kind::Number, problems)?.raw(), 2) {
            Scaled::Whole(hundredths @ 0..=10_000) => return Some(hundredths as u16),
            Scaled::Between { magnitude: 0..10_000, negative: false } => Code::PctPrecision,
            _ => Code::InvalidPct,
        };
        problems.form(code, self);
        None
    }
}

/// A value that is an object.
#[derive(Clone, Copy)]
pub(crate) struct Object<'d>(Value<'d>);

impl<'d> Object<'d> {
    pub(crate) fn value(self) -> Value<'d> {
        self.0
    }

    /// A member that is needed.
    pub(crate) fn required<T: Decode>(self, name: &str, problems: &mut Problems) -> Option<T> {
        T::decode(self.required_value(name, problems)?, problems)
    }

    pub(crate) fn required_value(self, name: &str, problems: &mut Problems) -> Option<Value<'d>> {
        let value = self.0.member(name);
        if value.is_none() {
            problems.missing(self.0, name);
        }
        value
    }

    /// Notes a member that an object inside this one lacks, or would lack if it were there.
    pub(crate) fn require_within(self, object: &str, name: &str, problems: &mut Problems) {
        let inner = self.0.member(object);
        let is_object = inner.is_none_or(|inner| inner.kind() == Kind::Object);
        if is_object && inner.and_then(|inner| inner.member(name)).is_none() {
            problems.missing(self.0, &format!("{object}/{name}"));
        }
    }

    /// A part that has no object of its own: its members stand in this one.
    pub(crate) fn embedded<T: Decode>(self, problems: &mut Problems) -> Option<T> {
        T::decode(self.0, problems)
    }

    /// A whole number that is needed.
    pub(crate) fn required_whole<N>(
        self,
        name: &str,
        range: RangeInclusive<N>,
        problems: &mut Problems,
    ) -> Option<N>
    where
        N: TryFrom<i128> + Into<i128>,
    {
        whole(self.required_value(name, problems)?, range, problems)
    }

    /// A revision: a whole number that every language holds exactly.
    pub(crate) fn required_revision(self, name: &str, first: u64, problems: &mut Problems) -> Option<u64> {
        let value = self.required_value(name, problems)?;
        let revision = value.whole(first.into(), MAX_REVISION.into(), Code::InvalidRevision, problems)?;
        u64::try_from(revision).ok()
    }

    /// A whole number that takes its default where it is absent.
    pub(crate) fn whole_or<N>(
        self,
        name: &str,
        range: RangeInclusive<N>,
        default: N,
        problems: &mut Problems,
    ) -> Option<N>
    where
        N: TryFrom<i128> + Into<i128>,
    {
        self.0.member(name).map_or(Some(default), |value| whole(value, range, problems))
    }

    pub(crate) fn required_list<T: Decode>(
        self,
        name: &str,
        limit: usize,
        problems: &mut Problems,
    ) -> Option<Vec<T>> {
        decode_list(self.required_value(name, problems)?, limit, problems)
    }

    /// A member that may be absent: the outer `None` says that it is there and wrong.
    pub(crate) fn optional<T: Decode>(self, name: &str, problems: &mut Problems) -> Option<Option<T>> {
        match self.0.member(name) {
            None => Some(None),
            Some(value) => T::decode(value, problems).map(Some),
        }
    }

    /// A member that takes its default where it is absent, as in documents written before it existed.
    pub(crate) fn or<T: Decode>(self, name: &str, default: T, problems: &mut Problems) -> Option<T> {
        self.optional(name, problems).map(|value| value.unwrap_or(default))
    }

    pub(crate) fn or_default<T: Decode + Default>(self, name: &str, problems: &mut Problems) -> Option<T> {
        self.or(name, T::default(), problems)
    }

    /// A list that is empty where it is absent.
    pub(crate) fn list<T: Decode>(self, name: &str, limit: usize, problems: &mut Problems) -> Option<Vec<T>> {
        match self.0.member(name) {
            None => Some(Vec::new()),
            Some(value) => decode_list(value, limit, problems),
        }
    }

    /// A list of distinct values, in the order given; empty where it is absent.
    pub(crate) fn distinct<T: Decode + AsRef<str>>(
        self,
        name: &str,
        limit: usize,
        problems: &mut Problems,
    ) -> Option<Vec<T>> {
        let list: Vec<T> = self.list(name, limit, problems)?;
        for repeated in repetitions(list.iter().map(AsRef::as_ref)).into_iter().take(MAX_PROBLEMS) {
            if let Some(value) = self.0.member(name).and_then(|value| value.items().nth(repeated)) {
                problems.meaning(Code::DuplicateValue, value);
            }
        }
        Some(list)
    }
}

fn whole<N>(value: Value<'_>, range: RangeInclusive<N>, problems: &mut Problems) -> Option<N>
where
    N: TryFrom<i128> + Into<i128>,
{
    let (low, high) = range.into_inner();
    value
        .whole(low.into(), high.into(), Code::InvalidNumber, problems)
        .and_then(|number| number.try_into().ok())
}

impl Decode for bool {
    fn decode(value: Value<'_>, problems: &mut Problems) -> Option<bool> {
        value.expect(Kind::Bool, problems).map(|value| value.raw() == "true")
    }
}

impl Decode for String {
    fn decode(value: Value<'_>, problems: &mut Problems) -> Option<String> {
        value.text(problems).map(str::to_owned)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(value: Value<'_>, problems: &mut Problems) -> Option<Vec<T>> {
        decode_list(value, MAX_LIST, problems)
    }
}
