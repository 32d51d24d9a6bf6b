//! Properties of slices: the same results for one tenant, and no names of other tenants.

use crate::support::{ENVIRONMENTS, PARTNERS, PLANS, id, production, rule, rules, slug};
use dezky_core::flags::{FlagRule, Ruleset, Snapshot, Subject};
use dezky_core::names::Environment;
use proptest::prelude::*;

const TENANTS: usize = 8;

fn subject<'n>((id, slug): (&'n str, &'n str), plan: usize, partner: Option<usize>) -> Subject<'n> {
    let subject = Subject::new(id, slug, PLANS[plan]).unwrap();
    match partner {
        Some(partner) => subject.with_partner(PARTNERS[partner]).unwrap(),
        None => subject,
    }
}

fn snapshot(flags: Vec<FlagRule>) -> Snapshot {
    Snapshot::new(9, production(), flags).unwrap()
}

fn tenant() -> impl Strategy<Value = (usize, usize, Option<usize>, usize)> {
    let partner = proptest::option::of(0..PARTNERS.len());
    (0..TENANTS, 0..PLANS.len(), partner, 0..ENVIRONMENTS.len())
}

proptest! {
    #[test]
    fn a_slice_evaluates_like_the_whole_snapshot(
        flags in rules(24, TENANTS),
        (number, plan, partner, environment) in tenant(),
        another_plan in 0..PLANS.len(),
    ) {
        let (id, own) = (id(number), slug(number));
        let environment = Environment::new(ENVIRONMENTS[environment]).unwrap();
        let whole = snapshot(flags).in_environment(environment);
        let subject = subject((&id, &own), plan, partner);
        let slice = whole.slice(&subject, 4).unwrap();
        prop_assert_eq!((slice.revision(), slice.environment()), (4, whole.environment()));
        prop_assert_eq!(&slice.slice(&subject, 4).unwrap(), &slice);
        let read = Snapshot::from_json(slice.to_canonical_json().as_bytes()).unwrap();
        let (of_whole, of_slice) = (Ruleset::new(whole), Ruleset::new(read));
        prop_assert_eq!(of_whole.fingerprint(&[subject]), of_slice.fingerprint(&[subject]));
        // A subject with an outdated plan gets the results of the plan for which the slice was
        // made.
        let outdated = Subject::new(&id, &own, PLANS[another_plan]).unwrap();
        for key in of_whole.keys() {
            prop_assert_eq!(of_whole.explain(key, &subject), of_slice.explain(key, &subject));
            prop_assert_eq!(of_whole.explain(key, &subject), of_slice.explain(key, &outdated));
        }
    }

    #[test]
    fn a_slice_names_no_other_tenant(flags in rules(24, TENANTS), (number, plan, partner, _) in tenant()) {
        let (id, own) = (id(number), slug(number));
        let text = snapshot(flags).slice(&subject((&id, &own), plan, partner), 4).unwrap().to_canonical_json();
        for other in (0..TENANTS).map(slug).filter(|other| *other != own) {
            prop_assert!(!text.contains(&format!("\"{other}\"")), "{other} in {text}");
        }
        for name in PARTNERS.iter().chain(&PLANS) {
            prop_assert!(!text.contains(&format!("\"{name}\"")), "{name} in {text}");
        }
    }

    #[test]
    fn a_slice_changes_only_with_the_explanations_of_its_tenant(
        flags in rules(12, TENANTS),
        edited in (0..12_usize).prop_flat_map(|number| rule(format!("flag-{number}"), TENANTS)),
        (number, plan, partner, _) in tenant(),
    ) {
        let (id, own) = (id(number), slug(number));
        let subject = subject((&id, &own), plan, partner);
        let mut after = flags.clone();
        let index = after.iter().position(|rule| rule.key == edited.key).unwrap();
        after[index] = edited.clone();
        let (before, after) = (snapshot(flags), snapshot(after));
        let bytes = |snapshot: &Snapshot| snapshot.slice(&subject, 4).unwrap().to_canonical_json();
        let is_same = bytes(&before) == bytes(&after);
        let key = edited.key.as_str();
        let (before, after) = (Ruleset::new(before), Ruleset::new(after));
        prop_assert_eq!(is_same, before.explain(key, &subject) == after.explain(key, &subject));
    }
}
