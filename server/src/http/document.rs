//! From a request's body to a record: what may be said is merged into the record's document, and core reads the whole. So core's rules, codes and
//! paths are the only ones.

use dezky_core::Error;
use dezky_core::names::nearest_name;
use serde::Serialize;
use serde_json::{Map, Value};

use super::operation::{Body, BodyForm};
use super::problem::{Finding, Problem};
use super::reply::unwritable;

/// A record that core reads and writes.
pub trait Document: Serialize + Sized {
    /// Reads it.
    fn read(bytes: &[u8]) -> Result<Self, Error>;
}

macro_rules! documents {
    ($($Type:ident)*) => {$(
        impl Document for dezky_core::model::$Type {
            fn read(bytes: &[u8]) -> Result<Self, Error> {
                dezky_core::model::$Type::from_json(bytes)
            }
        }
    )*};
}

documents! { Tenant Partner User Subscription Flag }

/// The body as an object of known members, with those that it needs.
pub fn members(mut members: Map<String, Value>, form: &Body) -> Result<Map<String, Value>, Problem> {
    let unknown = members.keys().filter(|name| !form.members.contains(&name.as_str()));
    let unknown = unknown.map(|name| Finding {
        path: format!("/{}", escape(name)),
        code: "unknown_field",
        detail: match nearest_name(name, form.members.iter().copied()) {
            Some(near) => format!("This member is not known here: did you mean `{near}`?").into(),
            None => "This member is not known here, or not for this caller to give".into(),
        },
    });
    let is_whole = form.form == BodyForm::Whole;
    let is_left_out = |value: &Value| is_whole && value.is_null();
    let missing = form.required.iter().filter(|name| members.get(**name).is_none_or(is_left_out));
    let missing = missing.map(|name| Finding {
        path: format!("/{name}"),
        code: "missing",
        detail: "This member is needed".into(),
    });
    let findings: Vec<Finding> = unknown.chain(missing).take(dezky_core::limits::MAX_PROBLEMS).collect();
    if !findings.is_empty() {
        return Err(Problem::of_findings(findings));
    }
    members.retain(|_, value| !is_left_out(value));
    Ok(members)
}

/// The record that a document becomes by a change of it (RFC 7396).
pub fn merged<T: Document>(current: &impl Serialize, change: &Map<String, Value>) -> Result<T, Problem> {
    let mut document = serde_json::to_value(current).map_err(unwritable)?;
    let change = Value::Object(change.clone());
    merge(&mut document, &change);
    let record = T::read(document.to_string().as_bytes())?;
    let kept = serde_json::to_value(&record).map_err(unwritable)?;
    let mut findings = Vec::new();
    find_unknown(&change, &kept, &mut String::new(), &mut findings);
    if findings.is_empty() { Ok(record) } else { Err(Problem::of_findings(findings)) }
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

/// What was said and is not in the record that came of it: nobody knows it.
fn find_unknown(said: &Value, kept: &Value, path: &mut String, findings: &mut Vec<Finding>) {
    let (Value::Object(said), Value::Object(kept)) = (said, kept) else { return };
    for (name, value) in said.iter().filter(|(_, value)| !value.is_null()) {
        let length = path.len();
        path.push('/');
        path.push_str(&escape(name));
        match kept.get(name) {
            Some(inner) => find_unknown(value, inner, path, findings),
            // An empty object leaves nothing behind where all its members are optional.
            None if value.as_object().is_some_and(Map::is_empty) => {}
            None if findings.len() < dezky_core::limits::MAX_PROBLEMS => findings.push(Finding {
                path: path.clone(),
                code: "unknown_field",
                detail: match nearest_name(name, kept.keys().map(String::as_str)) {
                    Some(near) => format!("This member is not known here: did you mean `{near}`?").into(),
                    None => "This member is not known here".into(),
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
