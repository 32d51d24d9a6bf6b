//! A server with two tenants, their records, and callers that belong to the first tenant.

use dezky_server::http::router::OPEN_PATHS;
use dezky_server::routes::ENDPOINTS;
use serde_json::{Value, json};

use super::observation::Observation;
use crate::support::{Api, Server};

/// An id that no record has.
pub const ABSENT: &str = "0190f5fe-0000-7000-8000-000000000000";

/// The records that requests are about; each array has the callers' own, another tenant's, and an
/// absent one.
pub struct TwoTenants {
    pub server: Server,
    pub operator: Api,
    pub tenants: [String; 3],
    pub tenant_ids: [String; 3],
    pub users: [String; 3],
    pub subscriptions: [String; 3],
    pub keys: [String; 3],
    /// A tenant key, a member, an anonymous client and an owner.
    pub callers: Vec<(&'static str, Api)>,
}

/// A request without its credential.
pub struct Probe {
    pub method: String,
    pub path: String,
    pub body: Option<Value>,
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl TwoTenants {
    pub async fn new() -> TwoTenants {
        let server = Server::start();
        let operator = Api::sign_in(&server, "operator").await;
        let (member, other) = (operator.user_id("dev-member").await, operator.user_id("dev-other").await);
        let users = [member, other, ABSENT.to_owned()];
        let mut subscriptions = [String::new(), String::new(), ABSENT.to_owned()];
        let mut tenant_ids = [String::new(), String::new(), ABSENT.to_owned()];
        for (index, slug) in ["acme", "globex"].into_iter().enumerate() {
            let found = operator.get(format!("/subscriptions?tenant={slug}")).send().await.is(200);
            subscriptions[index] = found.each("id")[0].to_owned();
            let tenant = operator.get(format!("/tenants/{slug}")).send().await.is(200);
            tenant_ids[index] = text(&tenant.body["id"]);
        }
        let tenant_key =
            |slug: &str| json!({ "name": format!("Key of {slug}"), "kind": "tenant", "tenantSlug": slug });
        let (own_key, secret) = server.create_key(tenant_key("acme")).await;
        let keys = [own_key, server.create_key(tenant_key("globex")).await.0, ABSENT.to_owned()];
        for (key, state, scope) in [
            ("for_others", "targeted", json!({ "tenantSlugs": ["globex"] })),
            ("for_their_plan", "rollout", json!({ "plans": ["enterprise"] })),
            ("for_their_partner", "targeted", json!({ "partnerSlugs": ["lumen"] })),
            ("for_some", "targeted", json!({ "tenantSlugs": ["acme", "globex"] })),
        ] {
            let body = json!({ "key": key, "state": state, "pct": 30, "scope": scope });
            operator.post("/flags").json(body).send().await.is(201);
        }
        let callers = vec![
            ("a tenant's key", Api::with_key(&server, &secret).await),
            ("a member", Api::sign_in(&server, "member").await),
            ("nobody", Api::anonymous(&server).await),
            ("an owner", Api::sign_in(&server, "owner").await),
        ];
        let tenants = ["acme", "globex", "absent"].map(str::to_owned);
        TwoTenants { server, operator, tenants, tenant_ids, users, subscriptions, keys, callers }
    }

    /// Every GET and POST request, about the own, the other and the absent record. `/metrics` is
    /// left out: it is open and has totals of all tenants, so a proxy has to keep it from tenants.
    pub fn probes(&self) -> Vec<[Probe; 3]> {
        let mut routes: Vec<(String, &str)> =
            ENDPOINTS.iter().map(|endpoint| (endpoint.method.to_string(), endpoint.path)).collect();
        routes.retain(|(method, path)| ["GET", "POST"].contains(&&**method) && *path != "/ofrep/v1/stream");
        let open = OPEN_PATHS.iter().filter(|path| **path != "/metrics");
        routes.extend(open.map(|path| ("GET".to_owned(), *path)));
        let mut probes = Vec::new();
        for (method, path) in routes {
            probes.push([0, 1, 2].map(|target| self.probe(&method, path, target, false)));
            if path.contains("slice")
                || path == "/audit"
                || path == "/subscriptions"
                || path.starts_with("/ofrep")
            {
                probes.push([0, 1, 2].map(|target| self.probe(&method, path, target, true)));
            }
        }
        probes
    }

    /// A request about one of the records; a `variant` names the tenant in a query, or by its id.
    fn probe(&self, method: &str, path: &str, target: usize, variant: bool) -> Probe {
        let slug = &*self.tenants[target];
        let ids = match path.split('/').nth(1) {
            Some("users") => &self.users,
            Some("subscriptions") => &self.subscriptions,
            _ => &self.keys,
        };
        let flag = ["for_some", "for_others", "meetings_e2ee"][target];
        let mut filled = path.replace("{slug}", slug).replace("{id}", &ids[target]).replace("{key}", flag);
        if variant && !path.starts_with("/ofrep") {
            filled.push_str(&format!("?tenant={slug}"));
        }
        let name = if variant { &*self.tenant_ids[target] } else { slug };
        let body = match path {
            _ if method == "GET" => None,
            "/flags/evaluate" => Some(json!({ "tenantSlug": slug })),
            _ if path.starts_with("/ofrep") => Some(json!({ "context": { "targetingKey": name } })),
            "/tenants" => Some(json!({ "slug": slug, "name": "N", "plan": "free" })),
            "/partners" => Some(json!({ "slug": slug, "name": "N" })),
            "/flags" => Some(json!({ "key": flag, "state": "on" })),
            "/flags/plan" => Some(json!({ "edits": [{ "kind": "deleteFlag", "key": flag }] })),
            "/keys" => Some(json!({ "name": "N", "kind": "tenant", "tenantSlug": slug })),
            "/subscriptions" => {
                Some(json!({ "tenantId": self.tenant_ids[target], "plan": "free", "status": "active",
                "price": { "amount": 1, "currency": "eur", "interval": "month" } }))
            }
            "/flags/{key}/restore" => Some(json!({ "revision": 1 })),
            "/keys/{id}/rotate" => Some(json!({})),
            _ => None,
        };
        Probe { method: method.to_owned(), path: filled, body }
    }

    /// Sends every request as this caller.
    pub async fn observe_all(&self, api: &Api) -> Vec<Observation> {
        let mut observations = Vec::new();
        for probe in self.probes().into_iter().flatten() {
            observations.push(Observation::of_request(api, &probe).await);
        }
        observations
    }

    /// The slugs, names and ids of other tenants, of their records, and of partners.
    pub async fn names_of_others(&self) -> Vec<String> {
        let mut names = Vec::new();
        let own_partner = self.operator.get("/tenants/acme").send().await.is(200).body["partnerId"].clone();
        let tenants = self.operator.get("/tenants?limit=200").send().await.is(200);
        let partners = self.operator.get("/partners?limit=200").send().await.is(200);
        let users = self.operator.get("/users?limit=200").send().await.is(200);
        for tenant in tenants.items().iter().filter(|tenant| tenant["slug"] != "acme") {
            names.push(text(&tenant["id"]));
            // The platform's own tenant has the name of the product.
            if tenant["slug"] != "dezky" {
                names.extend([text(&tenant["slug"]), text(&tenant["name"])]);
            }
        }
        for partner in partners.items() {
            names.push(text(&partner["name"]));
            // A tenant's own subject names its partner.
            if partner["id"] != own_partner {
                names.extend([text(&partner["id"]), text(&partner["slug"])]);
            }
        }
        for user in users.items() {
            let tenants = user["tenantIds"].as_array().unwrap();
            // Users without a tenant are operators; the changes that they made to acme name them.
            if !tenants.is_empty() && !tenants.iter().any(|id| *id == *self.tenant_ids[0]) {
                names.extend([text(&user["id"]), text(&user["email"])]);
            }
        }
        names.extend([self.subscriptions[1].clone(), self.keys[1].clone()]);
        assert!(names.len() > 30, "{names:?}");
        names
    }
}
