//! The view of a change. Operators see the whole change; owners and admins of a tenant see of a
//! changed user only who joins or leaves their tenant.

use dezky_core::access::Principal;
use dezky_core::model::Change;
use dezky_core::names::Id;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::http::call::Call;

/// The members of a user that the owners of a tenant see while the user belongs to it.
const OF_MEMBERS: [&str; 5] = ["id", "email", "emailVerified", "name", "role"];

/// A change as the caller may see it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangeView {
    #[serde(flatten)]
    change: Change,
    /// True if parts of `before` and `after` that concern others are left out. The hashes cover
    /// the whole change.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    redacted: bool,
}

impl ChangeView {
    /// Creates the view of a change for the caller.
    pub fn new(call: &Call, mut change: Change) -> ChangeView {
        let is_operator = matches!(&call.caller.principal, Principal::Person(person) if person.is_operator());
        let tenant = call.target.tenant.as_ref().filter(|_| !is_operator).map(|tenant| &tenant.id);
        let redacted = match tenant {
            Some(tenant) if change.content.entity.kind.as_str() == "user" => {
                change.content.before = of_tenant(&change.content.before, tenant);
                change.content.after = of_tenant(&change.content.after, tenant);
                true
            }
            _ => false,
        };
        ChangeView { change, redacted }
    }
}

/// Returns the part of a user document that concerns one tenant.
fn of_tenant(document: &Value, tenant: &Id) -> Value {
    let Some(members) = document.as_object() else { return Value::Null };
    let tenants = members.get("tenantIds").and_then(Value::as_array);
    let is_member = tenants.is_some_and(|tenants| tenants.iter().any(|id| id == tenant.as_str()));
    let shown = if is_member { &OF_MEMBERS[..] } else { &["id"] };
    let kept = shown.iter().filter_map(|&name| Some((name.to_owned(), members.get(name)?.clone())));
    let mut kept: Map<String, Value> = kept.collect();
    kept.insert("tenantIds".to_owned(), if is_member { json!([tenant]) } else { json!([]) });
    Value::Object(kept)
}
