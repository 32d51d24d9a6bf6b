//! Cedar at its best: policies, entities and requests built once, no schema check.

use std::str::FromStr;

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use serde_json::{Value, json};

use crate::access::{Case, Cases, Person};

/// Membership is the entity hierarchy, Cedar's fastest relation.
///
/// The status of tenants is left out, as for casbin. Dezky checks it.
const POLICIES: &str = r#"
permit(principal, action in Action::"read", resource)
when { principal in resource };

permit(principal in Role::"platform_admin", action in Action::"read", resource);

permit(principal in Role::"platform_admin", action in Action::"operate", resource)
when { context.operatorAudience };

permit(principal, action == Action::"tenant.update", resource)
when { principal in resource && principal.role == "admin" };
"#;

pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
}

impl Cedar {
    pub fn new(cases: &Cases) -> Result<Self, String> {
        Ok(Self {
            authorizer: Authorizer::new(),
            policies: PolicySet::from_str(POLICIES).map_err(|error| error.to_string())?,
            entities: Entities::from_json_value(entities(cases), None).map_err(|error| error.to_string())?,
        })
    }

    pub fn request(case: &Case) -> Result<Request, String> {
        let context =
            Context::from_json_value(json!({ "operatorAudience": case.person.operator_audience }), None)
                .map_err(|error| error.to_string())?;
        Request::new(
            uid("User", &case.person.id)?,
            uid("Action", case.action)?,
            uid("Tenant", &case.tenant)?,
            context,
            None,
        )
        .map_err(|error| error.to_string())
    }

    #[inline]
    pub fn is_allowed(&self, request: &Request) -> bool {
        self.authorizer.is_authorized(request, &self.policies, &self.entities).decision() == Decision::Allow
    }
}

fn uid(kind: &str, name: &str) -> Result<EntityUid, String> {
    EntityUid::from_str(&format!("{kind}::\"{name}\"")).map_err(|error| error.to_string())
}

fn entities(cases: &Cases) -> Value {
    let mut entities = vec![
        action("tenant.read", "read"),
        action("tenant.suspend", "operate"),
        action("tenant.update", "operate"),
        json!({ "uid": { "type": "Action", "id": "read" }, "attrs": {}, "parents": [] }),
        json!({ "uid": { "type": "Action", "id": "operate" }, "attrs": {}, "parents": [] }),
        json!({ "uid": { "type": "Role", "id": "platform_admin" }, "attrs": {}, "parents": [] }),
    ];
    entities.extend(
        cases
            .tenants
            .iter()
            .map(|tenant| json!({ "uid": { "type": "Tenant", "id": tenant }, "attrs": {}, "parents": [] })),
    );
    entities.extend(cases.people.iter().map(person));
    Value::Array(entities)
}

fn action(name: &str, group: &str) -> Value {
    json!({
        "uid": { "type": "Action", "id": name },
        "attrs": {},
        "parents": [{ "type": "Action", "id": group }],
    })
}

fn person(person: &Person) -> Value {
    let mut parents: Vec<Value> =
        person.tenants.iter().map(|tenant| json!({ "type": "Tenant", "id": tenant })).collect();
    if person.platform_admin {
        parents.push(json!({ "type": "Role", "id": "platform_admin" }));
    }
    json!({
        "uid": { "type": "User", "id": person.id },
        "attrs": { "role": person.role },
        "parents": parents,
    })
}
