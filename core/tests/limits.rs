//! Tests of every limit, with an input at the limit and one beyond it.
#![allow(clippy::unwrap_used)]

use dezky_core::flags::{Axis, FlagRule, Scope, Snapshot, State, SubjectDocument};
use dezky_core::limits::*;
use dezky_core::model::{Flag, User};
use dezky_core::names::{Environment, FlagKey, Percent};
use dezky_core::world::{Edit, World, WorldPartner, WorldTenant};
use dezky_core::{Code, Error};

fn first_problem<T>(result: Result<T, Error>) -> Option<(Code, String)> {
    result.err().map(|error| (error.code, error.path))
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

fn too_many(path: &str) -> Option<(Code, String)> {
    Some((Code::TooManyItems, path.to_owned()))
}

#[test]
fn larger_documents_are_rejected() {
    let mut snapshot = br#"{"format":1,"revision":1,"environment":"production","flags":[]}"#.to_vec();
    snapshot.resize(MAX_DOCUMENT_BYTES, b' ');
    assert_eq!(first_problem(Snapshot::from_json(&snapshot)), None);
    snapshot.push(b' ');
    assert_eq!(first_problem(Snapshot::from_json(&snapshot)), Some((Code::DocumentTooLarge, String::new())));
    // World documents have a higher limit.
    assert_ne!(first_problem(World::from_json(&snapshot)).unwrap().0, Code::DocumentTooLarge);
    snapshot.resize(MAX_WORLD_BYTES + 1, b' ');
    assert_eq!(first_problem(World::from_json(&snapshot)), Some((Code::DocumentTooLarge, String::new())));
}

#[test]
fn deeper_documents_are_rejected() {
    let nested = |levels: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert_eq!(
        first_problem(SubjectDocument::from_json(nested(MAX_DEPTH).as_bytes())).unwrap().0,
        Code::UnknownField
    );
    assert_eq!(
        first_problem(SubjectDocument::from_json(nested(MAX_DEPTH + 1).as_bytes())).unwrap().0,
        Code::TooDeep
    );
    assert_eq!(
        first_problem(SubjectDocument::from_json("[".repeat(1 << 20).as_bytes())).unwrap().0,
        Code::TooDeep
    );
}

#[test]
fn longer_lists_are_rejected() {
    let flags = |count| {
        let flags = list(count, |number| format!(r#"{{"key":"f{number}","state":"on"}}"#));
        Snapshot::from_json(
            format!(r#"{{"format":1,"revision":1,"environment":"p","flags":[{flags}]}}"#).as_bytes(),
        )
    };
    assert_eq!(first_problem(flags(MAX_FLAGS)), None);
    assert_eq!(first_problem(flags(MAX_FLAGS + 1)), too_many("/flags"));

    let values = |count| {
        let values = list(count, |number| format!(r#""s{number}""#));
        let flag = format!(r#"{{"key":"a","state":"on","scope":{{"tenantSlugs":[{values}]}}}}"#);
        Snapshot::from_json(
            format!(r#"{{"format":1,"revision":1,"environment":"p","flags":[{flag}]}}"#).as_bytes(),
        )
    };
    assert_eq!(first_problem(values(MAX_AXIS_VALUES)), None);
    assert_eq!(first_problem(values(MAX_AXIS_VALUES + 1)), too_many("/flags/0/scope/tenantSlugs"));

    let edits = |count| {
        let edits = list(count, |_| r#"{"kind":"deleteFlag","key":"a"}"#.to_owned());
        Edit::from_json(format!(r#"{{"edits":[{edits}]}}"#).as_bytes())
    };
    assert_eq!(first_problem(edits(MAX_EDITS)), None);
    assert_eq!(first_problem(edits(MAX_EDITS + 1)), too_many("/edits"));

    let history = |count| {
        let entry = r#"{"revision":1,"at":"2026-01-01T00:00:00Z","by":"a@b.cd","after":{"state":"on"}}"#;
        let history = list(count, |_| entry.to_owned());
        Flag::from_json(format!(r#"{{"key":"a","state":"on","history":[{history}]}}"#).as_bytes())
    };
    assert_eq!(first_problem(history(MAX_HISTORY)), None);
    assert_eq!(first_problem(history(MAX_HISTORY + 1)), too_many("/history"));
}

#[test]
fn larger_worlds_are_rejected() {
    let world = |partners, tenants| {
        let partners = list(partners, |number| format!(r#"{{"id":"p{number}","slug":"p{number}"}}"#));
        let tenants =
            list(tenants, |number| format!(r#"{{"id":"t{number}","slug":"t{number}","plan":"free"}}"#));
        let document = format!(
            r#"{{"revision":1,"environment":"p","partners":[{partners}],"tenants":[{tenants}],"flags":[]}}"#
        );
        World::from_json(document.as_bytes())
    };
    assert_eq!(first_problem(world(MAX_PARTNERS, MAX_TENANTS)), None);
    assert_eq!(first_problem(world(MAX_PARTNERS + 1, 0)), too_many("/partners"));
    assert_eq!(first_problem(world(0, MAX_TENANTS + 1)), too_many("/tenants"));
}

#[test]
fn values_have_the_limits_of_documents() {
    let environment = || Environment::new("production").unwrap();
    let rule = |number: usize| FlagRule {
        key: FlagKey::new(&format!("f{number}")).unwrap(),
        state: State::On,
        pct: Percent::ZERO,
        scope: Scope::default(),
    };
    let flags: Vec<_> = (0..=MAX_FLAGS).map(rule).collect();
    assert_eq!(first_problem(Snapshot::new(1, environment(), flags.clone())), too_many("/flags"));
    let tenants: [WorldTenant; 0] = [];
    let partners: [WorldPartner; 0] = [];
    assert_eq!(first_problem(World::new(1, environment(), tenants, partners, flags)), too_many("/flags"));
    assert_eq!(first_problem(Snapshot::new(MAX_REVISION, environment(), Vec::new())), None);
    let too_high = Snapshot::new(MAX_REVISION + 1, environment(), Vec::new());
    assert_eq!(first_problem(too_high), Some((Code::InvalidRevision, "/revision".to_owned())));
    let values: Vec<String> = (0..=MAX_AXIS_VALUES).map(|number| format!("s{number}")).collect();
    let scope = Scope::default().with(Axis::TenantSlugs, values.iter().map(String::as_str));
    assert_eq!(first_problem(scope), too_many("/tenantSlugs"));
}

#[test]
fn an_error_reports_a_limited_number_of_problems() {
    let values = list(MAX_PROBLEMS + 50, |_| r#""Not a plan""#.to_owned());
    let flag = format!(r#"{{"key":"a","state":"on","scope":{{"plans":[{values}]}}}}"#);
    let document = format!(r#"{{"format":1,"revision":1,"environment":"p","flags":[{flag}]}}"#);
    assert_eq!(Snapshot::from_json(document.as_bytes()).unwrap_err().all().count(), MAX_PROBLEMS);
}

#[test]
fn an_error_reports_a_limited_number_of_repetitions() {
    let slugs =
        list(MAX_PROBLEMS + 50, |number| format!(r#"{{"id":"t{number}","slug":"same","plan":"free"}}"#));
    let document =
        format!(r#"{{"revision":1,"environment":"p","partners":[],"tenants":[{slugs}],"flags":[]}}"#);
    assert_eq!(World::from_json(document.as_bytes()).unwrap_err().all().count(), MAX_PROBLEMS);
    let ids = list(MAX_LIST, |_| r#""t1""#.to_owned());
    let document = format!(r#"{{"id":"u1","email":"a@b.cd","tenantIds":[{ids}]}}"#);
    assert_eq!(User::from_json(document.as_bytes()).unwrap_err().all().count(), MAX_PROBLEMS);
}
