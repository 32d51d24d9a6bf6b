//! Request bodies as records: the body is merged into the document of the record, and core parses
//! the result. The rules, codes and paths of core are the only ones.

use dezky_core::Error;
use dezky_core::names::nearest_name;
use serde::Serialize;
use serde_json::{Map, Value};

use super::operation::{Body, BodyForm};
use super::problem::{Finding, Problem};
use super::reply::serialization_failed;

/// A record that core parses and serializes.
pub trait RecordDocument: Serialize + Sized {
    /// Parses the document of a record.
    fn read(bytes: &[u8]) -> Result<Self, Error>;
}

macro_rules! documents {
    ($($Type:ident)*) => {$(
        impl RecordDocument for dezky_core::model::$Type {
            fn read(bytes: &[u8]) -> Result<Self, Error> {
                dezky_core::model::$Type::from_json(bytes)
            }
        }
    )*};
}

documents! { Tenant Partner User Subscription Flag }

/// Checks that the body has only declared members and all required ones.
pub fn members(mut members: Map<String, Value>, form: &Body) -> Result<Map<String, Value>, Problem> {
    let unknown = members.keys().filter(|name| !form.members.contains(&name.as_str()));
    let unknown = unknown.map(|name| Finding {
        path: format!("/{}", escape(name)),
        code: "unknown_field",
        detail: match nearest_name(name, form.members.iter().copied()) {
            Some(near) => format!("Unknown member: did you mean `{near}`?").into(),
            None => "Unknown member, or one that this request cannot set".into(),
        },
    });
    let is_whole = form.form == BodyForm::Whole;
    let is_omitted = |value: &Value| is_whole && value.is_null();
    let missing = form.required.iter().filter(|name| members.get(**name).is_none_or(is_omitted));
    let missing = missing.map(|name| Finding {
        path: format!("/{name}"),
        code: "missing",
        detail: "This member is required".into(),
    });
    let findings: Vec<Finding> = unknown.chain(missing).take(dezky_core::limits::MAX_PROBLEMS).collect();
    if !findings.is_empty() {
        return Err(Problem::from_findings(findings));
    }
    members.retain(|_, value| !is_omitted(value));
    Ok(members)
}

/// Applies a merge patch (RFC 7396) to a document and parses the result.
pub fn merged<T: RecordDocument>(
    current: &impl Serialize,
    change: &Map<String, Value>,
) -> Result<T, Problem> {
    let mut document = serde_json::to_value(current).map_err(serialization_failed)?;
    let change = Value::Object(change.clone());
    merge(&mut document, &change);
    let record = T::read(document.to_string().as_bytes())?;
    let kept = serde_json::to_value(&record).map_err(serialization_failed)?;
    let mut findings = Vec::new();
    find_unknown(&change, &kept, &mut String::new(), &mut findings);
    if findings.is_empty() { Ok(record) } else { Err(Problem::from_findings(findings)) }
}

fn merge(target: &mut Value, change: &Value) {
    let Value::Object(change) = change else {
        *target = change.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else { return };
    for (name, value) in change {
        if value.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Finds members of the patch that the parsed record does not contain: they are unknown.
fn find_unknown(given: &Value, kept: &Value, path: &mut String, findings: &mut Vec<Finding>) {
    let (Value::Object(given), Value::Object(kept)) = (given, kept) else { return };
    for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        let length = path.len();
        path.push('/');
        path.push_str(&escape(name));
        match kept.get(name) {
            Some(inner) => find_unknown(value, inner, path, findings),
            // An empty object disappears if all its members are optional.
            None if value.as_object().is_some_and(Map::is_empty) => {}
            None if findings.len() < dezky_core::limits::MAX_PROBLEMS => findings.push(Finding {
                path: path.clone(),
                code: "unknown_field",
                detail: match nearest_name(name, kept.keys().map(String::as_str)) {
                    Some(near) => format!("Unknown member: did you mean `{near}`?").into(),
                    None => "Unknown member".into(),
                },
            }),
            None => {}
        }
        path.truncate(length);
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
