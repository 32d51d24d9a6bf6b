//! Records that a caller may not see are answered like records that do not exist.

use serde_json::{Value, json};

use super::records::PathAndBody;
use super::table::{Row, rows};
use super::{context, send};
use crate::support::{Answer, Api, Server};

/// This test has its own server, because the stranger gets a record in that of the table.
#[tokio::test]
async fn records_that_a_caller_may_not_see_look_absent() {
    let server = Server::start();
    let operator = Api::sign_in(&server, "operator").await;
    let user = operator.user_id("dev-member").await;
    let subscriptions = operator.get("/subscriptions?tenant=acme").send().await.is(200);
    let subscription = subscriptions.each("id")[0];
    let mut compared = 0;
    let key = server.create_key(json!({ "name": "For operators", "kind": "server" })).await.0;
    let mut callers = Vec::new();
    for persona in ["other", "support", "stranger", "former"] {
        callers.push((persona, Api::sign_in(&server, persona).await));
    }
    callers.push(("otherKey", Api::with_key(&server, &server.tenant_key("globex").await).await));
    for (persona, api) in callers {
        // Members of any tenant may read every flag.
        let may_read = |row: &Row| persona == "other" && row.path == "/flags/{key}" && row.method == "GET";
        for row in rows().iter().filter(|row| !may_read(row)) {
            let Some(pair) = pair(row, &user, subscription, &key) else { continue };
            let [(path, body), (absent_path, absent_body)] = pair;
            let there = send(&api, row.method, &path, body).await;
            let absent = send(&api, row.method, &absent_path, absent_body).await;
            assert!(there.status >= 400, "{persona}: {}", there.what);
            assert_eq!(without_ids(&there), without_ids(&absent), "{persona}: {}", there.what);
            compared += 1;
        }
    }
    assert!(compared >= 5 * 33, "{compared}");
}

/// Requests about an existing and about an absent record, for routes that are about a record.
fn pair(row: &Row, user: &str, subscription: &str, key: &str) -> Option<[PathAndBody; 2]> {
    let absent = "0190f5fe-0000-7000-8000-000000000000";
    let body = |slug: &str| match (row.method, row.path) {
        ("POST", "/flags/evaluate") => Some(json!({ "tenantSlug": slug })),
        ("POST", path) if path.starts_with("/ofrep") => Some(context(slug)),
        ("POST", "/flags/{key}/restore") => Some(json!({ "revision": 1 })),
        ("PATCH", "/subscriptions/{id}") => Some(json!({ "plan": "free" })),
        ("PATCH", _) => Some(json!({ "name": "Name" })),
        _ => None,
    };
    let names = match row.path.split('/').nth(1)? {
        "tenants" if row.path.contains('{') => ["acme", "absent"],
        "partners" if row.path.contains('{') => ["nordlys", "absent"],
        "users" if row.path.contains('{') => [user, absent],
        "subscriptions" if row.path.contains('{') => [subscription, absent],
        "flags" if row.path.contains('{') || row.path.ends_with("evaluate") => ["acme", "absent"],
        "flags" if row.path.starts_with("/flags/slice") => ["acme", "absent"],
        "ofrep" => ["acme", "absent"],
        "keys" if row.path.contains('{') => [key, absent],
        "audit" if !row.variant.is_empty() => ["acme", "absent"],
        _ => return None,
    };
    Some(names.map(|name| {
        // An evaluation is about its tenant, so the flag exists in both requests.
        let is_evaluation = row.path.starts_with("/ofrep");
        let key = if name == "absent" && !is_evaluation { name } else { "meetings_e2ee" };
        let path = row.path.replace("{slug}", name).replace("{id}", name).replace("{key}", key);
        let query = match row.path {
            "/audit" | "/flags/slice" | "/flags/slice/stream" => format!("?tenant={name}"),
            "/ofrep/v1/stream" => format!("?tenant={name}&token=AAAA"),
            _ => String::new(),
        };
        (format!("{path}{query}"), body(name))
    }))
}

/// Status, headers and body without the id and the time of the request.
fn without_ids(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    let named = |name: &str| ["x-request-id", "date"].contains(&name);
    let headers = answer.headers.iter().filter(|(name, _)| !named(name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("requestId");
    }
    (answer.status, headers.collect(), body)
}
