//! Points in time as whole microseconds, read and written as RFC 3339. This module reads no clock.

use alloc::format;
use core::fmt;

use serde::{Serialize, Serializer};

use crate::json::{Decode, ProblemKind, Value, deserialize_by_decoding};
use crate::{Code, Error};

const MICROS: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

/// A point in time, in the years 0001 to 9999, to the microsecond.
///
/// ```
/// use dezky_core::Timestamp;
/// let time = Timestamp::parse("2026-03-01T13:30:00.500+01:00")?;
/// assert_eq!(time.to_string(), "2026-03-01T12:30:00.5Z");
/// assert_eq!(Timestamp::from_micros(0)?.to_string(), "1970-01-01T00:00:00Z");
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z, the default in documents that are older than their time members.
    pub const EPOCH: Timestamp = Timestamp(0);
    const FIRST: i64 = days_from_civil(1, 1, 1) * DAY_SECONDS * MICROS;
    const LAST: i64 = days_from_civil(10_000, 1, 1) * DAY_SECONDS * MICROS - 1;

    /// Creates a timestamp from microseconds since 1970-01-01T00:00:00Z.
    pub fn from_micros(micros: i64) -> Result<Timestamp, Error> {
        match (Self::FIRST..=Self::LAST).contains(&micros) {
            true => Ok(Timestamp(micros)),
            false => Err(Error::new(Code::InvalidTime, "")),
        }
    }

    /// Creates a timestamp from seconds since 1970-01-01T00:00:00Z.
    pub fn from_seconds(seconds: i64) -> Result<Timestamp, Error> {
        Timestamp::from_micros(seconds.saturating_mul(MICROS))
    }

    /// The time in microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The time in whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    /// Parses RFC 3339 with any offset and up to nine decimals, of which six are kept. Rejects leap
    /// seconds.
    pub fn parse(text: &str) -> Result<Timestamp, Error> {
        parse(text.as_bytes())
            .and_then(|micros| Timestamp::from_micros(micros).ok())
            .ok_or_else(|| Error::new(Code::InvalidTime, ""))
    }
}

fn parse(text: &[u8]) -> Option<i64> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let field = |from: usize, to: usize| digits(date_time.get(from..to)?);
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    let separated = separators.iter().all(|&(at, byte)| date_time.get(at) == Some(&byte));
    if !separated || !matches!(date_time.get(10), Some(b'T' | b't')) {
        return None;
    }
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    let in_range = year >= 1
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let (fraction, offset) = fraction(rest)?;
    let seconds = days_from_civil(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
    in_range.then_some((seconds - offset_seconds(offset)?) * MICROS + fraction)
}

/// Parses an optional fraction. Returns its microseconds and the rest of the string.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', rest)) = text.split_first() else { return Some((0, text)) };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, offset) = rest.split_at_checked(count)?;
    if !(1..=9).contains(&count) {
        return None;
    }
    let micros = (0..6)
        .fold(0, |micros, at| micros * 10 + fraction.get(at).map_or(0, |digit| i64::from(digit - b'0')));
    Some((micros, offset))
}

fn offset_seconds(text: &[u8]) -> Option<i64> {
    let (sign, hour, minute) = match text {
        b"Z" | b"z" => return Some(0),
        [b'+', h1, h2, b':', m1, m2] => (1, digits(&[*h1, *h2])?, digits(&[*m1, *m2])?),
        [b'-', h1, h2, b':', m1, m2] => (-1, digits(&[*h1, *h2])?, digits(&[*m1, *m2])?),
        _ => return None,
    };
    (hour < 24 && minute < 60).then_some(sign * (hour * 3600 + minute * 60))
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_from_civil(next.0, next.1, 1) - days_from_civil(year, month, 1)
}

/// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap
/// day comes last.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// Converts days since 1970-01-01 to year, month and day: the inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

impl fmt::Display for Timestamp {
    /// Writes UTC with as many decimals as needed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.as_seconds(), self.0.rem_euclid(MICROS));
        let (year, month, day) = civil_from_days(seconds.div_euclid(DAY_SECONDS));
        let second = seconds.rem_euclid(DAY_SECONDS);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if micros > 0 {
            write!(formatter, ".{}", format!("{micros:06}").trim_end_matches('0'))?;
        }
        formatter.write_str("Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Decode for Timestamp {
    fn decode(value: Value<'_>) -> Timestamp {
        let text = value.text();
        Timestamp::parse(text.raw()).unwrap_or_else(|_| {
            text.note(ProblemKind::Form, Code::InvalidTime);
            Timestamp::EPOCH
        })
    }
}

deserialize_by_decoding!(Timestamp);

#[cfg(feature = "schema")]
crate::schema::schemas! {
    Timestamp: |_| schemars::json_schema!({ "type": "string", "format": "date-time" });
}
