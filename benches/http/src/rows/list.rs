//! A page of tenants among all of them, for texts that many, some and none have.

use std::sync::Arc;

use serde_json::Value;

use crate::client::{Client, request};
use crate::load::{Generator, Load, Walk};
use crate::pair::{self, Rounds, Side};
use crate::process::{Server, bare};
use crate::report::{Bar, Row, time};
use crate::{Effort, Failure};

/// The longest page, to walk to a deep one quickly.
const WALKED: usize = 200;

/// Texts, and who has them. In the order of slugs, the tenants of `vertex-works` are almost the last.
const TEXTS: [(&str, &str); 6] = [
    ("labs", "every eighth has it"),
    ("vertex-works", "one in a hundred, all near the end of the order"),
    ("-77", "one in fifty, everywhere"),
    ("works-4242", "a handful"),
    ("zzzz", "nobody"),
    ("zq", "nobody, two letters"),
];

/// How much more a deep page may cost than the first to count as the same: what rounds differ by anyway.
const SAME: f64 = 1.2;

/// Measures it.
pub async fn rows(server: &Server, token: &str, effort: Effort) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for (text, who) in TEXTS {
        let first = format!("/tenants?q={text}&limit=50");
        let (ours, theirs) = beside_bare(server, token, &first, effort).await?;
        rows.push(Row {
            what: format!("`GET /tenants?q={text}`: {who}; first page of 50, one connection"),
            ours: figures(&ours),
            beside: figures(&theirs),
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

/// A deep page in turn with the first one of the same question.
async fn deep(server: &Server, token: &str, text: &str, sort: &str, effort: Effort) -> Result<Row, Failure> {
    let question = format!("/tenants?q={text}&sort={sort}");
    let (cursor, skipped) = deepest(server, token, &question).await?;
    let first = request("GET", &format!("{question}&limit=50"), token, "", "");
    let last = request("GET", &format!("{question}&limit=50&cursor={cursor}"), token, "", "");
    let sides = [last, first].map(|request| side(server, vec![Arc::new(vec![request])]));
    let [deep, first] = pair::interleaved(sides, effort).await?;
    Ok(Row {
        what: format!("the same sorted by `{sort}`, `q={text}`: the page after {skipped} others"),
        ours: figures(&deep),
        beside: format!("first page: {}", figures(&first)),
        bars: vec![
            Bar::at_most("p50 in ms", deep.quantile(0.5) / 1e6, 2.0),
            Bar::at_most("of the first page's p50", deep.quantile(0.5) / first.quantile(0.5), SAME),
        ],
    })
}

fn side(server: &Server, requests: Vec<Arc<Vec<Vec<u8>>>>) -> Side<'_> {
    let load = Load { address: server.address, requests, status: 200, walk: Walk::Around };
    Side { server, generator: Generator::new(load) }
}

/// The cursor after which the last full page starts, and how many tenants are before it.
async fn deepest(server: &Server, token: &str, question: &str) -> Result<(String, usize), Failure> {
    let mut client = Client::connect(server.address).await?;
    let (mut cursor, mut skipped): (Option<String>, usize) = (None, 0);
    loop {
        let after = cursor.as_ref().map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let target = format!("{question}&limit={WALKED}{after}");
        let page: Value =
            serde_json::from_str(&client.expect(200, &request("GET", &target, token, "", "")).await?)?;
        match (page.get("nextCursor").and_then(Value::as_str), cursor) {
            (Some(next), _) => cursor = Some(next.to_owned()),
            // The page before the last is the deepest that is surely full.
            (None, Some(cursor)) if skipped >= WALKED => {
                return Ok((last_full(&mut client, token, question, cursor).await?, skipped));
            }
            (None, _) => return Err(format!("{question} has too few tenants for a deep page").into()),
        }
        skipped += WALKED;
    }
}

/// The last page must have the fifty that are timed.
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
