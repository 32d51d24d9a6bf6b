//! The totals of a plan by subscription plan and by partner (specification section 11.4).

use alloc::{collections::BTreeMap, vec::Vec};

use serde::Serialize;

use super::population::Population;

/// The pairs that the tenants of one subscription plan gain and lose: `{ plan, gained, lost }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
pub struct PlanTotal<'w> {
    /// The subscription plan of the tenants.
    #[cfg_attr(feature = "schema", schemars(with = "crate::names::PlanKey"))]
    pub plan: &'w str,
    /// The number of pairs that turn on.
    pub gained: u64,
    /// The number of pairs that turn off.
    pub lost: u64,
}

/// The pairs that the tenants of one partner gain and lose: `{ partnerSlug, gained, lost }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::tidy))]
#[serde(rename_all = "camelCase")]
pub struct PartnerTotal<'w> {
    /// The slug of the partner, or `None` for tenants without a partner.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::names::Slug>"))]
    pub partner_slug: Option<&'w str>,
    /// The number of pairs that turn on.
    pub gained: u64,
    /// The number of pairs that turn off.
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
