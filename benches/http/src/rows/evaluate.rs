//! Evaluation of all flags of a tenant for 32 concurrent callers.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Client, request};
use crate::digits::three_digits;
use crate::load::{Generator, Load, Walk};
use crate::pair::{self, Side};
use crate::process::{Server, bare};
use crate::random::Random;
use crate::report::{Bar, Row};
use crate::workload::Workload;
use crate::{Effort, Failure};

/// The number of concurrent connections.
pub const CONNECTIONS: usize = 32;

/// The number of requests in the list of each connection, each for a random tenant.
pub const TENANTS: usize = 256;

/// Measures the row. Each connection has its own token, which the warm-up uses first.
pub async fn rows(
    server: &Server,
    tokens: &[String],
    workload: &Workload,
    effort: Effort,
) -> Result<Vec<Row>, Failure> {
    let mut random = Random::new(0x3A1E);
    let requests: Vec<Arc<Vec<Vec<u8>>>> = tokens
        .iter()
        .take(CONNECTIONS)
        .map(|token| {
            let mut one = || {
                let slug =
                    workload.tenants.get(random.below(workload.tenants.len())).map(|row| row.slug.as_str());
                evaluate_request(token, slug.unwrap_or_default())
            };
            Arc::new((0..TENANTS).map(|_| one()).collect())
        })
        .collect();
    let body_bytes = verify(server, tokens.first().ok_or("no token")?, workload).await?;
    let bare = bare(200, body_bytes)?;
    let load = |server: &Server| {
        let (address, requests) = (server.address, requests.clone());
        Generator::new(Load { address, requests, status: 200, walk: Walk::Around })
    };
    let sides = [Side { server, generator: load(server) }, Side { server: &bare, generator: load(&bare) }];
    let [ours, theirs] = pair::interleaved(sides, effort).await?;
    Ok(vec![Row {
        what: format!(
            "`POST /flags/evaluate`, 100 flags, RS256, {} tenants, {CONNECTIONS} connections, {body_bytes} bytes",
            workload.tenants.len()
        ),
        ours: format!(
            "{}; {} times the bare handler's CPU",
            ours.figures(),
            three_digits(ours.cpu() / theirs.cpu())
        ),
        beside: format!("bare handler: {}", theirs.figures()),
        bars: vec![
            Bar::at_least("share of the bare handler's throughput", ours.ratio_to(&theirs), 1.0 / 3.0),
            Bar::at_most("p99 in ms", ours.quantile(0.99) / 1e6, 5.0),
        ],
    }])
}

fn evaluate_request(token: &str, slug: &str) -> Vec<u8> {
    request("POST", "/flags/evaluate", token, "", &json!({ "tenantSlug": slug }).to_string())
}

/// Compares answers with the scope rule in `workload.rs` and the hash of core before measuring.
///
/// Returns the mean size of an answer.
async fn verify(server: &Server, token: &str, workload: &Workload) -> Result<usize, Failure> {
    let mut client = Client::connect(server.address).await?;
    let mut total = 0;
    for (index, tenant) in workload.tenants.iter().enumerate().take(TENANTS) {
        let body = client.expect(200, &evaluate_request(token, &tenant.slug)).await?;
        let answer: Value = serde_json::from_str(&body)?;
        let count = answer.as_object().map_or(0, serde_json::Map::len);
        if count != workload.flags.len() + crate::data::SEEDED_FLAGS {
            return Err(format!("the server has {count} flags").into());
        }
        for flag in &workload.flags {
            let answered = answer.get(&flag.key).and_then(Value::as_bool);
            let expected = crate::data::is_on(workload, flag, index)?;
            if answered != Some(expected) {
                return Err(format!("{} for {}: {answered:?}, not {expected}", flag.key, tenant.slug).into());
            }
        }
        total += body.len();
    }
    Ok(total / TENANTS)
}
