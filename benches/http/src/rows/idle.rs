//! What a small server weighs when nobody asks anything.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use crate::Failure;
use crate::client::{Client, request};
use crate::digits::three_digits;
use crate::process::serve;
use crate::report::{Bar, Row};

/// Measures it: a fresh server, a sign-in, a few pages, and then a second of silence.
pub async fn row(binary: &Path, data: &Path, issuer: &str, token: &str) -> Result<Row, Failure> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
    let started = serve(binary, data, issuer).await?;
    let mut client = Client::connect(started.server.address).await?;
    for target in ["/users/me", "/tenants", "/flags", "/subscriptions", "/audit", "/partners"] {
        client.expect(200, &request("GET", target, token, "", "")).await?;
    }
    let body = r#"{"tenantSlug":"dezky"}"#;
    client.expect(200, &request("POST", "/flags/evaluate", token, "", body)).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (resident, most) = started.server.resident()?;
    started.server.stop()?;
    Ok(Row {
        what: "a fresh server after a few requests, idle".to_owned(),
        ours: format!("{} MB resident, {} MB at most", three_digits(resident), three_digits(most)),
        beside: "-".to_owned(),
        bars: vec![Bar::at_most("MB resident", resident, 25.0)],
    })
}
