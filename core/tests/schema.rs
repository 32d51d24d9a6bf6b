//! Tests that the JSON Schemas describe exactly what is serialized: every member, and which of them
//! are required.
#![cfg(feature = "schema")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use dezky_core::flags::{Axis, Explanation, FlagRule, Reason, Ruleset, Snapshot, State, Subject};
use dezky_core::model::{
    Change, Flag, FlagWarning, IntegrationStatus, Interval, Partner, PartnerStatus, Role, Subscription,
    Tenant, TenantStatus, User,
};
use dezky_core::world::{Counts, Edit, EditStep, Ladder, Plan, TenantMove, World};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::{Value, json};

/// The members that a document is expected to have.
#[derive(Clone, Copy, PartialEq)]
enum Members {
    All,
    Required,
    Some,
}

fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>().into()
}

fn names(list: Option<&Value>) -> BTreeSet<&str> {
    match list {
        Some(Value::Object(members)) => members.keys().map(String::as_str).collect(),
        Some(Value::Array(names)) => names.iter().map(|name| name.as_str().unwrap()).collect(),
        _ => BTreeSet::new(),
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// Validates a value against a schema, except for patterns and sizes.
fn validate(
    root: &Value,
    schema: &Value,
    value: &Value,
    expected: Members,
    path: &str,
) -> Result<(), String> {
    if *schema == json!(true) {
        return Ok(());
    }
    if let Some(target) = schema.get("$ref") {
        let target = root.pointer(target.as_str().unwrap().trim_start_matches('#')).unwrap();
        validate(root, target, value, expected, path)?;
    }
    for (word, most) in [("anyOf", usize::MAX), ("oneOf", 1)] {
        let Some(forms) = schema.get(word).and_then(Value::as_array) else { continue };
        let fitting = forms.iter().filter(|form| validate(root, form, value, expected, path).is_ok()).count();
        if !(1..=most).contains(&fitting) {
            return Err(format!("{path}: {fitting} alternatives of {word} match"));
        }
    }
    if let Some(name) = schema.get("type")
        && !is_of_type(value, name.as_str().unwrap())
    {
        return Err(format!("{path}: {value} is not of type {name}"));
    }
    let is_unlisted = schema.get("const").is_some_and(|word| word != value)
        || schema.get("enum").is_some_and(|words| !words.as_array().unwrap().contains(value));
    if is_unlisted {
        return Err(format!("{path}: {value} is not listed"));
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for (index, each) in values.iter().enumerate() {
            validate(root, items, each, Members::Some, &format!("{path}/{index}"))?;
        }
    }
    let Some(members) = value.as_object() else { return Ok(()) };
    let (known, required) = (names(schema.get("properties")), names(schema.get("required")));
    let present = names(Some(value));
    let is_form = schema.get("type").is_some();
    let fits = required.is_subset(&present)
        && (!is_form || present.is_subset(&known))
        && (expected != Members::All || !is_form || present == known)
        && (expected != Members::Required || !is_form || present == required);
    if !fits {
        return Err(format!("{path}: {present:?}, known {known:?}, required {required:?}"));
    }
    for (name, member) in members {
        if let Some(property) = schema.get("properties").and_then(|properties| properties.get(name)) {
            validate(root, property, member, expected, &format!("{path}/{name}"))?;
        }
    }
    Ok(())
}

fn assert_members<T: JsonSchema + Serialize>(document: &T, expected: Members) {
    let (schema, value) = (schema_of::<T>(), serde_json::to_value(document).unwrap());
    assert_eq!(validate(&schema, &schema, &value, expected, ""), Ok(()), "{} {value}", T::schema_name());
    let definitions = schema.get("$defs").and_then(Value::as_object);
    for form in definitions.into_iter().flat_map(|forms| forms.values()).chain([&schema]) {
        let required = names(form.get("required"));
        for (name, member) in form.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let may_be_null = validate(&schema, member, &Value::Null, Members::Some, "").is_ok();
            assert!(
                required.contains(name.as_str()) || !may_be_null,
                "{name} is omitted, never null: {form}"
            );
        }
    }
}

/// Reads a document with only the required members and one with all members, and compares both with
/// the schema.
fn assert_described<T: JsonSchema + Serialize>(
    read: fn(&[u8]) -> Result<T, dezky_core::Error>,
    least: Value,
    more: Value,
) {
    assert_members(&read(least.to_string().as_bytes()).unwrap(), Members::Required);
    let mut everything = least;
    everything.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    assert_members(&read(everything.to_string().as_bytes()).unwrap(), Members::All);
}

fn billing() -> Value {
    json!({ "companyName": "Acme A/S", "vatId": "DK1", "address": "1 Road\nTown", "email": "pay@acme.example",
        "currency": "DKK" })
}

#[test]
fn schemas_describe_customers() {
    let failed = json!({ "status": "error", "error": "no route" });
    assert_described(
        Tenant::from_json,
        json!({ "id": "t1", "slug": "acme", "name": "Acme", "plan": "free" }),
        json!({ "domains": ["acme.example"], "partnerId": "p1", "billingInfo": billing(),
            "handles": { "authentikGroup": "acme", "ocisSpace": "s1", "stalwartDomain": "acme.example" },
            "provisioning": { "authentik": failed, "stalwart": failed, "ocis": failed } }),
    );
    assert_described(
        Partner::from_json,
        json!({ "id": "p1", "slug": "nordic", "name": "Nordic" }),
        json!({ "domain": "nordic.example", "marginPct": 12.5, "billingInfo": billing(),
            "contactInfo": { "name": "Ada", "email": "ada@nordic.example", "phone": "+45 1" } }),
    );
    assert_described(
        User::from_json,
        json!({ "id": "u1", "email": "ada@example.org" }),
        json!({ "subject": { "issuer": "https://id.example.org/", "sub": "7" }, "tenantIds": ["t1"],
            "rightsChangedAt": "2026-01-01T00:00:00Z", "lastLoginAt": "2026-01-01T00:00:00Z",
            "groups": ["acme"], "groupsIssuedAt": "2026-01-01T00:00:00Z" }),
    );
    let time = "2026-01-01T00:00:00Z";
    assert_described(
        Subscription::from_json,
        json!({ "id": "s1", "tenantId": "t1", "plan": "free", "status": "hibernating",
            "price": { "amount": 100, "currency": "EUR", "interval": "month" } }),
        json!({ "stripe": { "customerId": "cus_1", "subscriptionId": "sub_1", "itemId": "si_1", "priceId": "price_1" },
            "periods": { "currentStart": time, "currentEnd": time, "trialEnd": time } }),
    );
}

#[test]
fn schemas_describe_flags_and_changes() {
    let scope = json!({ "plans": ["free"], "tenantSlugs": ["acme"], "partnerSlugs": ["nordic"], "environments": ["production"] });
    let content = json!({ "state": "rollout", "pct": 37.25, "scope": scope });
    let entry = |revision, before| {
        let at = "2026-01-01T00:00:00Z";
        json!({ "revision": revision, "at": at, "by": "ada@example.org", "before": before, "after": content })
    };
    assert_described(
        Flag::from_json,
        json!({ "key": "a", "state": "on" }),
        json!({ "scope": scope, "history": [entry(2, content.clone()), entry(1, Value::Null)] }),
    );
    let zeros = "0".repeat(64);
    assert_described(
        Change::from_json,
        json!({ "revision": 1, "at": "2026-01-01T00:00:00Z", "action": "flag.create",
            "entity": { "kind": "flag", "id": "a" }, "previousHash": zeros, "hash": zeros }),
        json!({ "actor": { "id": "u1", "email": "ada@example.org" }, "after": { "any": ["thing", 1.5] } }),
    );
    let rule = Flag::from_json(br#"{ "key": "a", "state": "on" }"#).unwrap().rule();
    assert_members::<FlagRule>(&rule, Members::All);
    assert_members(&FlagWarning::TargetsNobody, Members::All);
}

fn world() -> World {
    World::from_json(
        br#"{ "revision": 7, "environment": "production", "partners": [{ "id": "p1", "slug": "nordic" }],
        "tenants": [{ "id": "t1", "slug": "acme", "plan": "free" },
            { "id": "t2", "slug": "umbrella", "plan": "business", "partnerId": "p1" }],
        "flags": [{ "key": "flag-a", "state": "on" }, { "key": "flag-b", "state": "rollout", "pct": 50 }] }"#,
    )
    .unwrap()
}

#[test]
fn schemas_describe_plans_ladders_and_counts() {
    let edit = br#"{ "edits": [{ "kind": "deleteFlag", "key": "flag-a" },
        { "kind": "putFlag", "flag": { "key": "flag-b", "state": "on" } }] }"#;
    let plan = world().plan(&Edit::from_json(edit).unwrap()).unwrap();
    assert!(plan.gained().len() > 0 && plan.lost().len() == 2 && plan.by_partner().len() == 2);
    assert_members::<Plan>(&plan, Members::All);
    assert_members::<Ladder>(&world().ladder("flag-b").unwrap(), Members::All);
    assert_members::<Counts>(&world().counts("flag-b").unwrap(), Members::All);
}

