//! Monthly recurring revenue: exact until it is rounded, once.

use alloc::collections::BTreeMap;

use super::{Interval, Price, Subscription, SubscriptionStatus};
use crate::names::Currency;
use crate::{Code, Error};

/// Minor units a month by currency, over subscriptions that are active or past due.
///
/// A year is 12 months, 52 weeks or 365 days. Each currency's sum is exact and rounded once, half to even.
///
/// ```
/// use dezky_core::model::{Subscription, monthly_recurring_revenue};
/// use dezky_core::names::Currency;
/// let yearly: Subscription = serde_json::from_str(r#"{
///     "id": "s1", "tenantId": "t1", "plan": "business", "status": "active",
///     "price": { "amount": 1000, "currency": "EUR", "interval": "year" }
/// }"#).unwrap();
/// let mrr = monthly_recurring_revenue(&[yearly])?;
/// assert_eq!(mrr[&Currency::new("EUR")?], 83);
/// # Ok::<(), dezky_core::Error>(())
/// ```
pub fn monthly_recurring_revenue<'s>(
    subscriptions: impl IntoIterator<Item = &'s Subscription>,
) -> Result<BTreeMap<Currency, i64>, Error> {
    let mut sums: BTreeMap<Currency, Sum> = BTreeMap::new();
    for subscription in subscriptions {
        if let SubscriptionStatus::Active | SubscriptionStatus::PastDue = subscription.status {
            let price = &subscription.price;
            sums.entry(price.currency().clone()).or_default().add(price).ok_or_else(overflow)?;
        }
    }
    let round = |(currency, sum): (Currency, Sum)| Ok((currency, sum.rounded().ok_or_else(overflow)?));
    sums.into_iter().map(round).collect()
}

fn overflow() -> Error {
    Error::new(Code::MrrOverflow, "")
}

/// A sum of non-negative fractions. Whole part and fraction are kept apart, so that only the common denominator can grow.
struct Sum {
    whole: i128,
    numerator: i128,
    denominator: i128,
}

impl Default for Sum {
    fn default() -> Sum {
        Sum { whole: 0, numerator: 0, denominator: 1 }
    }
}

impl Sum {
    fn add(&mut self, price: &Price) -> Option<()> {
        let periods_per_year = match price.interval() {
            Interval::Day => 365,
            Interval::Week => 52,
            Interval::Month => 12,
            Interval::Year => 1,
        };
        let numerator = i128::from(price.amount()) * i128::from(price.quantity()) * periods_per_year;
        let denominator = 12 * i128::from(price.interval_count());
        self.whole = self.whole.checked_add(numerator / denominator)?;
        self.add_fraction(numerator % denominator, denominator)
    }

    fn add_fraction(&mut self, numerator: i128, denominator: i128) -> Option<()> {
        let scale = denominator / gcd(self.denominator, denominator);
        let common = self.denominator.checked_mul(scale)?;
        let sum =
            self.numerator.checked_mul(scale)?.checked_add(numerator.checked_mul(common / denominator)?)?;
        let shared = gcd(sum % common, common);
        self.whole = self.whole.checked_add(sum / common)?;
        (self.numerator, self.denominator) = (sum % common / shared, common / shared);
        Some(())
    }

    fn rounded(&self) -> Option<i64> {
        let doubled = self.numerator.checked_mul(2)?;
        let up = match doubled.cmp(&self.denominator) {
            core::cmp::Ordering::Less => 0,
            core::cmp::Ordering::Equal => self.whole % 2,
            core::cmp::Ordering::Greater => 1,
        };
        self.whole.checked_add(up)?.try_into().ok()
    }
}

/// The greatest common divisor; of 0 and `b` it is `b`.
fn gcd(a: i128, b: i128) -> i128 {
    if a == 0 { b } else { gcd(b % a, a) }
}
