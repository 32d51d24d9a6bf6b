//! Tests of the model: old documents load, lifecycles reject wrong steps, and edits of a flag
//! record its history.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dezky_core::flags::{Axis, Scope, State, SubjectDocument};
use dezky_core::limits::MAX_REVISION;
use dezky_core::model::{
    Actor, Change, ChangeContent, EditContext, EditedFlag, EntityRef, Flag, FlagContent, FlagPatch,
    FlagWarning, IntegrationStatus, Partner, PartnerStatus, Role, Subscription, SubscriptionStatus, Tenant,
    TenantStatus, User, monthly_recurring_revenue, verify_chain,
};
use dezky_core::names::{Email, Environment, FlagKey, Id, Label, Percent, PlanKey, Prose, Slug};
use dezky_core::world::{Edit, World};
use dezky_core::{Code, Error, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap()
}

/// Reads a document with `from_json` and with serde, and checks that writing and reading it again
/// changes nothing.
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
fn serde_input_is_read_as_strictly_as_json_text() {
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
fn an_unknown_stripe_status_is_kept() {
    let price = json!({ "amount": 100, "currency": "EUR", "interval": "month" });
    let document =
        json!({ "id": "s1", "tenantId": "t1", "plan": "free", "status": "hibernating", "price": price });
    let subscription = load(&document, Subscription::from_json);
    assert_eq!(subscription.status, SubscriptionStatus::Unknown(Label::new("hibernating").unwrap()));
    assert!(monthly_recurring_revenue(&[subscription]).unwrap().is_empty());
}

#[test]
fn each_tenant_status_allows_its_steps_only() {
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
fn tenants_keep_their_reference_to_a_terminated_partner() {
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

fn context(revision: u64) -> EditContext {
    EditContext { by: Email::new("ada@example.org").unwrap(), at: at(revision as i64), revision }
}

fn percent(pct: u16) -> Percent {
    Percent::whole(pct).unwrap()
}

fn to_percent(pct: u16) -> FlagPatch {
    FlagPatch { pct: Some(percent(pct)), ..FlagPatch::default() }
}

fn rollout(revision: u64) -> Flag {
    let content = FlagContent { state: State::Rollout, pct: percent(10), ..FlagContent::default() };
    Flag::create(FlagKey::new("a").unwrap(), content, context(revision)).unwrap().flag
}

#[test]
fn a_flags_history_keeps_the_20_newest_changes() {
    let mut flag = rollout(100);
    for step in 1..=30 {
        flag = flag.edit(to_percent(10 + step), context(100 + u64::from(step))).unwrap().flag;
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
fn edits_without_effect_and_stale_revisions_are_rejected() {
    let flag = rollout(100);
    let code = |result: Result<EditedFlag, Error>| result.unwrap_err().code;
    assert_eq!(code(flag.edit(FlagPatch::default(), context(101))), Code::EmptyEdit);
    assert_eq!(code(flag.edit(to_percent(10), context(101))), Code::EmptyEdit);
    assert_eq!(code(flag.edit(to_percent(20), context(100))), Code::StaleRevision);
    assert_eq!(code(flag.edit(to_percent(20), context(99))), Code::StaleRevision);
}

/// Reading a history rejects a revision of 0 and one above `MAX_REVISION`.
#[test]
fn revisions_out_of_range_are_rejected() {
    let key = || FlagKey::new("a").unwrap();
    let context = |revision| EditContext { revision, ..context(1) };
    for revision in [0, MAX_REVISION + 1] {
        let created = Flag::create(key(), FlagContent::default(), context(revision));
        let edited = load(&json!({ "key": "a", "state": "on" }), Flag::from_json).kill(context(revision));
        for error in [created.unwrap_err(), edited.unwrap_err()] {
            assert_eq!((error.code, error.path.as_str()), (Code::InvalidRevision, "/revision"));
        }
    }
    let newest = Flag::create(key(), FlagContent::default(), context(MAX_REVISION)).unwrap().flag;
    assert_eq!(load(&serde_json::to_value(&newest).unwrap(), Flag::from_json), newest);
}

#[test]
fn a_target_without_tenants_is_allowed_with_a_warning() {
    let target = FlagPatch { state: Some(State::Targeted), ..FlagPatch::default() };
    let edited = rollout(100).edit(target, context(101)).unwrap();
    assert_eq!(edited.warning, Some(FlagWarning::TargetsNobody));
    let scope = Scope::default().with(Axis::Plans, ["free"]).unwrap();
    let with_scope = FlagPatch { scope: Some(scope), ..FlagPatch::default() };
    assert_eq!(edited.flag.edit(with_scope, context(102)).unwrap().warning, None);
}

#[test]
fn a_kill_is_one_edit_and_can_be_restored() {
    let described = FlagPatch { description: Some(Prose::new("Mail over JMAP").unwrap()), ..to_percent(25) };
    let before = rollout(100).edit(described, context(105)).unwrap().flag;
    let killed = before.kill(context(110)).unwrap().flag;
    assert_eq!((killed.content().state, killed.content().pct), (State::Off, Percent::ZERO));
    assert_eq!(killed.content().description, before.content().description);
    assert_eq!(killed.history().len(), 3);
    assert_eq!(killed.kill(context(111)).unwrap_err().code, Code::EmptyEdit);

    // Every revision since the creation can be restored, also one between two changes.
    for (revision, pct) in [(109, 25), (105, 25), (104, 10), (100, 10)] {
        let restored = killed.restore(revision, context(120)).unwrap().flag;
        assert_eq!(
            (restored.content().state, restored.content().pct),
            (State::Rollout, percent(pct)),
            "{revision}"
        );
        assert_eq!(restored.history()[0].before.as_ref(), Some(killed.content()));
    }
    assert_eq!(killed.restore(110, context(120)).unwrap_err().code, Code::EmptyEdit);
    let unreached = killed.restore(99, context(120)).unwrap_err();
    assert_eq!((unreached.code, unreached.path.as_str()), (Code::UnknownRevision, "/revision"));
}

#[test]
fn a_world_is_built_from_tenants_partners_and_flags_of_the_model() {
    let name = || Label::new("A name").unwrap();
    let partner = Partner::new(Id::new("p1").unwrap(), Slug::new("nordic").unwrap(), name(), at(0));
    let plan = PlanKey::new("free").unwrap();
    let tenant = |id: &str| {
        let mut tenant =
            Tenant::new(Id::new(id).unwrap(), Slug::new(id).unwrap(), name(), plan.clone(), at(0));
        tenant.partner_id = Some(partner.id().clone());
        tenant
    };
    let mut terminated = tenant("t2");
    terminated.terminate(at(1)).unwrap();
    let target = Scope::default().with(Axis::PartnerSlugs, ["nordic"]).unwrap();
    let content = FlagContent { state: State::Targeted, scope: target, ..FlagContent::default() };
    let flag = Flag::create(FlagKey::new("a").unwrap(), content, context(1)).unwrap().flag;
    let tenants = vec![tenant("t1"), terminated];
    let production = Environment::new("production").unwrap();
    let world = World::new(1, production, tenants, vec![partner.clone()], vec![flag.clone()]).unwrap();
    let counts = world.counts("a").unwrap();
    assert_eq!((counts.on, counts.in_scope, counts.registered), (1, 1, 1));
    let killed = flag.kill(context(2)).unwrap().flag;
    let plan = world.plan(&Edit::put_flag(killed)).unwrap();
    assert_eq!(plan.lost().map(|pair| pair.tenant_id).collect::<Vec<_>>(), ["t1"]);
}

/// A JSON value may hold a whole number as a float. Writing and reading the change does not change
/// its hash.
#[test]
fn a_change_keeps_its_hash_through_its_json() {
    let content = ChangeContent {
        at: at(1),
        actor: Actor::default(),
        action: Label::new("tenant.update").unwrap(),
        entity: EntityRef { kind: Label::new("tenant").unwrap(), id: Label::new("t1").unwrap() },
        before: json!({ "seats": 2.0, "ratio": 37.25, "none": -0.0, "low": -3 }),
        after: json!([1e2, { "text": "\u{1f600}\n\u{1}\"" }]),
    };
    let change = content.follow(None);
    let read = Change::from_json(serde_json::to_string(&change).unwrap().as_bytes()).unwrap();
    assert_eq!(verify_chain(&[read]).unwrap(), change.hash);
}

#[test]
fn an_unknown_member_is_rejected_with_the_nearest_name() {
    let subject = br#"{ "tenantId": "t1", "tenantSlug": "acme", "plan": "free", "partnerSlgu": "nordic" }"#;
    let error = SubjectDocument::from_json(subject).unwrap_err();
    assert_eq!((error.code, error.path.as_str()), (Code::UnknownField, "/partnerSlgu"));
    assert!(error.message.ends_with(": did you mean `partnerSlug`?"), "{}", error.message);
}