#[test]
fn schemas_describe_explanations() {
    let rules = Ruleset::new(
        Snapshot::from_json(
            br#"{ "format": 1, "revision": 1, "environment": "production", "flags": [
            { "key": "flag-a", "state": "rollout", "pct": 63.5 },
            { "key": "flag-b", "state": "targeted", "scope": { "plans": ["business"] } }] }"#,
        )
        .unwrap(),
    );
    let subject = Subject::new("t1", "acme", "free").unwrap();
    let explanations: Vec<_> = ["flag-a", "flag-b", "none"].map(|key| rules.explain(key, &subject)).into();
    assert_members::<Explanation>(&explanations[2], Members::Required);
    explanations.iter().for_each(|explanation| assert_members::<Explanation>(explanation, Members::Some));

    let members: Vec<Value> = explanations.iter().map(|each| serde_json::to_value(each).unwrap()).collect();
    let seen: BTreeSet<_> = members.iter().flat_map(|each| names(Some(each))).collect();
    assert_eq!(seen, names(schema_of::<Explanation>().get("properties")));
}

#[test]
fn schemas_list_all_words() {
    fn listed<T: JsonSchema>(words: impl IntoIterator<Item = impl Serialize>) {
        let words: Vec<Value> = words.into_iter().map(|word| serde_json::to_value(word).unwrap()).collect();
        assert_eq!(schema_of::<T>()["enum"], Value::Array(words), "{}", T::schema_name());
    }
    listed::<Role>(Role::ALL);
    listed::<State>(State::ALL);
    listed::<Axis>(Axis::ALL);
    listed::<Reason>(Reason::ALL);
    listed::<Interval>(Interval::ALL);
    listed::<TenantStatus>(TenantStatus::ALL);
    listed::<PartnerStatus>(PartnerStatus::ALL);
    listed::<IntegrationStatus>(IntegrationStatus::ALL);
}

