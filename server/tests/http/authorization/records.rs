//! The records that the rows of the table are about, and a valid request for each row.

use serde_json::{Value, json};

use super::table::Row;
use super::{SERVER, context};
use crate::support::Api;

/// The path and the body of a request.
pub type PathAndBody = (String, Option<Value>);

/// The ids of sample records, and an operator who creates further ones.
pub struct Records {
    operator: Api,
    member: String,
    owner: String,
    inactive: String,
    subscription: String,
    key: String,
}

impl Records {
    pub async fn new() -> Records {
        let operator = Api::sign_in(&SERVER, "operator").await;
        let member = operator.user_id("dev-member").await;
        let owner = operator.user_id("dev-owner").await;
        let inactive = operator.user_id("dev-inactive").await;
        let subscriptions = operator.get("/subscriptions?tenant=acme").send().await.is(200);
        let subscription = subscriptions.each("id")[0].to_owned();
        let (key, _) = SERVER.create_key(json!({ "name": "Looked at", "kind": "server" })).await;
        Records { operator, member, owner, inactive, subscription, key }
    }

    /// A valid request for this row. A request that uses up its record gets a new record.
    pub async fn request(&self, row: &Row, succeeds: bool) -> PathAndBody {
        match row.path.split('/').nth(1).unwrap_or_default() {
            "tenants" => self.tenant_request(row, succeeds).await,
            "partners" => self.partner_request(row, succeeds).await,
            "users" => self.user_request(row),
            "subscriptions" => self.subscription_request(row, succeeds).await,
            "flags" => self.flag_request(row, succeeds).await,
            "keys" => self.key_request(row, succeeds).await,
            "ofrep" => self.ofrep_request(row).await,
            _ => (with_query(row), None),
        }
    }

    async fn tenant_request(&self, row: &Row, succeeds: bool) -> PathAndBody {
        let path = |slug: &str| row.path.replace("{slug}", slug);
        match (row.method, row.path.rsplit('/').next().unwrap_or_default()) {
            ("POST", "tenants") => {
                (path(""), Some(json!({ "slug": fresh("t"), "name": "T", "plan": "free" })))
            }
            ("PATCH", _) => (path("acme"), Some(json!({ "name": fresh("Acme ") }))),
            ("DELETE", _) | ("POST", "suspend" | "resume" | "activate") if succeeds => {
                let tenant = self.tenant().await;
                let slug = tenant["slug"].as_str().unwrap();
                if row.path.ends_with("resume") {
                    let suspend = self.operator.post(format!("/tenants/{slug}/suspend"));
                    suspend.any_version().send().await.is(200);
                }
                (path(slug), None)
            }
            _ => (path("acme"), None),
        }
    }

    async fn partner_request(&self, row: &Row, succeeds: bool) -> PathAndBody {
        let path = |slug: &str| row.path.replace("{slug}", slug);
        match row.method {
            "POST" => (path(""), Some(json!({ "slug": fresh("p"), "name": "P" }))),
            "PATCH" => (path("nordlys"), Some(json!({ "name": fresh("Nordlys ") }))),
            "DELETE" if succeeds => {
                let slug = fresh("p");
                let body = json!({ "slug": slug, "name": "P" });
                self.operator.post("/partners").json(body).send().await.is(201);
                (path(&slug), None)
            }
            _ => (path("nordlys"), None),
        }
    }

    fn user_request(&self, row: &Row) -> PathAndBody {
        let path = |id: &str| row.path.replace("{id}", id);
        match (row.method, row.variant) {
            ("GET", "colleague") => (path(&self.owner), None),
            ("PATCH", _) => (path(&self.member), Some(json!({ "name": fresh("Mia ") }))),
            ("DELETE", _) => (path(&self.inactive), None),
            _ => (path(&self.member), None),
        }
    }

