//! How many pairs a plan has, by plan and by partner.

use alloc::{collections::BTreeMap, vec::Vec};

use serde::Serialize;

use super::population::Population;

/// What a plan's tenants gain and lose: `{ plan, gained, lost }`.
///
/// ```
/// let total = dezky_core::world::PlanTotal { plan: "business", gained: 3, lost: 0 };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct PlanTotal<'w> {
    /// The plan.
    #[cfg_attr(feature = "schema", schemars(with = "crate::names::PlanKey"))]
    pub plan: &'w str,
    /// Pairs that turn on.
    pub gained: u64,
    /// Pairs that turn off.
    pub lost: u64,
}

/// What a partner's tenants gain and lose: `{ partnerSlug, gained, lost }`.
///
/// ```
/// let total = dezky_core::world::PartnerTotal { partner_slug: Some("nordic"), gained: 3, lost: 0 };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct PartnerTotal<'w> {
    /// The partner; `None` for tenants without one.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::names::Slug>"))]
    pub partner_slug: Option<&'w str>,
    /// Pairs that turn on.
    pub gained: u64,
    /// Pairs that turn off.
    pub lost: u64,
}

pub(super) fn by_plan<'w>(
    population: &'w Population,
    gained: &[(u32, u32)],
    lost: &[(u32, u32)],
) -> Vec<PlanTotal<'w>> {
    let totals = count(gained, lost, |tenant| population.plan_and_partner(tenant).0);
    totals.into_iter().map(|(plan, [gained, lost])| PlanTotal { plan, gained, lost }).collect()
}

pub(super) fn by_partner<'w>(
    population: &'w Population,
    gained: &[(u32, u32)],
    lost: &[(u32, u32)],
) -> Vec<PartnerTotal<'w>> {
    let totals = count(gained, lost, |tenant| population.plan_and_partner(tenant).1);
    totals
        .into_iter()
        .map(|(partner_slug, [gained, lost])| PartnerTotal { partner_slug, gained, lost })
        .collect()
}

fn count<K: Ord>(
    gained: &[(u32, u32)],
    lost: &[(u32, u32)],
    group: impl Fn(u32) -> K,
) -> BTreeMap<K, [u64; 2]> {
    let mut totals: BTreeMap<K, [u64; 2]> = BTreeMap::new();
    for &(_, tenant) in gained {
        let [gained, _] = totals.entry(group(tenant)).or_default();
        *gained += 1;
    }
    for &(_, tenant) in lost {
        let [_, lost] = totals.entry(group(tenant)).or_default();
        *lost += 1;
    }
    totals
}
