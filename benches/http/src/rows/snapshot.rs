//! The snapshot for services that evaluate locally: plain, compressed, and unchanged.

use std::sync::Arc;

use super::evaluate::CONNECTIONS;
use crate::client::{Client, request};
use crate::delivery;
use crate::load::{Generator, Load, Walk};
use crate::pair::{self, Side};
use crate::process::{Server, bare};
use crate::report::{Bar, Row};
use crate::{Effort, Failure};

const TARGET: &str = "/flags/snapshot";

/// Measures plain, compressed and unchanged snapshots.
pub async fn rows(server: &Server, operator: &str, effort: Effort) -> Result<Vec<Row>, Failure> {
    let key = delivery::server_key(server, operator).await?;
    let mut client = Client::connect(server.address).await?;
    let answer = client.ask(&request("GET", TARGET, &key, "", "")).await?;
    let etag = client.header(answer, "etag").ok_or("a snapshot without a tag")?;
    let if_none_match = format!("if-none-match: {etag}\r\n");
    let mut rows = Vec::new();
    for (headers, status, what) in [
        ("", 200, "100 flags"),
        ("accept-encoding: gzip\r\n", 200, "100 flags, gzip"),
        (if_none_match.as_str(), 304, "unchanged: 304"),
    ] {
        let question = request("GET", TARGET, &key, headers, "");
        let answer = client.ask(&question).await?;
        let bytes = client.body(answer).len();
        let bare = bare(status, bytes)?;
        let question = Arc::new(vec![question]);
        let requests = vec![question; CONNECTIONS];
        let sides = [server, &bare].map(|server| {
            let load =
                Load { address: server.address, requests: requests.clone(), status, walk: Walk::Around };
            Side { server, generator: Generator::new(load) }
        });
        let [ours, theirs] = pair::interleaved(sides, effort).await?;
        rows.push(Row {
            what: format!("`GET {TARGET}`, {what}, {bytes} bytes, machine key, {CONNECTIONS} connections"),
            ours: ours.figures(),
            beside: format!("bare handler: {}", theirs.figures()),
            bars: vec![Bar::at_least("share of the bare handler's throughput", ours.ratio_to(&theirs), 0.8)],
        });
    }
    Ok(rows)
}
