//! Pages of tenants for search texts with many, some and no matches.

use std::sync::Arc;

use serde_json::Value;

use crate::client::{Client, request};
use crate::load::{Generator, Load, Walk};
use crate::pair::{self, Rounds, Side};
use crate::process::{Server, bare};
use crate::report::{Bar, Row, time};
use crate::{Effort, Failure};

/// The longest page size, for walking to a deep page quickly.
const WALK_PAGE_SIZE: usize = 200;

/// Search texts with their matches. Ordered by slug, `vertex-works` is almost at the end.
const TEXTS: [(&str, &str); 6] = [
    ("labs", "one in eight matches"),
    ("vertex-works", "one in a hundred matches, all near the end of the order"),
    ("-77", "one in fifty matches, everywhere"),
    ("works-4242", "a handful match"),
    ("zzzz", "no match"),
    ("zq", "no match, two letters"),
];

/// The factor that counts as noise between a deep page and the first page.
const TOLERANCE: f64 = 1.2;

/// Measures first pages and deep pages.
pub async fn rows(server: &Server, token: &str, effort: Effort) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for (text, matches) in TEXTS {
        let first = format!("/tenants?q={text}&limit=50");
        let (ours, theirs) = beside_bare(server, token, &first, effort).await?;
        rows.push(Row {
            what: format!("`GET /tenants?q={text}`: {matches}; first page of 50, one connection"),
            ours: figures(&ours),
            beside: format!("bare handler: {}", figures(&theirs)),
            bars: vec![Bar::at_most("p50 in ms", ours.quantile(0.5) / 1e6, 2.0)],
        });
    }
    for (text, sort) in [("labs", "slug"), ("-77", "slug"), ("labs", "-createdAt")] {
        rows.push(deep(server, token, text, sort, effort).await?);
    }
    Ok(rows)
}

async fn beside_bare(
    server: &Server,
    token: &str,
    target: &str,
    effort: Effort,
) -> Result<(Rounds, Rounds), Failure> {
    let question = request("GET", target, token, "", "");
    let body = Client::connect(server.address).await?.expect(200, &question).await?;
    let bare = bare(200, body.len())?;
    let requests = vec![Arc::new(vec![question])];
    let sides = [server, &bare].map(|server| side(server, requests.clone()));
    let [ours, theirs] = pair::interleaved(sides, effort).await?;
    Ok((ours, theirs))
}

/// Measures a deep page and the first page of the same query, interleaved.
async fn deep(server: &Server, token: &str, text: &str, sort: &str, effort: Effort) -> Result<Row, Failure> {
    let question = format!("/tenants?q={text}&sort={sort}");
    let (cursor, skipped) = deepest(server, token, &question).await?;
    let first = request("GET", &format!("{question}&limit=50"), token, "", "");
    let last = request("GET", &format!("{question}&limit=50&cursor={cursor}"), token, "", "");
    let sides = [last, first].map(|request| side(server, vec![Arc::new(vec![request])]));
    let [deep, first] = pair::interleaved(sides, effort).await?;
    Ok(Row {
        what: format!("`GET /tenants?q={text}` sorted by `{sort}`: the page after {skipped} tenants"),
        ours: figures(&deep),
        beside: format!("first page: {}", figures(&first)),
        bars: vec![
            Bar::at_most("p50 in ms", deep.quantile(0.5) / 1e6, 2.0),
            Bar::at_most("times the first page's p50", deep.quantile(0.5) / first.quantile(0.5), TOLERANCE),
        ],
    })
}

fn side(server: &Server, requests: Vec<Arc<Vec<Vec<u8>>>>) -> Side<'_> {
    let load = Load { address: server.address, requests, status: 200, walk: Walk::Around };
    Side { server, generator: Generator::new(load) }
}

/// Returns the cursor of the last full page and the number of tenants before it.
async fn deepest(server: &Server, token: &str, question: &str) -> Result<(String, usize), Failure> {
    let mut client = Client::connect(server.address).await?;
    let (mut cursor, mut skipped): (Option<String>, usize) = (None, 0);
    loop {
        let after = cursor.as_ref().map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let target = format!("{question}&limit={WALK_PAGE_SIZE}{after}");
        let page: Value =
            serde_json::from_str(&client.expect(200, &request("GET", &target, token, "", "")).await?)?;
        match (page.get("nextCursor").and_then(Value::as_str), cursor) {
            (Some(next), _) => cursor = Some(next.to_owned()),
            // Only the page before the last is certainly full.
            (None, Some(cursor)) if skipped >= WALK_PAGE_SIZE => {
                return Ok((last_full(&mut client, token, question, cursor).await?, skipped));
            }
            (None, _) => return Err(format!("{question} has too few tenants for a deep page").into()),
        }
        skipped += WALK_PAGE_SIZE;
    }
}

/// Checks that the page after the cursor has 50 tenants.
async fn last_full(
    client: &mut Client,
    token: &str,
    question: &str,
    cursor: String,
) -> Result<String, Failure> {
    let target = format!("{question}&limit=50&cursor={cursor}");
    let page: Value =
        serde_json::from_str(&client.expect(200, &request("GET", &target, token, "", "")).await?)?;
    match page.get("items").and_then(Value::as_array).map_or(0, Vec::len) {
        50 => Ok(cursor),
        count => Err(format!("the last page of {question} has {count} tenants: choose another text").into()),
    }
}

fn figures(rounds: &Rounds) -> String {
    format!(
        "p50 {}, p99 {}, {} CPU each",
        time(rounds.quantile(0.5)),
        time(rounds.quantile(0.99)),
        time(rounds.cpu())
    )
}
