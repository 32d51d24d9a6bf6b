//! The billing periods of a subscription (specification section 4.5).

use serde::Serialize;

use crate::json::{Decode, ProblemKind, Value, deserialize_by_decoding};
use crate::{Code, Error, Timestamp};

/// The current billing period and the trial of a subscription.
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
    /// The end of the trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial_end: Option<Timestamp>,
    /// `true` if the subscription ends with the current period.
    pub cancel_at_period_end: bool,
}

impl Periods {
    /// Creates the periods. Fails with `invalid_period` if the current period ends before it
    /// starts.
    pub fn new(current_start: Option<Timestamp>, current_end: Option<Timestamp>) -> Result<Periods, Error> {
        if ends_too_soon(current_start, current_end) {
            return Err(Error::new(Code::InvalidPeriod, "/currentEnd"));
        }
        Ok(Periods { current_start, current_end, ..Periods::default() })
    }

    /// Returns the start of the current period.
    pub fn current_start(&self) -> Option<Timestamp> {
        self.current_start
    }

    /// Returns the end of the current period.
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
