//! Random steps: edits of flags, changes of tenants and partners, and restarts.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::records::*;

pub const FLAGS: usize = 4;
pub const PLANS: [&str; 3] = ["free", "business", "enterprise"];
pub const PARTNERS: [&str; 3] = ["partner-000", "partner-001", "partner-002"];
pub const ENVIRONMENTS: [&str; 2] = ["production", "staging"];
pub const MAX_TENANTS: usize = 7;

/// A step of a history. Tenant numbers wrap around the number of existing tenants.
#[derive(Debug, Clone)]
pub enum Step {
    PutFlags(Vec<(usize, Content)>),
    DeleteFlag(usize),
    KillFlag(usize),
    DescribeFlag(usize),
    AddTenant(usize),
    ChangePlan(usize, usize),
    ChangePartner(usize, Option<usize>),
    RenameTenant(usize),
    RenamePartner(usize),
    SuspendTenant(usize),
    Restart,
}

/// A flag's state, its percentage in hundredths, and the values that each axis lists, as bits.
pub type Content = (usize, u64, [u8; 4]);

fn content() -> impl Strategy<Value = Content> {
    // Most axes are empty, so that many flags match a tenant.
    let axis = || prop_oneof![3 => Just(0_u8), 2 => any::<u8>()];
    (0..4_usize, prop_oneof![Just(0), Just(5_000), 0..=10_000_u64], [axis(), axis(), axis(), axis()])
}

pub fn step() -> impl Strategy<Value = Step> {
    let some = 0..100_usize;
    prop_oneof![
        6 => proptest::collection::vec((0..FLAGS, content()), 1..3).prop_map(Step::PutFlags),
        1 => (0..FLAGS).prop_map(Step::DeleteFlag),
        1 => (0..FLAGS).prop_map(Step::KillFlag),
        1 => (0..FLAGS).prop_map(Step::DescribeFlag),
        1 => (0..PLANS.len()).prop_map(Step::AddTenant),
        2 => (some.clone(), 0..PLANS.len()).prop_map(|(tenant_index, plan)| Step::ChangePlan(tenant_index, plan)),
        2 => (some.clone(), proptest::option::of(0..PARTNERS.len()))
            .prop_map(|(tenant_index, partner)| Step::ChangePartner(tenant_index, partner)),
        1 => some.clone().prop_map(Step::RenameTenant),
        1 => (0..PARTNERS.len()).prop_map(Step::RenamePartner),
        1 => some.prop_map(Step::SuspendTenant),
        1 => Just(Step::Restart),
    ]
}

pub fn content_json((state, hundredths, axes): &Content) -> Value {
    let tenants: Vec<String> = (0..MAX_TENANTS).map(|number| tenant(number).slug().to_string()).collect();
    let listed = |axis: usize, names: Vec<&str>| -> Vec<String> {
        let is_listed = |index: &usize| axes[axis] & (1 << index) != 0;
        (0..names.len()).filter(is_listed).map(|index| names[index].to_owned()).collect()
    };
    let state = ["off", "on", "targeted", "rollout"][*state];
    json!({
        "state": state,
        "pct": *hundredths as f64 / 100.0,
        "scope": {
            "plans": listed(0, PLANS.to_vec()),
            "tenantSlugs": listed(1, tenants.iter().map(String::as_str).collect()),
            "partnerSlugs": listed(2, PARTNERS.to_vec()),
            "environments": listed(3, ENVIRONMENTS.to_vec()),
        },
    })
}
