//! Random flags, subjects, worlds and edits, from small pools so that names often match.

use dezky_core::flags::{Axis, FlagRule, Scope, State};
use dezky_core::model::TenantStatus;
use dezky_core::names::{Environment, FlagKey, Id, Percent, PlanKey, Slug};
use dezky_core::world::{Edit, PartnerMove, World, WorldPartner, WorldTenant};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

pub const PLANS: [&str; 4] = ["business", "enterprise", "free", "starter"];
pub const PARTNERS: [&str; 3] = ["alpine", "nordic", "pacific"];
pub const ENVIRONMENTS: [&str; 2] = ["production", "staging"];

pub fn production() -> Environment {
    Environment::new("production").unwrap()
}

/// The slug of tenant `number`.
pub fn slug(number: usize) -> String {
    format!("tenant-{number}")
}

/// The id of tenant `number`: 24 hex digits whose order differs from that of the numbers.
pub fn id(number: usize) -> String {
    format!("{:024x}", (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c061) % (1 << 96))
}

pub fn scope(tenants: usize) -> impl Strategy<Value = Scope> {
    let slugs: Vec<String> = (0..tenants).map(slug).collect();
    let few = |list: Vec<String>| subsequence(list, 0..=2);
    let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let or_none = |values: BoxedStrategy<Vec<String>>| prop_oneof![Just(Vec::new()), values].boxed();
    (
        or_none(few(names(&PLANS)).boxed()),
        or_none(subsequence(slugs, 0..=tenants.min(5)).boxed()),
        or_none(few(names(&PARTNERS)).boxed()),
        or_none(subsequence(names(&ENVIRONMENTS), 0..=1).boxed()),
    )
        .prop_map(|(plans, tenants, partners, environments)| {
            let mut scope = Scope::default();
            for (axis, values) in Axis::ALL.into_iter().zip([plans, tenants, partners, environments]) {
                scope = scope.with(axis, values.iter().map(String::as_str)).unwrap();
            }
            scope
        })
}

pub fn percent() -> impl Strategy<Value = Percent> {
    let hundredths = prop_oneof![Just(0), Just(10_000), 0..=10_000_u16];
    hundredths.prop_map(|hundredths| Percent::from_hundredths(hundredths).unwrap())
}

pub fn rule(key: String, tenants: usize) -> impl Strategy<Value = FlagRule> {
    (select(State::ALL), percent(), scope(tenants)).prop_map(move |(state, pct, scope)| FlagRule {
        key: FlagKey::new(&key).unwrap(),
        state,
        pct,
        scope,
    })
}

/// Flags `flag-0`, `flag-1`, … in random order.
pub fn rules(count: usize, tenants: usize) -> impl Strategy<Value = Vec<FlagRule>> {
    (0..count).map(|number| rule(format!("flag-{number}"), tenants)).collect::<Vec<_>>().prop_shuffle()
}

pub fn tenant(number: usize) -> impl Strategy<Value = WorldTenant> {
    let statuses = select(
        &[TenantStatus::Active, TenantStatus::Active, TenantStatus::Suspended, TenantStatus::Terminated][..],
    );
    (select(&PLANS[..]), proptest::option::of(0..PARTNERS.len()), statuses).prop_map(
        move |(plan, partner, status)| WorldTenant {
            id: Id::new(&id(number)).unwrap(),
            slug: Slug::new(&slug(number)).unwrap(),
            plan: PlanKey::new(plan).unwrap(),
            partner_id: partner.map(|partner| Id::new(&format!("p{partner}")).unwrap()),
            status,
        },
    )
}

pub fn partners() -> Vec<WorldPartner> {
    let partner = |(number, slug): (usize, &&str)| WorldPartner {
        id: Id::new(&format!("p{number}")).unwrap(),
        slug: Slug::new(slug).unwrap(),
    };
    PARTNERS.iter().enumerate().map(partner).collect()
}

/// The tenants and flags of a world.
#[derive(Debug, Clone)]
pub struct Parts {
    pub tenants: Vec<WorldTenant>,
    pub flags: Vec<FlagRule>,
}

impl Parts {
    pub fn world(&self) -> World {
        World::new(7, production(), self.tenants.clone(), partners(), self.flags.clone()).unwrap()
    }
}

/// Worlds of up to 30 tenants and 70 flags, which is more than one machine word.
pub fn parts() -> impl Strategy<Value = Parts> {
    (1..30_usize, prop_oneof![0..6_usize, 60..70_usize]).prop_flat_map(|(tenants, flags)| {
        let everyone = (0..tenants).map(tenant).collect::<Vec<_>>();
        (everyone, rules(flags, tenants)).prop_map(|(tenants, flags)| Parts { tenants, flags })
    })
}

/// Edits of one to four steps that are valid for the parts.
pub fn edit(parts: &Parts) -> impl Strategy<Value = Edit> + use<> {
    let count = parts.tenants.len();
    let known: Vec<FlagKey> = parts.flags.iter().map(|flag| flag.key.clone()).collect();
    let registered: Vec<Id> = parts
        .tenants
        .iter()
        .filter(|tenant| tenant.status != TenantStatus::Terminated)
        .map(|tenant| tenant.id.clone())
        .collect();
    let flags = known.len();
    let put = (0..flags + 2)
        .prop_flat_map(move |number| rule(format!("flag-{number}"), count))
        .prop_map(Edit::flag);
    let mut steps = vec![put.boxed()];
    if !known.is_empty() {
        // Each flag is put before it is deleted, because deleting a flag twice in one edit is an
        // error.
        steps.push(
            select(known)
                .prop_flat_map(move |key| (rule(key.as_str().to_owned(), count), Just(key)))
                .prop_map(|(rule, key)| Edit::flag(rule).and(Edit::delete_flag(key)))
                .boxed(),
        );
    }
    if !registered.is_empty() {
        let plan = (select(registered.clone()), select(&PLANS[..]));
        steps.push(plan.prop_map(|(id, plan)| Edit::move_to_plan(id, PlanKey::new(plan).unwrap())).boxed());
        let partner = (select(registered), proptest::option::of(select(&PARTNERS[..])));
        steps.push(
            partner
                .prop_map(|(id, partner)| {
                    let to = partner
                        .map_or(PartnerMove::Detach, |slug| PartnerMove::Attach(Slug::new(slug).unwrap()));
                    Edit::move_to_partner(id, to)
                })
                .boxed(),
        );
    }
    let step = proptest::strategy::Union::new(steps);
    proptest::collection::vec(step, 1..=4).prop_map(|steps| steps.into_iter().reduce(Edit::and).unwrap())
}
