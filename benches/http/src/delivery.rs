//! Helpers of the delivery rows: a machine key, the snapshot, and a flag that is switched.

use std::time::Instant;

use dezky_core::flags::Snapshot;
use serde_json::{Value, json};

use crate::Failure;
use crate::client::{Client, request};
use crate::process::Server;
use crate::workload::{State, Workload};

/// Creates a machine key of kind `server` and returns its secret.
pub async fn server_key(server: &Server, operator: &str) -> Result<String, Failure> {
    let mut client = Client::connect(server.address).await?;
    client.expect(200, &request("GET", "/users/me", operator, "", "")).await?;
    let body = json!({ "name": "Benchmarks", "kind": "server" }).to_string();
    let answer: Value =
        serde_json::from_str(&client.expect(201, &request("POST", "/keys", operator, "", &body)).await?)?;
    Ok(answer.get("secret").and_then(Value::as_str).ok_or("a key without a secret")?.to_owned())
}

/// Fetches the current snapshot.
pub async fn snapshot(server: &Server, token: &str) -> Result<Snapshot, Failure> {
    let question = request("GET", "/flags/snapshot", token, "", "");
    let body = Client::connect(server.address).await?.expect(200, &question).await?;
    Snapshot::from_json(body.as_bytes()).map_err(|error| format!("core refuses the snapshot: {error}").into())
}

/// A client that turns one flag on and off.
pub struct Switch {
    client: Client,
    /// The key of the flag.
    pub key: String,
    off: Vec<u8>,
    on: Vec<u8>,
    is_on: bool,
}

/// One acknowledged change of the flag.
#[derive(Clone, Copy)]
pub struct Flip {
    /// The time at which the request was sent.
    pub sent: Instant,
    /// The time at which the answer arrived.
    pub acknowledged: Instant,
    /// The state of the flag after the change.
    pub is_on: bool,
}

impl Switch {
    /// Creates a switch of a flag whose workload state is off, and turns the flag off.
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

    /// Turns the flag on if it is off, and off if it is on.
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
