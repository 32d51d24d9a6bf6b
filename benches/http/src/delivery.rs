//! What the rows on delivery share: a machine key, the snapshot, and a flag that is turned on and off.

use std::time::Instant;

use dezky_core::flags::Snapshot;
use serde_json::{Value, json};

use crate::Failure;
use crate::client::{Client, request};
use crate::process::Server;
use crate::workload::{State, Workload};

/// The secret of a new machine key of kind `server`.
pub async fn server_key(server: &Server, operator: &str) -> Result<String, Failure> {
    let mut client = Client::connect(server.address).await?;
    client.expect(200, &request("GET", "/users/me", operator, "", "")).await?;
    let body = json!({ "name": "Benchmarks", "kind": "server" }).to_string();
    let answer: Value =
        serde_json::from_str(&client.expect(201, &request("POST", "/keys", operator, "", &body)).await?)?;
    Ok(answer.get("secret").and_then(Value::as_str).ok_or("a key without a secret")?.to_owned())
}

/// The snapshot that is out now.
pub async fn snapshot(server: &Server, token: &str) -> Result<Snapshot, Failure> {
    let question = request("GET", "/flags/snapshot", token, "", "");
    let body = Client::connect(server.address).await?.expect(200, &question).await?;
    Snapshot::from_json(body.as_bytes())
        .map_err(|error| format!("a snapshot that core refuses: {error}").into())
}

/// Turns one flag on and off.
pub struct Switch {
    client: Client,
    /// What it is called.
    pub key: String,
    off: Vec<u8>,
    on: Vec<u8>,
    is_on: bool,
}

/// One turn of it.
#[derive(Clone, Copy)]
pub struct Flip {
    /// When it was sent.
    pub sent: Instant,
    /// When its answer was there.
    pub acknowledged: Instant,
    /// Whether the flag is on now.
    pub is_on: bool,
}

impl Switch {
    /// On a flag of those that are off; whatever became of it before, it is off now.
    pub async fn new(server: &Server, operator: &str, workload: &Workload) -> Result<Switch, Failure> {
        let flag = workload.flags.iter().find(|flag| flag.state == State::Off).ok_or("no flag is off")?;
        let to = |state: &str| {
            let (target, body) = (format!("/flags/{}", flag.key), json!({ "state": state }).to_string());
            request("PATCH", &target, operator, "if-match: *\r\n", &body)
        };
        let (mut client, off) = (Client::connect(server.address).await?, to("off"));
        client.expect(200, &off).await?;
        Ok(Switch { client, key: flag.key.clone(), off, on: to("on"), is_on: false })
    }

    /// Turns it.
    pub async fn flip(&mut self) -> Result<Flip, Failure> {
        self.is_on = !self.is_on;
        let request = if self.is_on { &self.on } else { &self.off };
        let sent = Instant::now();
        let answer = self.client.ask(request).await?;
        let acknowledged = Instant::now();
        match answer.status {
            200 => Ok(Flip { sent, acknowledged, is_on: self.is_on }),
            status => {
                let body = String::from_utf8_lossy(self.client.body(answer)).into_owned();
                Err(format!("{status} instead of 200: {body}").into())
            }
        }
    }
}
