//! Properties of worlds: plans and ladders agree with the evaluation of every flag for every
//! tenant.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{PARTNERS, Parts, edit, partners, parts, percent, production, rules};
use dezky_core::Code;
use dezky_core::flags::{FlagRule, Ruleset, Snapshot, State, Subject};
use dezky_core::model::TenantStatus;
use dezky_core::names::{Environment, FlagKey, Id, Percent, PlanKey};
use dezky_core::world::{Edit, EditStep, PartnerMove, World, WorldTenant};
use proptest::prelude::*;

/// All pairs of a flag and a registered tenant that are on, by evaluating every flag for every
/// tenant.
fn everything_on(parts: &Parts) -> BTreeSet<(String, String)> {
    let rules = Ruleset::new(Snapshot::new(1, production(), parts.flags.clone()).unwrap());
    let mut on = BTreeSet::new();
    for tenant in parts.tenants.iter().filter(|tenant| tenant.status != TenantStatus::Terminated) {
        let id = tenant.id.as_str();
        for (key, enabled) in rules.evaluate_all(&subject(tenant)).iter() {
            if enabled {
                on.insert((key.to_owned(), id.to_owned()));
            }
        }
    }
    on
}

fn partner_slug(tenant: &WorldTenant) -> Option<&'static str> {
    tenant
        .partner_id
        .as_ref()
        .map(|id| PARTNERS[id.as_str().trim_start_matches('p').parse::<usize>().unwrap()])
}

fn subject(tenant: &WorldTenant) -> Subject<'_> {
    let subject = Subject::new(tenant.id.as_str(), tenant.slug.as_str(), tenant.plan.as_str()).unwrap();
    partner_slug(tenant).map_or(subject, |slug| subject.with_partner(slug).unwrap())
}

/// Applies an edit to the parts.
fn edited(parts: &Parts, edit: &Edit) -> Parts {
    let mut after = parts.clone();
    for step in edit.steps() {
        match step {
            EditStep::PutFlag(flag) => {
                after.flags.retain(|other| other.key != flag.key);
                after.flags.push(flag.clone());
            }
            EditStep::PatchFlag(key, patch) => {
                let flag = after.flags.iter_mut().find(|flag| flag.key == *key).unwrap();
                *flag = patch.merged_rule(flag);
            }
            EditStep::DeleteFlag(key) => after.flags.retain(|flag| flag.key != *key),
            EditStep::MoveTenant(to) => {
                let tenant = after.tenants.iter_mut().find(|tenant| tenant.id == to.tenant_id).unwrap();
                tenant.plan = to.plan.clone().unwrap_or(tenant.plan.clone());
                tenant.partner_id = match &to.partner {
                    PartnerMove::Keep => tenant.partner_id.clone(),
                    PartnerMove::Detach => None,
                    PartnerMove::Attach(slug) => {
                        let number = PARTNERS.iter().position(|partner| *partner == slug.as_str()).unwrap();
                        Some(Id::new(&format!("p{number}")).unwrap())
                    }
                };
            }
        }
    }
    after
}

fn parts_and_edit() -> impl Strategy<Value = (Parts, Edit)> {
    parts().prop_flat_map(|parts| edit(&parts).prop_map(move |edit| (parts.clone(), edit)))
}

