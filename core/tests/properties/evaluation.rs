//! Properties of evaluation: all functions agree, and raising a percentage only adds tenants.

use crate::support::{ENVIRONMENTS, PARTNERS, PLANS, id, percent, production, rules, scope, slug};
use dezky_core::flags::{
    Evaluation, FlagRule, Reason, Ruleset, Snapshot, State, Subject, in_rollout, rollout_position,
};
use dezky_core::names::Percent;
use proptest::prelude::*;

/// The indices of a subject's names in the pools.
#[derive(Debug, Clone)]
struct Names {
    number: usize,
    plan: usize,
    partner: Option<usize>,
    environment: Option<usize>,
}

fn names() -> impl Strategy<Value = Names> {
    let partner = proptest::option::of(0..PARTNERS.len());
    let environment = proptest::option::of(0..ENVIRONMENTS.len());
    (0..12_usize, 0..PLANS.len(), partner, environment)
        .prop_map(|(number, plan, partner, environment)| Names { number, plan, partner, environment })
}

/// Calls back with the subject, which borrows its id and slug.
fn with_subject<T>(names: &Names, run: impl FnOnce(Subject<'_>) -> T) -> T {
    let (id, slug) = (id(names.number), slug(names.number));
    let mut subject = Subject::new(&id, &slug, PLANS[names.plan]).unwrap();
    if let Some(partner) = names.partner {
        subject = subject.with_partner(PARTNERS[partner]).unwrap();
    }
    if let Some(environment) = names.environment {
        subject = subject.with_environment(ENVIRONMENTS[environment]).unwrap();
    }
    run(subject)
}

fn ruleset(flags: Vec<FlagRule>) -> Ruleset {
    Ruleset::new(Snapshot::new(1, production(), flags).unwrap())
}

/// Evaluates a rule as the specification defines it, without compiling.
fn expected_result(rule: &FlagRule, subject: &Subject<'_>) -> bool {
    match rule.state {
        State::Off => false,
        State::On => true,
        State::Targeted => !rule.scope.is_empty() && rule.scope.matches(subject),
        State::Rollout => {
            rule.scope.matches(subject) && in_rollout(subject.tenant_id(), rule.key.as_str(), rule.pct)
        }
    }
}

proptest! {
    #[test]
    fn all_evaluation_functions_agree(flags in (0..140_usize).prop_flat_map(|count| rules(count, 12)), names in names()) {
        let rules = ruleset(flags.clone());
        with_subject(&names, |subject| {
            let resolved = match subject.value(dezky_core::flags::Axis::Environments) {
                Some(_) => subject,
                None => subject.with_environment("production").unwrap(),
            };
            let all = rules.evaluate_all(&subject);
            prop_assert_eq!(all.iter().len(), flags.len());
            for flag in &flags {
                let key = flag.key.as_str();
                let expected = expected_result(flag, &resolved);
                prop_assert_eq!(rules.is_enabled(key, &subject), expected);
                prop_assert_eq!(all.is_enabled(key), expected);
                let explanation = rules.explain(key, &subject);
                prop_assert_eq!(explanation.enabled, expected);
                let on = [Reason::On, Reason::Targeted, Reason::InRollout].contains(&explanation.reason);
                prop_assert_eq!(on, expected);
                prop_assert_eq!(explanation.axis.is_some(), explanation.reason == Reason::OutOfScope);
                let in_scope_of_rollout = [Reason::InRollout, Reason::OutOfRollout].contains(&explanation.reason);
                let position = in_scope_of_rollout.then(|| rollout_position(subject.tenant_id(), key));
                prop_assert_eq!(explanation.position.map(Percent::hundredths), position);
            }
            for (index, (key, enabled)) in all.iter().enumerate() {
                prop_assert_eq!(all.as_bytes()[index / 8] >> (index % 8) & 1 != 0, enabled);
                prop_assert_eq!(all.is_enabled(key), enabled);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_reused_evaluation_equals_a_new_one(
        before in rules(70, 12), after in rules(9, 12), first in names(), second in names()
    ) {
        let (before, after) = (ruleset(before), ruleset(after));
        let mut all: Evaluation = with_subject(&first, |subject| before.evaluate_all(&subject));
        for rules in [&before, &after] {
            with_subject(&second, |subject| {
                rules.evaluate_all_into(&subject, &mut all);
                let new = rules.evaluate_all(&subject);
                prop_assert_eq!(all.as_bytes(), new.as_bytes());
                prop_assert!(all.iter().eq(new.iter()));
                Ok(())
            })?;
        }
    }

    #[test]
    fn raising_a_percentage_only_adds_tenants(scope in scope(12), low in percent(), high in percent(), names in names()) {
        let (low, high) = (low.min(high), low.max(high));
        let at = |pct| {
            let key = dezky_core::names::FlagKey::new("flag").unwrap();
            ruleset(vec![FlagRule { key, state: State::Rollout, pct, scope: scope.clone() }])
        };
        with_subject(&names, |subject| {
            prop_assert!(!at(low).is_enabled("flag", &subject) || at(high).is_enabled("flag", &subject));
            Ok(())
        })?;
    }

    #[test]
    fn the_canonical_form_is_stable(flags in (0..20_usize).prop_flat_map(|count| rules(count, 12)), revision in 0..1_u64 << 53) {
        let snapshot = Snapshot::new(revision, production(), flags.clone()).unwrap();
        let text = snapshot.to_canonical_json();
        let read = Snapshot::from_json(text.as_bytes()).unwrap();
        prop_assert_eq!(&read.to_canonical_json(), &text);
        prop_assert_eq!(read.digest(), snapshot.digest());
        prop_assert_eq!(&read, &snapshot);
        let mut reversed = flags;
        reversed.reverse();
        prop_assert_eq!(Snapshot::new(revision, production(), reversed).unwrap().to_canonical_json(), text);
    }

    #[test]
    fn a_fingerprint_does_not_depend_on_the_order_of_subjects(flags in rules(10, 12)) {
        let rules = ruleset(flags);
        let (ids, slugs): (Vec<_>, Vec<_>) = (0..12).map(|number| (id(number), slug(number))).unzip();
        let mut subjects: Vec<_> = ids.iter().zip(&slugs).map(|(id, slug)| Subject::new(id, slug, "free").unwrap()).collect();
        let fingerprint = rules.fingerprint(&subjects);
        subjects.reverse();
        prop_assert_eq!(rules.fingerprint(&subjects), fingerprint);
    }
}

#[test]
fn published_positions_do_not_change() {
    let cases = [
        ("t1", "flag-a", 63),
        ("acme", "new-portal", 69),
        ("00000000-0000-4000-8000-000000000001", "billing-v2", 15),
    ];
    for (tenant, key, percent) in cases {
        assert_eq!(rollout_position(tenant, key) / 100, percent);
    }
    assert_eq!(rollout_position("t1", "flag-a"), 6334);
}

#[test]
fn an_invalid_snapshot_keeps_the_current_ruleset() {
    let on = br#"{"format":1,"revision":1,"environment":"production","flags":[{"key":"a","state":"on"}]}"#;
    let mut rules = Ruleset::new(Snapshot::from_json(on).unwrap());
    for invalid in [
        &b"{"[..],
        b"\xff",
        br#"{"format":2}"#,
        br#"{"format":1,"revision":2,"environment":"production","flags":[{"key":"A"}]}"#,
    ] {
        if let Ok(snapshot) = Snapshot::from_json(invalid) {
            rules = Ruleset::new(snapshot);
        }
        assert!(rules.is_enabled("a", &Subject::new("t1", "acme", "free").unwrap()));
        assert_eq!(rules.revision(), 1);
    }
}

#[test]
fn rules_and_worlds_can_be_shared_between_threads() {
    fn is_shared<T: Clone + Send + Sync + 'static>() {}
    is_shared::<Ruleset>();
    is_shared::<Snapshot>();
    is_shared::<dezky_core::world::World>();
    is_shared::<dezky_core::Error>();
}
