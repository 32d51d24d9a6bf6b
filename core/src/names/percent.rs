//! Percentages and positions, stored as whole hundredths instead of floats.

use alloc::string::String;

use serde::{Serialize, Serializer};

use crate::json::{Decode, Value, deserialize_by_decoding, documents};
use crate::text::push_char;
use crate::{Code, Error};

/// A percentage from 0 to 100 with at most two decimals. Rollout positions use the same scale.
///
/// ```
/// use dezky_core::names::Percent;
/// assert_eq!(Percent::from_hundredths(3725)?.to_string(), "37.25");
/// assert_eq!(Percent::whole(25)?.hundredths(), 2500);
/// assert!(Percent::whole(101).is_err());
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Percent(u16);

impl Percent {
    /// Zero percent, a rollout that includes no tenant.
    pub const ZERO: Percent = Percent(0);
    /// One hundred percent, a rollout that includes every tenant in scope.
    pub const FULL: Percent = Percent(10_000);

    /// Creates a percentage from hundredths of a percent, 0 to 10000.
    pub fn from_hundredths(hundredths: u16) -> Result<Percent, Error> {
        if hundredths > Percent::FULL.0 {
            return Err(Error::new(Code::InvalidPct, ""));
        }
        Ok(Percent(hundredths))
    }

    /// Creates a whole percentage, 0 to 100.
    pub fn whole(percent: u16) -> Result<Percent, Error> {
        Percent::from_hundredths(percent.saturating_mul(100))
    }

    /// Converts a rollout position, 0 to 9999, which is the whole range of the hash.
    pub(crate) const fn from_position(hundredths: u16) -> Percent {
        Percent(hundredths)
    }

    /// The percentage in hundredths of a percent.
    pub const fn hundredths(self) -> u16 {
        self.0
    }
}

impl Percent {
    /// Appends the shortest decimal: `25`, `2.5`, `37.25`.
    pub fn push_to(self, out: &mut String) {
        let mut weight = 10_000;
        let mut rest = self.0;
        let mut started = false;
        while weight >= 100 || rest > 0 {
            if weight == 10 {
                push_char(out, '.');
            }
            let digit = rest / weight;
            started |= digit > 0 || weight <= 100;
            if started {
                push_char(out, char::from(b'0' + (digit % 10) as u8));
            }
            rest %= weight;
            weight /= 10;
        }
    }
}

impl core::fmt::Display for Percent {
    /// Writes the shortest decimal: `25`, `2.5`, `37.25`.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut text = String::new();
        self.push_to(&mut text);
        formatter.write_str(&text)
    }
}

/// Serializes a number with at most two decimals. The quotient is the float nearest to that decimal
/// and therefore prints as it.
impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 100 {
            0 => serializer.serialize_u16(self.0 / 100),
            _ => serializer.serialize_f64(f64::from(self.0) / 100.0),
        }
    }
}

impl Decode for Percent {
    fn decode(value: Value<'_>) -> Percent {
        Percent(value.hundredths())
    }
}

deserialize_by_decoding!(Percent);

documents! { Percent }

#[cfg(test)]
mod tests {
    use super::Percent;
    use std::prelude::v1::*;

    #[test]
    fn every_percentage_is_written_as_the_shortest_decimal() {
        for hundredths in 0..=10_000 {
            let text = Percent(hundredths).to_string();
            assert_eq!(text, (f64::from(hundredths) / 100.0).to_string());
        }
    }
}
