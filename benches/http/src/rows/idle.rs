//! The memory of an idle server with little data.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use crate::Failure;
use crate::client::{Client, request};
use crate::digits::three_digits;
use crate::process::serve;
use crate::report::{Bar, Row};

/// Measures a new server after a sign-in, a few pages, and one idle second.
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
    let (resident, peak) = started.server.resident()?;
    started.server.stop()?;
    Ok(Row {
        what: "new server, idle after a few requests".to_owned(),
        ours: format!("{} MB resident, peak {} MB", three_digits(resident), three_digits(peak)),
        beside: String::new(),
        bars: vec![Bar::at_most("MB resident", resident, 25.0)],
    })
}
