//! Authorization is total: an answer for every combination, denied where nothing allows it, consistent with its reason.
#![allow(clippy::unwrap_used)]

use dezky_core::Code;
use dezky_core::access::{
    AccessReason, AccessRequest, Action, MachineKey, Person, Principal, Resource, UserRecord, decide,
};
use dezky_core::model::{Role, TenantStatus};
use dezky_core::names::Id;

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn principals() -> Vec<Principal> {
    let mut principals =
        vec![Principal::Key(MachineKey::Server), Principal::Key(MachineKey::Tenant(id("t1")))];
    for audiences in [&[][..], &["portal"], &["dezky-operator"], &["portal", "dezky-operator"]] {
        principals.push(Principal::Person(Person::new("s", audiences.iter().copied(), None)));
        for (active, platform_admin) in [(false, false), (false, true), (true, false), (true, true)] {
            for role in Role::ALL {
                let record = UserRecord {
                    id: id("u1"),
                    active,
                    platform_admin,
                    role: *role,
                    tenant_ids: vec![id("t1")],
                };
                principals.push(Principal::Person(Person::new("s", audiences.iter().copied(), Some(record))));
            }
        }
    }
    principals
}

fn resources() -> Vec<Resource> {
    let mut resources = vec![Resource::default()];
    for status in TenantStatus::ALL {
        for tenant in ["t1", "t2"] {
            resources.push(Resource::tenant(id(tenant), *status));
        }
    }
    for (user, tenant) in [("u1", "t1"), ("u2", "t1"), ("u2", "t2")] {
        resources.push(Resource::user(id(user), vec![id(tenant)]));
    }
    resources
}

fn is_operator(principal: &Principal) -> bool {
    matches!(principal, Principal::Person(person) if person.is_operator())
}

#[test]
fn every_decision_says_what_its_reason_says() {
    for principal in &principals() {
        for action in Action::ALL {
            for resource in &resources() {
                let decision = decide(principal, *action, resource);
                assert_eq!(decision.allowed, decision.reason.as_str().starts_with("allowed_"));
                assert_eq!(decision, decide(principal, *action, resource));
            }
        }
    }
}

#[test]
fn what_needs_a_resource_is_denied_without_one() {
    for principal in &principals() {
        for action in Action::ALL.iter().filter(|action| action.needs_tenant() || action.needs_user()) {
            assert!(!decide(principal, *action, &Resource::default()).allowed, "{principal:?} {action:?}");
        }
    }
}

/// What changes the platform takes both halves of an operator, whatever else is true.
#[test]
fn nobody_but_an_operator_changes_the_platform() {
    let open = [
        "tenant.update",
        "user.me",
        "flag.evaluate",
        "tenant.list",
        "subscription.list",
        "flag.list",
        "user.list",
    ];
    let reads =
        |action: &Action| action.as_str().ends_with(".read") && !action.as_str().starts_with("partner.");
    for principal in principals().iter().filter(|principal| !is_operator(principal)) {
        let changes = Action::ALL.iter().filter(|action| !open.contains(&action.as_str()) && !reads(action));
        for action in changes.filter(|action| action.as_str() != "snapshot.stream") {
            for resource in &resources() {
                assert!(
                    !decide(principal, *action, resource).allowed,
                    "{principal:?} {action:?} {resource:?}"
                );
            }
        }
    }
}

#[test]
fn an_inactive_record_may_nothing_and_no_token_helps() {
    let record = UserRecord {
        id: id("u1"),
        active: false,
        platform_admin: true,
        role: Role::Owner,
        tenant_ids: vec![id("t1")],
    };
    let principal = Principal::Person(Person::new("s", ["dezky-operator"], Some(record)));
    for action in Action::ALL {
        for resource in &resources() {
            assert_eq!(decide(&principal, *action, resource).reason, AccessReason::DeniedInactiveUser);
        }
    }
}

#[test]
fn what_a_question_lacks_or_misspells_is_all_said_at_once() {
    let question = br#"{ "principal": { "audiences": [7], "user": { "id": "u:1", "role": "root" } }, "action": "tenant.update" }"#;
    let error = AccessRequest::from_json(question).unwrap_err();
    let all: Vec<_> = error.all().map(|each| (each.code, each.path.as_str())).collect();
    let expected = [
        (Code::Missing, "/principal/subject"),
        (Code::WrongType, "/principal/audiences/0"),
        (Code::InvalidId, "/principal/user/id"),
        (Code::Missing, "/principal/user/active"),
        (Code::Missing, "/principal/user/platformAdmin"),
        (Code::UnknownRole, "/principal/user/role"),
        (Code::Missing, "/principal/user/tenantIds"),
        (Code::Missing, "/resource/tenantId"),
    ];
    assert_eq!(all, expected);
}
