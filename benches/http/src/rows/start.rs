//! The start of the server with all data, until it is ready.

use std::path::Path;

use serde_json::Value;

use crate::client::{Client, request};
use crate::delivery;
use crate::digits::three_digits;
use crate::process::{Server, serve};
use crate::report::{Bar, Row, middle};
use crate::{Effort, Failure};

/// Measures starts on data with which the server has started once.
///
/// No start has to seed data, and the files are in the system's cache.
pub async fn row(
    binary: &Path,
    data: &Path,
    issuer: &str,
    token: &str,
    effort: Effort,
) -> Result<Row, Failure> {
    let first = serve(binary, data, issuer).await?.server;
    has_everything(&first, token).await?;
    first.stop()?;
    let mut starts = Vec::new();
    for _ in 0..effort.rounds {
        let started = serve(binary, data, issuer).await?;
        let (resident, peak) = started.server.resident()?;
        starts.push((started.ready_after.as_secs_f64() * 1e3, resident, peak));
        started.server.stop()?;
    }
    let (ready, resident) = (middle(&starts, |start| start.0), middle(&starts, |start| start.1));
    let peak = middle(&starts, |start| start.2);
    Ok(Row {
        what: "start with 100,000 tenants and 1,000 flags, until `/readyz` answers 200".to_owned(),
        ours: format!(
            "{} ms; {} MB resident, peak {} MB",
            three_digits(ready),
            three_digits(resident),
            three_digits(peak)
        ),
        beside: String::new(),
        bars: vec![Bar::at_most("ms", ready, 1_000.0), Bar::at_most("MB resident", resident, 150.0)],
    })
}

/// Counts the tenants, with the server's own one, and the flags. A start without data is fast.
async fn has_everything(server: &Server, token: &str) -> Result<(), Failure> {
    let mut client = Client::connect(server.address).await?;
    client.expect(200, &request("GET", "/users/me", token, "", "")).await?;
    let flags = delivery::snapshot(server, token).await?.flags().len();
    let question = request("GET", "/tenants?counts=true&limit=1", token, "", "");
    let tenants: Value = serde_json::from_str(&client.expect(200, &question).await?)?;
    let counts = tenants.get("counts").and_then(Value::as_object).ok_or("no counts")?;
    let tenants: u64 = counts.values().filter_map(Value::as_u64).sum();
    match (flags, tenants) {
        (1_000, 100_001) => Ok(()),
        _ => Err(format!("the server has {tenants} tenants and {flags} flags").into()),
    }
}
