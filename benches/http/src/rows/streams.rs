//! Ten thousand streams that say nothing, what they weigh, and how long news takes to reach all of them.

use crate::delivery::{Switch, server_key};
use crate::digits::three_digits;
use crate::machine;
use crate::process::Server;
use crate::readers::Readers;
use crate::report::{Bar, Row};
use crate::rows::news::Told;
use crate::workload::Workload;
use crate::{Effort, Failure};

const STREAMS: usize = 10_000;

/// Files that either side has open besides.
const OTHER_FILES: u64 = 200;

/// A flip for so many of the other row's.
const FLIPS: usize = 5;

/// Measures it, on a server that has done nothing else: memory that was used and given back would hold the streams unseen.
pub async fn row(
    server: &Server,
    operator: &str,
    workload: &Workload,
    effort: Effort,
) -> Result<Row, Failure> {
    let limit = machine::open_files();
    if limit < STREAMS as u64 + OTHER_FILES {
        return Ok(Row {
            what: what(effort.flips.div_ceil(FLIPS)),
            ours: format!("a process may open {limit} files here (`ulimit -Hn`)"),
            beside: "-".to_owned(),
            bars: bars(f64::NAN, f64::NAN),
        });
    }
    let key = server_key(server, operator).await?;
    let mut switch = Switch::new(server, operator, workload).await?;
    // What the first stream and the first changes need is not the streams'.
    let first = Readers::open(server.address, &key, 1).await?;
    for _ in 0..2 {
        switch.flip().await?;
        first.news().await?;
    }
    drop(first);
    tokio::time::sleep(effort.idle / 4).await;
    let (before, _) = server.resident()?;
    let readers = Readers::open(server.address, &key, STREAMS).await?;
    tokio::time::sleep(effort.idle).await;
    let (resident, _) = server.resident()?;
    let each = (resident - before) * 1e3 / STREAMS as f64;
    // The server has hung up on who was silent for so long.
    let mut switch = Switch::new(server, operator, workload).await?;
    let flips = effort.flips.div_ceil(FLIPS);
    let mut told = Told::default();
    for _ in 0..flips {
        let flip = switch.flip().await?;
        told.note(flip, readers.news().await?)?;
        tokio::time::sleep(effort.round).await;
    }
    let told = told.figures();
    let (after, _) = server.resident()?;
    Ok(Row {
        what: what(flips),
        ours: format!(
            "{} MB resident before, {} with them, {} after the flips; {}",
            three_digits(before),
            three_digits(resident),
            three_digits(after),
            told.since_acknowledged
        ),
        beside: told.since_sent,
        bars: bars(each, told.p99 / 1e6),
    })
}

fn what(flips: usize) -> String {
    format!("{STREAMS} idle streams; then a flip acknowledged → each of them notified, {flips} flips")
}

fn bars(kilobytes: f64, p99: f64) -> Vec<Bar> {
    vec![Bar::at_most("kB resident each", kilobytes, 25.0), Bar::at_most("p99 in ms", p99, 400.0)]
}
