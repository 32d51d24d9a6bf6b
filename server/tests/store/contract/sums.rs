//! Sums of money: exact, and rounded once, by core.

use std::collections::{BTreeMap, BTreeSet};

use dezky_core::model::{
    Interval, Price, Subscription, SubscriptionStatus, Tenant, monthly_recurring_revenue,
};
use dezky_core::names::{Currency, Id, PlanKey};
use dezky_server::store::{Money, StoreError};

use super::DataLocation;
use crate::records::*;

/// A deterministic pseudo-random generator.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn expected<'s>(subscriptions: impl Iterator<Item = &'s Subscription>) -> Money {
    let sums = monthly_recurring_revenue(subscriptions).unwrap();
    sums.into_iter().map(|(currency, sum)| (currency.to_string(), sum)).collect()
}

fn any_subscription(numbers: &mut Numbers, number: usize) -> Subscription {
    let amount = match numbers.below(4) {
        0 => numbers.below(10) as i64,
        1 => (numbers.below(1 << 30) << 12) as i64,
        _ => numbers.below(100_000) as i64,
    };
    let currency = Currency::new(["EUR", "SEK", "USD"][numbers.below(3) as usize]).unwrap();
    let interval = Interval::ALL[numbers.below(4) as usize];
    let price = Price::new(
        amount,
        currency,
        interval,
        [1, 2, 3, 7, 1_095][numbers.below(5) as usize],
        numbers.below(50) as i64,
    );
    let mut subscription = subscription(number, &id(&format!("t{}", numbers.below(30))), price.unwrap());
    let statuses = [
        SubscriptionStatus::Active,
        SubscriptionStatus::PastDue,
        SubscriptionStatus::Canceled,
        SubscriptionStatus::Trialing,
    ];
    subscription.status = statuses[numbers.below(4) as usize].clone();
    subscription.plan = PlanKey::new(["free", "business"][numbers.below(2) as usize]).unwrap();
    subscription
}

pub async fn sums_equal_the_sums_of_core(location: DataLocation) {
    let store = location.open();
    let partners: Vec<Id> = (0..5).map(|number| id(&format!("p{number}"))).collect();
    let tenants: Vec<Tenant> = (0..30)
        .map(|number| {
            let mut tenant = tenant(number);
            tenant.partner_id = partners.get(number % 7).filter(|_| number % 7 < 4).cloned();
            if number % 5 == 0 {
                tenant.terminate(at(0)).unwrap();
            }
            tenant
        })
        .collect();
    store.write(write(tenants.iter().map(created))).await.unwrap();
    let partner_of = |each: &Subscription| {
        tenants
            .iter()
            .find(|tenant| *tenant.id() == each.tenant_id)
            .and_then(|tenant| tenant.partner_id.clone())
    };
    let mut numbers = Numbers(4);
    let mut all: Vec<Subscription> = Vec::new();
    for round in 0..12 {
        let more: Vec<_> =
            (0..25).map(|number| any_subscription(&mut numbers, round * 25 + number)).collect();
        store.write(write(more.iter().map(created))).await.unwrap();
        all.extend(more);
        let revenue = store.revenue().await.unwrap();
        assert_eq!(revenue.total, expected(all.iter()));
        for plan in ["free", "business"] {
            assert_eq!(revenue.by_plan[plan], expected(all.iter().filter(|each| each.plan.as_str() == plan)));
        }
        let customers = store.customers(partners.clone()).await.unwrap();
        let mut with_any = BTreeSet::new();
        for partner in &partners {
            let own = all.iter().filter(|each| partner_of(each).as_ref() == Some(partner));
            let sums = expected(own);
            let customer = customers.get(partner).cloned().unwrap_or_default();
            assert_eq!(
                (&customer.mrr, revenue.by_partner.get(partner.as_str()).cloned().unwrap_or_default()),
                (&sums, sums.clone())
            );
            let count = tenants.iter().filter(|tenant| {
                tenant.partner_id.as_ref() == Some(partner) && tenant.status().as_str() != "terminated"
            });
            assert_eq!(customer.count, count.count() as u64);
            with_any.extend((!sums.is_empty()).then(|| partner.to_string()));
        }
        assert_eq!(revenue.by_partner.keys().cloned().collect::<BTreeSet<_>>(), with_any);
    }
    assert_eq!(store.customers(Vec::new()).await.unwrap(), BTreeMap::new());
    let one = store.customers(vec![partners[1].clone()]).await.unwrap();
    assert_eq!(one.keys().collect::<Vec<_>>(), [&partners[1]]);
}

pub async fn an_overflow_is_an_error(location: DataLocation) {
    let largest =
        |quantity| Price::new(i64::MAX, Currency::new("EUR").unwrap(), Interval::Month, 1, quantity).unwrap();
    let store = location.open();
    let mut tenant = tenant(1);
    tenant.partner_id = Some(id("p1"));
    let first = subscription(1, tenant.id(), largest(1));
    store.write(write([created(&tenant), created(&first)])).await.unwrap();
    assert_eq!(store.revenue().await.unwrap().total["EUR"], i64::MAX);
    // An overflow of the sum, of a product, and of the total of several intervals.
    let daily = Price::new(i64::MAX, Currency::new("EUR").unwrap(), Interval::Day, 1, 1).unwrap();
    for price in [price(1), largest(2), daily] {
        let second = subscription(2, tenant.id(), price);
        store.write(write([created(&second)])).await.unwrap();
        assert!(matches!(store.revenue().await, Err(StoreError::Overflow)));
        assert!(matches!(store.customers(vec![id("p1")]).await, Err(StoreError::Overflow)));
        store.write(write([deleted(&second)])).await.unwrap();
    }
    assert_eq!(store.revenue().await.unwrap().total["EUR"], i64::MAX);
}
