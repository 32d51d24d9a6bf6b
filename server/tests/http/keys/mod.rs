//! Machine keys: creation, use, rotation, expiry and revocation.

mod creation;
mod environments;
mod lifetime;
mod revocation;
mod secrets;
mod usage;

use std::sync::LazyLock;

use serde_json::Value;

use crate::support::{Answer, Api, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

async fn operator() -> Api {
    Api::sign_in(&SERVER, "operator").await
}

async fn create(api: &Api, body: Value) -> Answer {
    api.post("/keys").json(body).send().await
}

/// Reads the snapshot with this secret, which every valid server key may do.
async fn read_snapshot(server: &Server, secret: &str) -> Answer {
    Api::with_key(server, secret).await.get("/flags/snapshot").send().await
}
