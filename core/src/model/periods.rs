//! The periods that a subscription runs for.

use serde::Serialize;

use crate::json::{Decode, ProblemKind, Value, deserialize_by_decoding};
use crate::{Code, Error, Timestamp};

/// The periods that a subscription runs for.
///
/// ```
/// use dezky_core::Timestamp;
/// use dezky_core::model::Periods;
/// let day = Timestamp::from_seconds(86_400)?;
/// assert!(Periods::new(Some(day), Some(Timestamp::EPOCH)).is_err());
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct Periods {
    #[serde(skip_serializing_if = "Option::is_none")]
    current_start: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_end: Option<Timestamp>,
    /// When the trial ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial_end: Option<Timestamp>,
    /// Whether it ends with the current period.
    pub cancel_at_period_end: bool,
}

impl Periods {
    /// The current period, whose end is not before its start.
    ///
    /// ```
    /// # use dezky_core::Timestamp;
    /// # use dezky_core::model::Periods;
    /// assert!(Periods::new(Some(Timestamp::EPOCH), None).is_ok());
    /// ```
    pub fn new(current_start: Option<Timestamp>, current_end: Option<Timestamp>) -> Result<Periods, Error> {
        if ends_too_soon(current_start, current_end) {
            return Err(Error::new(Code::InvalidPeriod, "/currentEnd"));
        }
        Ok(Periods { current_start, current_end, ..Periods::default() })
    }

    /// When the current period started.
    ///
    /// ```
    /// assert_eq!(dezky_core::model::Periods::default().current_start(), None);
    /// ```
    pub fn current_start(&self) -> Option<Timestamp> {
        self.current_start
    }

    /// When the current period ends.
    ///
    /// ```
    /// assert_eq!(dezky_core::model::Periods::default().current_end(), None);
    /// ```
    pub fn current_end(&self) -> Option<Timestamp> {
        self.current_end
    }
}

fn ends_too_soon(start: Option<Timestamp>, end: Option<Timestamp>) -> bool {
    start.zip(end).is_some_and(|(start, end)| end < start)
}

impl Decode for Periods {
    fn decode(value: Value<'_>) -> Periods {
        let object = value.object();
        let periods = Periods {
            current_start: object.optional("currentStart"),
            current_end: object.optional("currentEnd"),
            trial_end: object.optional("trialEnd"),
            cancel_at_period_end: object.or_default("cancelAtPeriodEnd"),
        };
        if ends_too_soon(periods.current_start, periods.current_end)
            && let Some(end) = object.member("currentEnd")
        {
            end.note(ProblemKind::Meaning, Code::InvalidPeriod);
        }
        periods
    }
}

deserialize_by_decoding!(Periods);
