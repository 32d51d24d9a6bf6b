//! The price of a subscription (specification section 4.5).

use core::ops::RangeInclusive;

use serde::Serialize;

use crate::json::decode_objects;
use crate::names::Currency;
use crate::names::words;
use crate::{Code, Error};

words! {
    /// The unit of a billing period.
    Interval: UnknownInterval {
        /// An interval of one day.
        Day "day",
        /// An interval of one week.
        Week "week",
        /// An interval of one month.
        Month "month",
        /// An interval of one year.
        Year "year",
    }
}

/// An amount per item and billing period, and the number of items.
///
/// ```
/// use dezky_core::model::{Interval, Price};
/// use dezky_core::names::Currency;
/// let price = Price::new(4900, Currency::new("EUR")?, Interval::Month, 1, 3)?;
/// assert_eq!(price.amount(), 4900);
/// assert!(Price::new(-1, Currency::new("EUR")?, Interval::Month, 1, 3).is_err());
/// # Ok::<(), dezky_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct Price {
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    amount: i64,
    currency: Currency,
    interval: Interval,
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1_095)))]
    interval_count: i64,
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = i32::MAX)))]
    quantity: i64,
}

impl Price {
    const AMOUNTS: RangeInclusive<i64> = 0..=i64::MAX;
    /// The upper bound is three years in days, the longest period that Stripe allows.
    const INTERVAL_COUNTS: RangeInclusive<i64> = 1..=1_095;
    const QUANTITIES: RangeInclusive<i64> = 0..=i32::MAX as i64;

    /// Creates a price: `quantity` items at `amount` minor units each, every `interval_count`
    /// intervals. A number out of range is `invalid_number`.
    pub fn new(
        amount: i64,
        currency: Currency,
        interval: Interval,
        interval_count: i64,
        quantity: i64,
    ) -> Result<Price, Error> {
        let checks = [
            (Price::AMOUNTS.contains(&amount), "/amount"),
            (Price::INTERVAL_COUNTS.contains(&interval_count), "/intervalCount"),
            (Price::QUANTITIES.contains(&quantity), "/quantity"),
        ];
        let wrong = checks.into_iter().filter(|(good, _)| !good);
        let problems = wrong.map(|(_, path)| Error::new(Code::InvalidNumber, path)).collect();
        Error::unless_clean(problems, Price { amount, currency, interval, interval_count, quantity })
    }

    /// Returns the minor units for one item and billing period.
    pub fn amount(&self) -> i64 {
        self.amount
    }

    /// Returns the currency of the amount.
    pub fn currency(&self) -> &Currency {
        &self.currency
    }

    /// Returns the unit of the billing period.
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// Returns the number of intervals in a billing period.
    pub fn interval_count(&self) -> i64 {
        self.interval_count
    }

    /// Returns the number of items.
    pub fn quantity(&self) -> i64 {
        self.quantity
    }
}

decode_objects! {
    Price {
        amount: required_whole("amount", Price::AMOUNTS),
        currency: required("currency"),
        interval: required("interval"),
        interval_count: whole_or("intervalCount", Price::INTERVAL_COUNTS, 1),
        quantity: whole_or("quantity", Price::QUANTITIES, 1),
    }
}