/// Core only reads edits, so their schemas accept exactly the edits that core accepts.
#[test]
fn schemas_describe_edits() {
    let (edits, steps, moves) = (schema_of::<Edit>(), schema_of::<EditStep>(), schema_of::<TenantMove>());
    let fits = |schema: &Value, value: &Value| validate(schema, schema, value, Members::Some, "").is_ok();
    let cases = [
        json!({ "kind": "deleteFlag", "key": "a" }),
        json!({ "kind": "putFlag", "flag": { "key": "a", "state": "on" } }),
        json!({ "kind": "putFlag", "flag": { "key": "a", "state": "on", "pct": null, "scope": null } }),
        json!({ "kind": "putFlag", "flag": { "key": "a", "state": "on", "pct": 2.5, "scope": { "plans": null } } }),
        json!({ "kind": "putFlag", "flag": { "key": "a", "state": "on", "scope": { "plans": ["free"] } } }),
        json!({ "kind": "patchFlag", "key": "a", "patch": {} }),
        json!({ "kind": "patchFlag", "key": "a", "patch": { "state": "on", "pct": null, "scope": null } }),
        json!({ "kind": "patchFlag", "key": "a", "patch": { "scope": { "plans": ["free"], "partnerSlugs": null } } }),
        json!({ "kind": "patchFlag", "key": "a", "patch": { "description": "A.", "planDigest": "x" } }),
        json!({ "kind": "patchFlag", "key": "a", "patch": { "state": null } }),
        json!({ "kind": "patchFlag", "key": "a", "patch": { "scope": { "plans": {} } } }),
        json!({ "kind": "patchFlag", "key": "a" }),
        json!({ "kind": "moveTenant", "tenantId": "t1", "plan": "free" }),
        json!({ "kind": "moveTenant", "tenantId": "t1", "plan": null, "partnerSlug": null }),
        json!({ "kind": "moveTenant", "tenantId": "t1", "partnerSlug": "nordic" }),
        json!({ "kind": "moveTenant", "tenantId": "t1", "plan": null }),
        json!({ "kind": "moveTenant", "tenantId": "t1" }),
        json!({ "kind": "moveTenant", "plan": "free" }),
        json!({ "kind": "putFlag", "flag": { "key": "a" } }),
        json!({ "kind": "putFlag", "flag": { "key": "a", "state": "sideways" } }),
        json!({ "kind": "putFlag", "key": "a" }),
        json!({ "kind": "deleteFlag", "key": null }),
        json!({ "kind": "dropFlag", "key": "a" }),
        json!({ "key": "a" }),
    ];
    let mut accepted = 0;
    for step in cases {
        let edit = json!({ "edits": [step] });
        let is_accepted = Edit::from_json(edit.to_string().as_bytes()).is_ok();
        accepted += usize::from(is_accepted);
        assert_eq!((fits(&edits, &edit), fits(&steps, &step)), (is_accepted, is_accepted), "{step}");

        let mut to = step.clone();
        if to.as_object_mut().unwrap().remove("kind") == Some(json!("moveTenant")) {
            assert_eq!(fits(&moves, &to), is_accepted, "{to}");
        }
    }
    assert_eq!(accepted, 12);
    assert!(!fits(&edits, &json!({})));
}
