//! Every limit, at it and one past it.
#![allow(clippy::unwrap_used)]

use dezky_core::flags::{Axis, FlagRule, Scope, Snapshot, State, SubjectDocument};
use dezky_core::limits::*;
use dezky_core::model::{Flag, User};
use dezky_core::names::{Environment, FlagKey, Percent};
use dezky_core::world::{Edit, World, WorldPartner, WorldTenant};
use dezky_core::{Code, Error};

fn refusal<T>(result: Result<T, Error>) -> Option<(Code, String)> {
    result.err().map(|error| (error.code, error.path))
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

fn too_many(path: &str) -> Option<(Code, String)> {
    Some((Code::TooManyItems, path.to_owned()))
}

#[test]
fn a_document_has_a_size() {
    let mut snapshot = br#"{"format":1,"revision":1,"environment":"production","flags":[]}"#.to_vec();
    snapshot.resize(MAX_DOCUMENT_BYTES, b' ');
    assert_eq!(refusal(Snapshot::from_json(&snapshot)), None);
    snapshot.push(b' ');
    assert_eq!(refusal(Snapshot::from_json(&snapshot)), Some((Code::DocumentTooLarge, String::new())));
    // A world may be larger.
    assert_ne!(refusal(World::from_json(&snapshot)).unwrap().0, Code::DocumentTooLarge);
    snapshot.resize(MAX_WORLD_BYTES + 1, b' ');
    assert_eq!(refusal(World::from_json(&snapshot)), Some((Code::DocumentTooLarge, String::new())));
}

#[test]
fn a_document_has_a_depth() {
    let nested = |levels: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert_eq!(
        refusal(SubjectDocument::from_json(nested(MAX_DEPTH).as_bytes())).unwrap().0,
        Code::UnknownField
    );
    assert_eq!(
        refusal(SubjectDocument::from_json(nested(MAX_DEPTH + 1).as_bytes())).unwrap().0,
        Code::TooDeep
    );
    assert_eq!(refusal(SubjectDocument::from_json("[".repeat(1 << 20).as_bytes())).unwrap().0, Code::TooDeep);
}

#[test]
fn lists_have_a_length() {
    let flags = |count| {
        let flags = list(count, |number| format!(r#"{{"key":"f{number}","state":"on"}}"#));
        Snapshot::from_json(
            format!(r#"{{"format":1,"revision":1,"environment":"p","flags":[{flags}]}}"#).as_bytes(),
        )
    };
    assert_eq!(refusal(flags(MAX_FLAGS)), None);
    assert_eq!(refusal(flags(MAX_FLAGS + 1)), too_many("/flags"));

    let values = |count| {
        let values = list(count, |number| format!(r#""s{number}""#));
        let flag = format!(r#"{{"key":"a","state":"on","scope":{{"tenantSlugs":[{values}]}}}}"#);
        Snapshot::from_json(
            format!(r#"{{"format":1,"revision":1,"environment":"p","flags":[{flag}]}}"#).as_bytes(),
        )
    };
    assert_eq!(refusal(values(MAX_AXIS_VALUES)), None);
    assert_eq!(refusal(values(MAX_AXIS_VALUES + 1)), too_many("/flags/0/scope/tenantSlugs"));

    let edits = |count| {
        let edits = list(count, |_| r#"{"kind":"deleteFlag","key":"a"}"#.to_owned());
        Edit::from_json(format!(r#"{{"edits":[{edits}]}}"#).as_bytes())
    };
    assert_eq!(refusal(edits(MAX_EDITS)), None);
    assert_eq!(refusal(edits(MAX_EDITS + 1)), too_many("/edits"));

    let history = |count| {
        let entry = r#"{"revision":1,"at":"2026-01-01T00:00:00Z","by":"a@b.cd","after":{"state":"on"}}"#;
        let history = list(count, |_| entry.to_owned());
        Flag::from_json(format!(r#"{{"key":"a","state":"on","history":[{history}]}}"#).as_bytes())
    };
    assert_eq!(refusal(history(MAX_HISTORY)), None);
    assert_eq!(refusal(history(MAX_HISTORY + 1)), too_many("/history"));
}

#[test]
fn worlds_have_a_size() {
    let world = |partners, tenants| {
        let partners = list(partners, |number| format!(r#"{{"id":"p{number}","slug":"p{number}"}}"#));
        let tenants =
            list(tenants, |number| format!(r#"{{"id":"t{number}","slug":"t{number}","plan":"free"}}"#));
        let document = format!(
            r#"{{"revision":1,"environment":"p","partners":[{partners}],"tenants":[{tenants}],"flags":[]}}"#
        );
        World::from_json(document.as_bytes())
    };
    assert_eq!(refusal(world(MAX_PARTNERS, MAX_TENANTS)), None);
    assert_eq!(refusal(world(MAX_PARTNERS + 1, 0)), too_many("/partners"));
    assert_eq!(refusal(world(0, MAX_TENANTS + 1)), too_many("/tenants"));
}

/// What is built from values obeys the same limits as what is read.
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
    assert_eq!(refusal(Snapshot::new(1, environment(), flags.clone())), too_many("/flags"));
    let nobody: [WorldTenant; 0] = [];
    let nobodys_partners: [WorldPartner; 0] = [];
    assert_eq!(refusal(World::new(1, environment(), nobody, nobodys_partners, flags)), too_many("/flags"));
    assert_eq!(refusal(Snapshot::new(MAX_REVISION, environment(), Vec::new())), None);
    let too_late = Snapshot::new(MAX_REVISION + 1, environment(), Vec::new());
    assert_eq!(refusal(too_late), Some((Code::InvalidRevision, "/revision".to_owned())));
    let values: Vec<String> = (0..=MAX_AXIS_VALUES).map(|number| format!("s{number}")).collect();
    let scope = Scope::default().with(Axis::TenantSlugs, values.iter().map(String::as_str));
    assert_eq!(refusal(scope), too_many("/tenantSlugs"));
}

#[test]
fn an_error_lists_so_many_problems() {
    let values = list(MAX_PROBLEMS + 50, |_| r#""Not a plan""#.to_owned());
    let flag = format!(r#"{{"key":"a","state":"on","scope":{{"plans":[{values}]}}}}"#);
    let document = format!(r#"{{"format":1,"revision":1,"environment":"p","flags":[{flag}]}}"#);
    assert_eq!(Snapshot::from_json(document.as_bytes()).unwrap_err().all().count(), MAX_PROBLEMS);
}

/// Also where each problem is a matter of meaning, and found by comparing.
#[test]
fn an_error_lists_no_more_repetitions_either() {
    let slugs =
        list(MAX_PROBLEMS + 50, |number| format!(r#"{{"id":"t{number}","slug":"same","plan":"free"}}"#));
    let document =
        format!(r#"{{"revision":1,"environment":"p","partners":[],"tenants":[{slugs}],"flags":[]}}"#);
    assert_eq!(World::from_json(document.as_bytes()).unwrap_err().all().count(), MAX_PROBLEMS);
    let ids = list(MAX_LIST, |_| r#""t1""#.to_owned());
    let document = format!(r#"{{"id":"u1","email":"a@b.cd","tenantIds":[{ids}]}}"#);
    assert_eq!(User::from_json(document.as_bytes()).unwrap_err().all().count(), MAX_PROBLEMS);
}