proptest! {
    #[test]
    fn a_plan_is_the_difference_of_two_evaluations((parts, edit) in parts_and_edit()) {
        let plan = parts.world().plan(&edit).unwrap();
        let (before, after) = (everything_on(&parts), everything_on(&edited(&parts, &edit)));
        let owned = |pair: dezky_core::world::PlanPair<'_>| (pair.key.to_owned(), pair.tenant_id.to_owned());
        let gained: Vec<_> = plan.gained().map(owned).collect();
        let lost: Vec<_> = plan.lost().map(owned).collect();
        prop_assert_eq!(&gained, &after.difference(&before).cloned().collect::<Vec<_>>());
        prop_assert_eq!(&lost, &before.difference(&after).cloned().collect::<Vec<_>>());

        let tenant = |id: &str| parts.tenants.iter().find(|tenant| tenant.id.as_str() == id).unwrap();
        let mut by_plan: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
        let mut by_partner: BTreeMap<Option<&str>, [u64; 2]> = BTreeMap::new();
        for (side, pairs) in [&gained, &lost].into_iter().enumerate() {
            for (_, id) in pairs {
                by_plan.entry(tenant(id).plan.as_str()).or_default()[side] += 1;
                by_partner.entry(partner_slug(tenant(id))).or_default()[side] += 1;
            }
        }
        let plans: Vec<_> = plan.by_plan().iter().map(|row| (row.plan, [row.gained, row.lost])).collect();
        prop_assert_eq!(plans, by_plan.into_iter().collect::<Vec<_>>());
        let partners: Vec<_> = plan.by_partner().iter().map(|row| (row.partner_slug, [row.gained, row.lost])).collect();
        prop_assert_eq!(partners, by_partner.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn replacing_flags_equals_a_new_world(
        (parts, edit) in parts_and_edit(),
        others in rules(5, 30),
    ) {
        let new = parts.world();
        let first = World::new(3, production(), parts.tenants.clone(), partners(), others).unwrap();
        let replaced = first.with_flags(7, parts.flags.clone()).unwrap();
        prop_assert_eq!(replaced.revision(), new.revision());
        prop_assert_eq!(replaced.registered(), new.registered());
        prop_assert_eq!(replaced.fingerprint(), new.fingerprint());
        let (plan, expected) = (replaced.plan(&edit).unwrap(), new.plan(&edit).unwrap());
        prop_assert_eq!(serde_json::to_value(&plan).unwrap(), serde_json::to_value(&expected).unwrap());
    }

    #[test]
    fn the_digest_of_a_plan_changes_only_with_its_effect((parts, edit) in parts_and_edit()) {
        let plan = parts.world().plan(&edit).unwrap();
        let later = World::new(8, production(), parts.tenants.clone(), partners(), parts.flags.clone()).unwrap();
        let later = later.plan(&edit).unwrap();
        prop_assert_eq!(later.digest(), plan.digest());
        prop_assert_eq!(later.base_revision(), 8);
        // After the edit is made, the same edit has another effect.
        let again = edited(&parts, &edit).world().plan(&edit);
        if let Ok(again) = &again && plan.gained().len() + plan.lost().len() > 0 {
            prop_assert_ne!(again.digest(), plan.digest());
        }
    }

    #[test]
    fn a_ladder_agrees_with_evaluation(parts in parts(), pct in percent()) {
        let world = parts.world();
        for flag in &parts.flags {
            let key = flag.key.as_str();
            let ladder = world.ladder(key).unwrap();
            let steps: Vec<_> = ladder.steps().collect();
            prop_assert!(steps.windows(2).all(|pair| (pair[0].position, pair[0].tenant_id) < (pair[1].position, pair[1].tenant_id)));
            for pct in [pct, Percent::ZERO, Percent::FULL] {
                let rollout = FlagRule { state: State::Rollout, pct, ..flag.clone() };
                let on = everything_on(&Parts { flags: vec![rollout], ..parts.clone() });
                let on: BTreeSet<_> = on.iter().map(|(_, id)| id.as_str()).collect();
                let included: BTreeSet<_> = steps.iter().filter(|step| step.pct <= pct).map(|step| step.tenant_id).collect();
                prop_assert_eq!(on, included);
            }
            let counts = world.counts(key).unwrap();
            prop_assert_eq!(counts.in_scope, steps.len());
            prop_assert_eq!(counts.registered, world.registered());
            let on = everything_on(&Parts { flags: vec![flag.clone()], ..parts.clone() });
            prop_assert_eq!(counts.on, on.len());
        }
    }

    #[test]
    fn a_world_and_a_ruleset_have_the_same_fingerprint(parts in parts()) {
        let rules = Ruleset::new(Snapshot::new(1, production(), parts.flags.clone()).unwrap());
        let registered = parts.tenants.iter().filter(|tenant| tenant.status != TenantStatus::Terminated);
        let subjects: Vec<_> = registered.map(subject).collect();
        prop_assert_eq!(parts.world().fingerprint(), rules.fingerprint(&subjects));
    }
}

#[test]
fn a_world_reports_all_contradictions() {
    let document = br#"{ "revision": 1, "environment": "production",
        "partners": [{ "id": "p1", "slug": "nordic" }, { "id": "p1", "slug": "nordic" }],
        "tenants": [{ "id": "t1", "slug": "acme", "plan": "free", "status": "terminated" },
                    { "id": "t1", "slug": "acme", "plan": "free", "partnerId": "p2" }],
        "flags": [{ "key": "a", "state": "on" }, { "key": "a", "state": "off" }] }"#;
    let error = World::from_json(document).unwrap_err();
    let all: Vec<_> = error.all().map(|each| (each.code, each.path.as_str())).collect();
    assert_eq!(
        all,
        [
            (Code::DuplicateId, "/partners/1/id"),
            (Code::DuplicateSlug, "/partners/1/slug"),
            (Code::DuplicateId, "/tenants/1/id"),
            (Code::DuplicateSlug, "/tenants/1/slug"),
            (Code::UnknownPartner, "/tenants/1/partnerId"),
            (Code::DuplicateFlag, "/flags/1/key"),
        ]
    );
}

#[test]
fn an_invalid_edit_reports_all_problems() {
    let parts = Parts { tenants: Vec::new(), flags: Vec::new() };
    let key = || FlagKey::new("a").unwrap();
    let unknown = || Id::new("t9").unwrap();
    let edit = Edit::delete_flag(key())
        .and(Edit::move_to_plan(unknown(), PlanKey::new("free").unwrap()))
        .and(Edit::move_to_partner(
            unknown(),
            PartnerMove::Attach(dezky_core::names::Slug::new("unknown").unwrap()),
        ));
    let error = parts.world().plan(&edit).unwrap_err();
    let all: Vec<_> = error.all().map(|each| (each.code, each.path.as_str())).collect();
    assert_eq!(
        all,
        [
            (Code::UnknownFlag, "/edits/0/key"),
            (Code::UnknownTenant, "/edits/1/tenantId"),
            (Code::UnknownPartner, "/edits/2/partnerSlug"),
            (Code::UnknownTenant, "/edits/2/tenantId"),
        ]
    );
}

#[test]
fn a_world_of_values_has_the_limits_of_a_document() {
    let none: Vec<WorldTenant> = Vec::new();
    let flags: Vec<FlagRule> = Vec::new();
    let too_high = World::new(1 << 53, Environment::new("production").unwrap(), none, partners(), flags);
    assert_eq!(too_high.unwrap_err().code, Code::InvalidRevision);
}

#[test]
fn replaced_flags_are_checked_like_those_of_a_new_world() {
    let world = World::new(1, production(), [] as [WorldTenant; 0], partners(), [] as [FlagRule; 0]).unwrap();
    let flag = || FlagRule {
        key: FlagKey::new("a").unwrap(),
        state: State::On,
        pct: Percent::ZERO,
        scope: Default::default(),
    };
    let error = world.with_flags((1 << 53) + 1, [flag(), flag()]).unwrap_err();
    let found: Vec<_> = error.all().map(|each| (each.code, each.path.as_str())).collect();
    assert_eq!(found, [(Code::InvalidRevision, "/revision"), (Code::DuplicateFlag, "/flags/1/key")]);
    assert_eq!(world.counts("a").unwrap_err().code, Code::UnknownFlag);
}