    async fn subscription_request(&self, row: &Row, succeeds: bool) -> PathAndBody {
        let path = |id: &str| row.path.replace("{id}", id);
        match row.method {
            "POST" => {
                let tenant = self.operator.get("/tenants/acme").send().await.is(200).body["id"].clone();
                (path(""), Some(subscription(&tenant)))
            }
            "PATCH" => (path(&self.subscription), Some(json!({ "plan": fresh("plan") }))),
            "DELETE" if succeeds => {
                let body = subscription(&self.tenant().await["id"]);
                let made = self.operator.post("/subscriptions").json(body).send().await.is(201).body;
                (path(made["id"].as_str().unwrap()), None)
            }
            _ => (with_query(row).replace("{id}", &self.subscription), None),
        }
    }

    async fn flag_request(&self, row: &Row, succeeds: bool) -> PathAndBody {
        let path = |key: &str| row.path.replace("{key}", key);
        match (row.method, row.path) {
            ("POST", "/flags") => (path(""), Some(json!({ "key": fresh("f"), "state": "off" }))),
            ("POST", "/flags/evaluate") => (path(""), Some(json!({ "tenantSlug": "acme" }))),
            ("POST", "/flags/plan") => {
                let edit = json!({ "kind": "putFlag", "flag": { "key": "planned", "state": "on" } });
                (path(""), Some(json!({ "edits": [edit] })))
            }
            ("PATCH", _) => (path("meetings_e2ee"), Some(json!({ "description": fresh("Text ") }))),
            ("POST", "/flags/{key}/restore") => {
                let flag = self.operator.get("/flags/meetings_e2ee").send().await.is(200).body;
                let revision = flag["history"][0]["revision"].clone();
                (path("meetings_e2ee"), Some(json!({ "revision": revision })))
            }
            ("DELETE", _) | ("POST", "/flags/{key}/kill") if succeeds => {
                let key = fresh("f");
                let body = json!({ "key": key, "state": "on" });
                self.operator.post("/flags").json(body).send().await.is(201);
                (path(&key), None)
            }
            (_, "/flags/slice" | "/flags/slice/stream") => (format!("{}?tenant=acme", row.path), None),
            _ => (path("meetings_e2ee"), None),
        }
    }

    async fn key_request(&self, row: &Row, succeeds: bool) -> PathAndBody {
        let path = |id: &str| row.path.replace("{id}", id);
        match (row.method, row.path) {
            ("POST", "/keys") => (path(""), Some(json!({ "name": "New", "kind": "server" }))),
            ("DELETE", _) if succeeds => {
                let (id, _) = SERVER.create_key(json!({ "name": "For a moment", "kind": "server" })).await;
                (path(&id), None)
            }
            ("POST", _) => (path(&self.key), Some(json!({}))),
            _ => (path(&self.key), None),
        }
    }

    async fn ofrep_request(&self, row: &Row) -> PathAndBody {
        if row.method == "POST" {
            return (row.path.replace("{key}", "meetings_e2ee"), Some(context("acme")));
        }
        if row.variant != "linked" {
            return (format!("{}?tenant=acme", row.path), None);
        }
        let all = self.operator.post("/ofrep/v1/evaluate/flags").json(context("acme"));
        let endpoint = &all.send().await.is(200).body["eventStreams"][0]["endpoint"];
        (endpoint["requestUri"].as_str().unwrap().to_owned(), None)
    }

    async fn tenant(&self) -> Value {
        let body = json!({ "slug": fresh("tenant"), "name": "Fresh", "plan": "business" });
        self.operator.post("/tenants").json(body).send().await.is(201).body
    }
}

/// The path of the row, with the query of its variant.
fn with_query(row: &Row) -> String {
    let query = if row.variant == "?tenant" { "?tenant=acme" } else { "" };
    format!("{}{query}", row.path)
}

fn subscription(tenant: &Value) -> Value {
    json!({
        "tenantId": tenant, "plan": "business", "status": "active",
        "price": { "amount": 1000, "currency": "eur", "interval": "month" },
    })
}

/// A name that no other record has.
fn fresh(prefix: &str) -> String {
    format!("{prefix}{}", uuid::Uuid::now_v7().simple())
}
