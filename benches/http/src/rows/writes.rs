//! Durable writes, and the time of the disk alone for comparison.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use crate::client::{Client, request};
use crate::digits::three_digits;
use crate::load::{Generator, Load, Round, Walk, quantile};
use crate::process::Server;
use crate::report::{Bar, Row, middle, time};
use crate::workload::Workload;
use crate::{Effort, Failure};

const CLIENTS: usize = 32;

/// More requests than all rounds can use. A round that needs more ends the run.
const PER_CLIENT: usize = 20_000;

/// The minimum that a small commit appends to the write-ahead log.
const APPENDED: [u8; 8_192] = [0x5a; 8_192];

/// Measures concurrent writes and the writes of one client.
pub async fn rows(
    server: &Server,
    tokens: &[String],
    data: &Path,
    workload: &Workload,
    effort: Effort,
) -> Result<Vec<Row>, Failure> {
    let create = |client: usize, number: usize| (format!("new-{client}-{number}"), "", number);
    let mut rows = Vec::new();
    let made = requests(tokens, |token, client, number| {
        let (slug, headers, _) = create(client, number);
        request("POST", "/tenants", token, headers, &new_tenant(&slug))
    });
    rows.push(many(server, made, 201, "`POST /tenants`", effort).await?);
    let keyed = requests(tokens, |token, client, number| {
        let key = format!("idempotency-key: {client}-{number}\r\n");
        request("POST", "/tenants", token, &key, &new_tenant(&format!("keyed-{client}-{number}")))
    });
    rows.push(many(server, keyed, 201, "`POST /tenants` with `Idempotency-Key`", effort).await?);
    let changed = requests(tokens, |token, client, number| {
        let slug = workload.tenants.get(client).map_or("", |row| row.slug.as_str());
        let body = json!({ "name": format!("Renamed {number}") }).to_string();
        request("PATCH", &format!("/tenants/{slug}"), token, "if-match: *\r\n", &body)
    });
    rows.push(many(server, changed, 200, "`PATCH /tenants/{slug}`, one tenant per client", effort).await?);
    rows.push(alone(server, tokens.first().ok_or("no token")?, data, effort).await?);
    Ok(rows)
}

fn new_tenant(slug: &str) -> String {
    json!({ "slug": slug, "name": format!("Tenant {slug}"), "plan": "business" }).to_string()
}

fn requests(tokens: &[String], make: impl Fn(&str, usize, usize) -> Vec<u8>) -> Vec<Arc<Vec<Vec<u8>>>> {
    let clients = tokens.iter().take(CLIENTS).enumerate();
    clients
        .map(|(client, token)| Arc::new((0..PER_CLIENT).map(|number| make(token, client, number)).collect()))
        .collect()
}

async fn many(
    server: &Server,
    requests: Vec<Arc<Vec<Vec<u8>>>>,
    status: u16,
    what: &str,
    effort: Effort,
) -> Result<Row, Failure> {
    let load = Load { address: server.address, requests, status, walk: Walk::Once };
    let generator = Generator::new(load);
    generator.round(effort.round / 2).await?;
    let before = server.cpu()?;
    let mut rounds = Vec::new();
    for _ in 0..effort.rounds {
        rounds.push(generator.round(effort.round).await?);
    }
    let cpu = server.cpu()?.saturating_sub(before);
    let answers: usize = rounds.iter().map(|round| round.latencies.len()).sum();
    let throughput = middle(&rounds, Round::throughput);
    Ok(Row {
        what: format!("durable writes, {CLIENTS} clients: {what}"),
        ours: format!(
            "{} /s, p50 {}, p99 {}, {} CPU each",
            three_digits(throughput),
            time(middle(&rounds, |round| round.quantile(0.5))),
            time(middle(&rounds, |round| round.quantile(0.99))),
            time(cpu.as_nanos() as f64 / answers as f64),
        ),
        beside: String::new(),
        bars: vec![Bar::at_least("acknowledged/s", throughput, 2_000.0)],
    })
}

/// Measures one client, alternating with the disk alone.
///
/// The disk appends and syncs the same bytes, and overwrites and syncs them for context. The
/// write-ahead log overwrites once it has grown.
async fn alone(server: &Server, token: &str, data: &Path, effort: Effort) -> Result<Row, Failure> {
    let mut client = Client::connect(server.address).await?;
    let path = data.with_extension("fsync");
    let mut appended = OpenOptions::new().create(true).append(true).open(&path)?;
    let over_path = data.with_extension("overwritten");
    let mut over = File::create(&over_path)?;
    let mut times = [(); 3].map(|()| Vec::with_capacity(effort.pairs));
    for number in 0..effort.pairs {
        let body = new_tenant(&format!("alone-{number}"));
        let question = request("POST", "/tenants", token, "", &body);
        let start = Instant::now();
        let answer = client.ask(&question).await?;
        let posted = Instant::now();
        if answer.status != 201 {
            return Err(format!("{} instead of 201", answer.status).into());
        }
        appended.write_all(&APPENDED)?;
        appended.sync_all()?;
        let synced = Instant::now();
        over.seek(SeekFrom::Start((number % 64 * APPENDED.len()) as u64))?;
        over.write_all(&APPENDED)?;
        over.sync_all()?;
        let [ours, append, overwrite] = &mut times;
        ours.push(u64::try_from((posted - start).as_nanos())?);
        append.push(u64::try_from((synced - posted).as_nanos())?);
        overwrite.push(u64::try_from(synced.elapsed().as_nanos())?);
    }
    std::fs::remove_file(path)?;
    std::fs::remove_file(over_path)?;
    times.iter_mut().for_each(|times| times.sort_unstable());
    let [ours, append, overwrite] = times.each_ref().map(|times| quantile(times, 0.5));
    Ok(Row {
        what: "durable writes, one client: `POST /tenants`".to_owned(),
        ours: format!("p50 {}, p99 {}", time(ours), time(quantile(times.first().ok_or("no times")?, 0.99))),
        beside: format!(
            "8 KiB appended and fsynced: p50 {}; 8 KiB overwritten and fsynced: p50 {}",
            time(append),
            time(overwrite)
        ),
        bars: vec![Bar::at_most("times one append and fsync", ours / append, 1.3)],
    })
}
