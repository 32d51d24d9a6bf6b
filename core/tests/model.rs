//! The model's documents: older ones load, lifecycles refuse wrong steps, a flag's history is what happened.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dezky_core::flags::{Axis, Scope, State, SubjectDocument};
use dezky_core::model::{
    Actor, Change, ChangeContent, Editor, Entity, Flag, FlagContent, FlagPatch, FlagWarning,
    IntegrationStatus, Partner, PartnerStatus, Role, Subscription, SubscriptionStatus, Tenant, TenantStatus,
    User, monthly_recurring_revenue, verify_chain,
};
use dezky_core::names::{Email, Environment, FlagKey, Id, Label, Percent, PlanKey, Prose, Slug};
use dezky_core::world::{Edit, World};
use dezky_core::{Code, Error, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap()
}

/// Reads a document both ways and checks that what is written is read back.
fn load<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(
    document: &Value,
    strictly: fn(&[u8]) -> Result<T, Error>,
) -> T {
    let read = strictly(document.to_string().as_bytes()).unwrap();
    assert_eq!(serde_json::from_value::<T>(document.clone()).unwrap(), read);
    let written = serde_json::to_string(&read).unwrap();
    assert_eq!(strictly(written.as_bytes()).unwrap(), read, "{written}");
    read
}

#[test]
fn documents_from_before_a_field_existed_still_load() {
    let tenant =
        load(&json!({ "id": "t1", "slug": "acme", "name": "Acme", "plan": "free" }), Tenant::from_json);
    assert_eq!(tenant.status(), TenantStatus::Active);
    assert_eq!(tenant.provisioning.stalwart.status, IntegrationStatus::Pending);
    assert_eq!((tenant.revisioned.version, tenant.revisioned.created_at), (1, Timestamp::EPOCH));
    assert_eq!((tenant.partner_id, tenant.domains.len()), (None, 0));

    let partner = load(&json!({ "id": "p1", "slug": "nordic", "name": "Nordic" }), Partner::from_json);
    assert_eq!((partner.status(), partner.margin_pct), (PartnerStatus::Active, Percent::ZERO));

    let user = load(&json!({ "id": "u1", "email": "ada@example.org" }), User::from_json);
    assert!(user.active && !user.platform_admin);
    assert_eq!((user.role, user.subject, user.rights_changed_at), (Role::Member, None, None));
    assert_eq!((user.email_verified, user.groups, user.groups_issued_at), (false, None, None));

    let price = json!({ "amount": 100, "currency": "EUR", "interval": "month" });
    let subscription =
        json!({ "id": "s1", "tenantId": "t1", "plan": "free", "status": "active", "price": price });
    let subscription = load(&subscription, Subscription::from_json);
    assert_eq!((subscription.price.interval_count(), subscription.price.quantity()), (1, 1));
    assert_eq!(subscription.stripe.customer_id, None);

    let flag = load(&json!({ "key": "a", "state": "rollout" }), Flag::from_json);
    assert_eq!((flag.content().pct, flag.history().len()), (Percent::ZERO, 0));
    assert!(flag.content().scope.is_empty());

    let zeros = "0".repeat(64);
    let change = json!({ "revision": 1, "at": "2026-01-01T00:00:00Z", "action": "flag.create",
        "entity": { "kind": "flag", "id": "a" }, "previousHash": zeros, "hash": zeros });
    let change = load(&change, Change::from_json);
    let content = change.content;
    assert_eq!((content.before, content.after, content.actor.id), (Value::Null, Value::Null, None));
}

