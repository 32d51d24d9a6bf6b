//! Percentages and positions: whole hundredths, never a float.

use serde::{Serialize, Serializer};

use crate::json::{Decode, Problems, Value, deserialize_by_decoding, documents};
use crate::{Code, Error};

/// A percentage of 0 to 100 with at most two decimals. A position, being on the same scale, is one too.
///
/// ```
/// use dezky_core::Percent;
/// assert_eq!(Percent::from_hundredths(3725)?.to_string(), "37.25");
/// assert_eq!(Percent::whole(25)?.hundredths(), 2500);
/// assert!(Percent::whole(101).is_err());
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Percent(u16);

impl Percent {
    /// Nothing.
    pub const ZERO: Percent = Percent(0);
    /// Everything.
    pub const FULL: Percent = Percent(10_000);

    /// So many hundredths of a percent, 0 to 10000.
    ///
    /// ```
    /// assert!(dezky_core::Percent::from_hundredths(10_001).is_err());
    /// ```
    pub fn from_hundredths(hundredths: u16) -> Result<Percent, Error> {
        if hundredths > Percent::FULL.0 {
            return Err(Error::new(Code::InvalidPct, ""));
        }
        Ok(Percent(hundredths))
    }

    /// So many whole percent, 0 to 100.
    ///
    /// ```
    /// assert_eq!(dezky_core::Percent::whole(100)?, dezky_core::Percent::FULL);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn whole(percent: u16) -> Result<Percent, Error> {
        Percent::from_hundredths(percent.saturating_mul(100))
    }

    /// A position of 0 to 9999: nothing above can come out of the hash.
    pub(crate) const fn of_position(hundredths: u16) -> Percent {
        Percent(hundredths)
    }

    /// In hundredths of a percent.
    ///
    /// ```
    /// assert_eq!(dezky_core::Percent::FULL.hundredths(), 10_000);
    /// ```
    pub const fn hundredths(self) -> u16 {
        self.0
    }
}

impl std::fmt::Display for Percent {
    /// The shortest decimal: `25`, `2.5`, `37.25`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match (rest, rest % 10) {
            (0, _) => write!(formatter, "{whole}"),
            (_, 0) => write!(formatter, "{whole}.{}", rest / 10),
            _ => write!(formatter, "{whole}.{rest:02}"),
        }
    }
}

/// A number with at most two decimals. The quotient is the float nearest to it, which prints as it.
impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 100 {
            0 => serializer.serialize_u16(self.0 / 100),
            _ => serializer.serialize_f64(f64::from(self.0) / 100.0),
        }
    }
}

impl Decode for Percent {
    fn decode(value: Value<'_>, problems: &mut Problems) -> Option<Percent> {
        value.hundredths(problems).map(Percent)
    }
}

deserialize_by_decoding!(Percent);

documents! { Percent }
