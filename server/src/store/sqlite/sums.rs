//! Sums the revenue of subscriptions: SQLite adds exact integers, and core converts to months and
//! rounds once.

use std::collections::BTreeMap;

use dezky_core::Code;
use dezky_core::model::{
    Interval, Periods, Price, Revisioned, StripeIds, Subscription, SubscriptionStatus,
    monthly_recurring_revenue,
};
use dezky_core::names::{Currency, Id, PlanKey};
use rusqlite::{Connection, Params};

use super::{broken, failure, ids_text};
use crate::store::{Customers, Money, Revenue, StoreError};

const SUMS: &str = "currency, interval, interval_count, sum(amount * quantity)";

const COUNTED: &str = "subscriptions.status IN ('active', 'past_due')";

/// For each plan or partner, one subscription per currency and interval, with the summed price.
type Grouped = BTreeMap<String, Vec<Subscription>>;

/// Sums the revenue in total, by plan, and by partner.
pub(super) fn revenue(connection: &Connection) -> Result<Revenue, StoreError> {
    let by = |column: &str, from: &str| {
        format!(
            "SELECT {column}, {SUMS} FROM {from} WHERE {COUNTED} GROUP BY 1, currency, interval, interval_count"
        )
    };
    let total = grouped(connection, &by("''", "subscriptions"), [])?;
    let by_plan = grouped(connection, &by("subscriptions.plan", "subscriptions"), [])?;
    let joined = "subscriptions JOIN tenants ON tenants.id = tenant_id AND partner_id IS NOT NULL";
    let by_partner = grouped(connection, &by("partner_id", joined), [])?;
    Ok(Revenue {
        total: money(total)?.remove("").unwrap_or_default(),
        by_plan: money(by_plan)?,
        by_partner: money(by_partner)?,
    })
}

/// Counts the tenants of these partners, and sums their revenue.
pub(super) fn customers(
    connection: &Connection,
    partners: &[Id],
) -> Result<BTreeMap<Id, Customers>, StoreError> {
    let ids = ids_text(partners)?;
    let mut found: BTreeMap<Id, Customers> = BTreeMap::new();
    let sql = "SELECT partner_id, count(*) FROM tenants \
               WHERE partner_id IN (SELECT value FROM json_each(?1)) AND status <> 'terminated' GROUP BY partner_id";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let count = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?));
    for row in statement.query_map([&ids], count).map_err(failure)? {
        let (id, count) = row.map_err(failure)?;
        found.entry(Id::new(&id).map_err(broken)?).or_default().count = count;
    }
    let sql = format!(
        "SELECT partner_id, {SUMS} FROM tenants JOIN subscriptions ON tenant_id = tenants.id \
         WHERE {COUNTED} AND partner_id IN (SELECT value FROM json_each(?1)) GROUP BY 1, currency, interval, interval_count"
    );
    for (id, mrr) in money(grouped(connection, &sql, [&ids])?)? {
        found.entry(Id::new(&id).map_err(broken)?).or_default().mrr = mrr;
    }
    Ok(found)
}

fn grouped(connection: &Connection, sql: &str, row: impl Params) -> Result<Grouped, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let mut rows = statement.query(row).map_err(failure)?;
    let mut grouped = Grouped::new();
    while let Some(row) = rows.next().map_err(overflow)? {
        let text = |index: usize| row.get::<_, String>(index).map_err(failure);
        // SQLite turns a product that overflows into a float.
        let rusqlite::types::Value::Integer(amount) = row.get(4).map_err(failure)? else {
            return Err(StoreError::Overflow);
        };
        let (name, currency, interval) = (text(0)?, text(1)?, text(2)?);
        let currency = Currency::new(&currency).map_err(broken)?;
        let interval = Interval::ALL.iter().copied().find(|each| each.as_str() == interval);
        let interval = interval
            .ok_or_else(|| StoreError::Broken("a subscription has an unknown interval".to_owned()))?;
        let price =
            Price::new(amount, currency, interval, row.get(3).map_err(failure)?, 1).map_err(broken)?;
        grouped.entry(name).or_default().push(summed_subscription(price)?);
    }
    Ok(grouped)
}

fn overflow(error: rusqlite::Error) -> StoreError {
    match &error {
        rusqlite::Error::SqliteFailure(_, Some(message)) if message.contains("integer overflow") => {
            StoreError::Overflow
        }
        _ => failure(error),
    }
}

fn summed_subscription(price: Price) -> Result<Subscription, StoreError> {
    Ok(Subscription {
        id: Id::new("all").map_err(broken)?,
        tenant_id: Id::new("all").map_err(broken)?,
        plan: PlanKey::new("all").map_err(broken)?,
        status: SubscriptionStatus::Active,
        price,
        stripe: StripeIds::default(),
        periods: Periods::default(),
        revisioned: Revisioned::default(),
    })
}

fn money(grouped: Grouped) -> Result<BTreeMap<String, Money>, StoreError> {
    let sum = |(name, subscriptions): (String, Vec<Subscription>)| match monthly_recurring_revenue(
        &subscriptions,
    ) {
        Ok(sums) => Ok((name, sums.into_iter().map(|(currency, sum)| (currency.to_string(), sum)).collect())),
        Err(error) if error.code == Code::MrrOverflow => Err(StoreError::Overflow),
        Err(error) => Err(broken(error)),
    };
    grouped.into_iter().map(sum).collect()
}