#[test]
fn whatever_serde_offers_is_judged_as_strictly_as_text() {
    let message = |result: Result<Tenant, serde_json::Error>| result.unwrap_err().to_string();
    let tenant = json!({ "id": "t:1", "slug": "acme", "name": "Acme", "plan": "free" });
    assert!(message(serde_json::from_value(tenant)).starts_with("invalid_id at \"/id\""));
    assert!(
        message(serde_json::from_str(r#"{ "id": "t1", "id": "t2" }"#))
            .starts_with("duplicate_member at \"/id\"")
    );
    assert!(message(serde_json::from_str(&"[".repeat(40))).starts_with("too_deep"));
    assert!(serde_json::from_value::<Slug>(json!(7)).is_err());
    assert_eq!(
        serde_json::from_value::<Percent>(json!(37.25)).unwrap(),
        Percent::from_hundredths(3725).unwrap()
    );
    assert!(serde_json::from_value::<Percent>(json!(37.255)).is_err());
}

#[test]
fn a_status_that_stripe_invents_is_kept() {
    let price = json!({ "amount": 100, "currency": "EUR", "interval": "month" });
    let document =
        json!({ "id": "s1", "tenantId": "t1", "plan": "free", "status": "hibernating", "price": price });
    let subscription = load(&document, Subscription::from_json);
    assert_eq!(subscription.status, SubscriptionStatus::Unknown(Label::new("hibernating").unwrap()));
    assert!(monthly_recurring_revenue(&[subscription]).unwrap().is_empty());
}

/// Which steps each status allows, and where they lead.
#[test]
fn a_tenants_life_has_four_steps() {
    use TenantStatus::*;
    type Step = fn(&mut Tenant, Timestamp) -> Result<(), Error>;
    let steps: [(Step, [Option<TenantStatus>; 4]); 4] = [
        (Tenant::activate, [Some(Active), None, None, None]),
        (Tenant::suspend, [None, Some(Suspended), None, None]),
        (Tenant::resume, [None, None, Some(Active), None]),
        (Tenant::terminate, [Some(Terminated), Some(Terminated), Some(Terminated), None]),
    ];
    for (step, outcomes) in steps {
        for (status, expected) in TenantStatus::ALL.iter().zip(outcomes) {
            let document =
                json!({ "id": "t1", "slug": "acme", "name": "Acme", "plan": "free", "status": status });
            let mut tenant: Tenant = serde_json::from_value(document).unwrap();
            let before = tenant.clone();
            match (step(&mut tenant, at(60)), expected) {
                (Ok(()), Some(expected)) => {
                    assert_eq!(tenant.status(), expected);
                    assert_eq!((tenant.revisioned.version, tenant.revisioned.updated_at), (2, at(60)));
                }
                (Err(error), None) => {
                    assert_eq!((error.code, error.path.as_str()), (Code::InvalidTransition, "/status"));
                    assert_eq!(tenant, before);
                }
                (outcome, expected) => panic!("{status:?}: {outcome:?}, expected {expected:?}"),
            }
        }
    }
}

#[test]
fn a_terminated_partner_stays_named_by_its_tenants() {
    let now = Timestamp::EPOCH;
    let mut partner = Partner::new(
        Id::new("p1").unwrap(),
        Slug::new("nordic").unwrap(),
        Label::new("Nordic").unwrap(),
        now,
    );
    let mut tenant = Tenant::new(
        Id::new("t1").unwrap(),
        Slug::new("acme").unwrap(),
        Label::new("Acme").unwrap(),
        PlanKey::new("free").unwrap(),
        now,
    );
    tenant.partner_id = Some(partner.id().clone());
    partner.terminate(at(1)).unwrap();
    assert_eq!(partner.terminate(at(2)).unwrap_err().code, Code::InvalidTransition);
    assert_eq!(tenant.partner_id.as_ref(), Some(partner.id()));
}

fn editor(revision: u64) -> Editor {
    Editor { by: Email::new("ada@example.org").unwrap(), at: at(revision as i64), revision }
}

fn percent(pct: u16) -> Percent {
    Percent::whole(pct).unwrap()
}

fn to_percent(pct: u16) -> FlagPatch {
    FlagPatch { pct: Some(percent(pct)), ..FlagPatch::default() }
}

fn rollout(revision: u64) -> Flag {
    let content = FlagContent { state: State::Rollout, pct: percent(10), ..FlagContent::default() };
    Flag::create(FlagKey::new("a").unwrap(), content, editor(revision)).unwrap().flag
}

#[test]
fn a_flags_history_keeps_the_20_newest_changes() {
    let mut flag = rollout(100);
    for step in 1..=30 {
        flag = flag.edit(to_percent(10 + step), editor(100 + u64::from(step))).unwrap().flag;
    }
    let history = flag.history();
    assert_eq!(history.len(), 20);
    assert_eq!((history[0].revision, history[19].revision), (130, 111));
    assert_eq!(history[0].before.as_ref().unwrap().pct, percent(39));
    assert_eq!(history[0].after, *flag.content());
    assert_eq!(history[0].by.as_str(), "ada@example.org");
    assert_eq!(flag.revisioned().version, 31);
    assert_eq!((flag.revisioned().created_at, flag.revisioned().updated_at), (at(100), at(130)));
    let document = serde_json::to_value(&flag).unwrap();
    assert_eq!(load(&document, Flag::from_json), flag);
}

#[test]
fn an_edit_that_makes_no_sense_is_refused() {
    let flag = rollout(100);
    let refusal = |result: Result<dezky_core::model::Edited, Error>| result.unwrap_err().code;
    assert_eq!(refusal(flag.edit(FlagPatch::default(), editor(101))), Code::EmptyEdit);
    assert_eq!(refusal(flag.edit(to_percent(10), editor(101))), Code::EmptyEdit);
    assert_eq!(refusal(flag.edit(to_percent(20), editor(100))), Code::StaleRevision);
    assert_eq!(refusal(flag.edit(to_percent(20), editor(99))), Code::StaleRevision);
}

#[test]
fn a_target_that_is_nobody_is_allowed_with_a_warning() {
    let target = FlagPatch { state: Some(State::Targeted), ..FlagPatch::default() };
    let edited = rollout(100).edit(target, editor(101)).unwrap();
    assert_eq!(edited.warning, Some(FlagWarning::TargetsNobody));
    let scope = Scope::default().with(Axis::Plans, ["free"]).unwrap();
    let somebody = FlagPatch { scope: Some(scope), ..FlagPatch::default() };
    assert_eq!(edited.flag.edit(somebody, editor(102)).unwrap().warning, None);
}

#[test]
fn a_kill_is_one_step_and_can_be_undone() {
    let described = FlagPatch { description: Some(Prose::new("Mail over JMAP").unwrap()), ..to_percent(25) };
    let before = rollout(100).edit(described, editor(105)).unwrap().flag;
    let killed = before.kill(editor(110)).unwrap().flag;
    assert_eq!((killed.content().state, killed.content().pct), (State::Off, Percent::ZERO));
    assert_eq!(killed.content().description, before.content().description);
    assert_eq!(killed.history().len(), 3);
    assert_eq!(killed.kill(editor(111)).unwrap_err().code, Code::EmptyEdit);

    // As it stood at any revision from its making on; also between changes.
    for (revision, pct) in [(109, 25), (105, 25), (104, 10), (100, 10)] {
        let restored = killed.restore(revision, editor(120)).unwrap().flag;
        assert_eq!(
            (restored.content().state, restored.content().pct),
            (State::Rollout, percent(pct)),
            "{revision}"
        );
        assert_eq!(restored.history()[0].before.as_ref(), Some(killed.content()));
    }
    assert_eq!(killed.restore(110, editor(120)).unwrap_err().code, Code::EmptyEdit);
    let unreached = killed.restore(99, editor(120)).unwrap_err();
    assert_eq!((unreached.code, unreached.path.as_str()), (Code::UnknownRevision, "/revision"));
}

/// A service has entities, not world documents: the world takes them as they are.
#[test]
fn a_world_is_made_of_the_models_own_entities() {
    let name = || Label::new("Somebody").unwrap();
    let partner = Partner::new(Id::new("p1").unwrap(), Slug::new("nordic").unwrap(), name(), at(0));
    let plan = PlanKey::new("free").unwrap();
    let tenant = |id: &str| {
        let mut tenant =
            Tenant::new(Id::new(id).unwrap(), Slug::new(id).unwrap(), name(), plan.clone(), at(0));
        tenant.partner_id = Some(partner.id().clone());
        tenant
    };
    let mut gone = tenant("t2");
    gone.terminate(at(1)).unwrap();
    let target = Scope::default().with(Axis::PartnerSlugs, ["nordic"]).unwrap();
    let content = FlagContent { state: State::Targeted, scope: target, ..FlagContent::default() };
    let flag = Flag::create(FlagKey::new("a").unwrap(), content, editor(1)).unwrap().flag;
    let tenants = vec![tenant("t1"), gone];
    let production = Environment::new("production").unwrap();
    let world = World::new(1, production, tenants, vec![partner.clone()], vec![flag.clone()]).unwrap();
    let counts = world.counts("a").unwrap();
    assert_eq!((counts.on, counts.in_scope, counts.registered), (1, 1, 1));
    let killed = flag.kill(editor(2)).unwrap().flag;
    let plan = world.plan(&Edit::flag(killed)).unwrap();
    assert_eq!(plan.lost().map(|pair| pair.tenant_id).collect::<Vec<_>>(), ["t1"]);
}

/// A document may hold a whole number as a float; its text says the same number, and its hash must too.
#[test]
fn a_change_keeps_its_hash_through_its_text() {
    let content = ChangeContent {
        at: at(1),
        actor: Actor::default(),
        action: Label::new("tenant.update").unwrap(),
        entity: Entity { kind: Label::new("tenant").unwrap(), id: Label::new("t1").unwrap() },
        before: json!({ "seats": 2.0, "ratio": 37.25, "none": -0.0, "low": -3 }),
        after: json!([1e2, { "text": "\u{1f600}\n\u{1}\"" }]),
    };
    let change = content.follow(None);
    let read = Change::from_json(serde_json::to_string(&change).unwrap().as_bytes()).unwrap();
    assert_eq!(verify_chain(&[read]).unwrap(), change.hash);
}

/// Whoever mistypes a member is told the nearest one that there is.
#[test]
fn a_member_that_nobody_knows_is_refused_with_the_nearest_one() {
    let subject = br#"{ "tenantId": "t1", "tenantSlug": "acme", "plan": "free", "partnerSlgu": "nordic" }"#;
    let error = SubjectDocument::from_json(subject).unwrap_err();
    assert_eq!((error.code, error.path.as_str()), (Code::UnknownField, "/partnerSlgu"));
    assert!(error.message.ends_with(": did you mean `partnerSlug`?"), "{}", error.message);
}
