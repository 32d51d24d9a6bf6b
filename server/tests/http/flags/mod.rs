//! Flags: creation, changes, kills, history and evaluation.

mod creation;
mod evaluation;
mod history;
mod warnings;

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

async fn operator() -> Api {
    Api::sign_in(&SERVER, "operator").await
}

async fn create(api: &Api, body: Value) -> Answer {
    api.post("/flags").json(body).send().await
}

async fn patch(api: &Api, key: &str, change: Value) -> Answer {
    api.patch(format!("/flags/{key}")).any_version().json(change).send().await
}

async fn read(api: &Api, key: &str) -> Value {
    api.get(format!("/flags/{key}")).send().await.is(200).body
}

/// The scope of a flag that names nothing.
fn no_scope() -> Value {
    json!({ "plans": [], "tenantSlugs": [], "partnerSlugs": [], "environments": [] })
}
