//! Prices: how much, and how often.

use core::ops::RangeInclusive;

use serde::Serialize;

use crate::json::decode_objects;
use crate::names::Currency;
use crate::names::words;
use crate::{Code, Error};

words! {
    /// The unit of a billing period.
    ///
    /// ```
    /// assert_eq!(dezky_core::model::Interval::Year.as_str(), "year");
    /// ```
    Interval: UnknownInterval {
        /// A day.
        Day "day",
        /// A week.
        Week "week",
        /// A month.
        Month "month",
        /// A year.
        Year "year",
    }
}

/// How much, and how often.
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
    /// Stripe allows three years at most, which is 1,095 days.
    const INTERVAL_COUNTS: RangeInclusive<i64> = 1..=1_095;
    const QUANTITIES: RangeInclusive<i64> = 0..=i32::MAX as i64;

    /// An amount of minor units per item, so many items, every so many intervals.
    ///
    /// ```
    /// # use dezky_core::model::{Interval, Price};
    /// # use dezky_core::names::Currency;
    /// let error = Price::new(1, Currency::new("EUR")?, Interval::Month, 0, 1).unwrap_err();
    /// assert_eq!(error.path, "/intervalCount");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
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

    /// Minor units for one item and period.
    ///
    /// ```
    /// # use dezky_core::model::{Interval, Price};
    /// # use dezky_core::names::Currency;
    /// assert_eq!(Price::new(4900, Currency::new("EUR")?, Interval::Month, 1, 1)?.amount(), 4900);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn amount(&self) -> i64 {
        self.amount
    }

    /// What the amount is in.
    ///
    /// ```
    /// # use dezky_core::model::{Interval, Price};
    /// # use dezky_core::names::Currency;
    /// assert_eq!(Price::new(4900, Currency::new("EUR")?, Interval::Month, 1, 1)?.currency().as_str(), "EUR");
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn currency(&self) -> &Currency {
        &self.currency
    }

    /// The unit of the billing period.
    ///
    /// ```
    /// # use dezky_core::model::{Interval, Price};
    /// # use dezky_core::names::Currency;
    /// assert_eq!(Price::new(4900, Currency::new("EUR")?, Interval::Month, 1, 1)?.interval(), Interval::Month);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// How many intervals a billing period has.
    ///
    /// ```
    /// # use dezky_core::model::{Interval, Price};
    /// # use dezky_core::names::Currency;
    /// assert_eq!(Price::new(4900, Currency::new("EUR")?, Interval::Month, 3, 1)?.interval_count(), 3);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
    pub fn interval_count(&self) -> i64 {
        self.interval_count
    }

    /// How many items are paid for.
    ///
    /// ```
    /// # use dezky_core::model::{Interval, Price};
    /// # use dezky_core::names::Currency;
    /// assert_eq!(Price::new(4900, Currency::new("EUR")?, Interval::Month, 1, 12)?.quantity(), 12);
    /// # Ok::<(), dezky_core::Error>(())
    /// ```
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
