//! The memory of 10,000 idle streams, and the time until a flip reaches all of them.

use crate::delivery::{Switch, server_key};
use crate::digits::three_digits;
use crate::machine;
use crate::process::Server;
use crate::readers::Readers;
use crate::report::{Bar, Row};
use crate::rows::news::FlipTimes;
use crate::workload::Workload;
use crate::{Effort, Failure};

const STREAMS: usize = 10_000;

/// The number of other open files on each side.
const OTHER_FILES: u64 = 200;

/// The divisor of the number of flips, because flips of this row are slow.
const FLIP_DIVISOR: usize = 5;

/// Measures the row on a new server, because freed memory of earlier work would be reused.
pub async fn row(
    server: &Server,
    operator: &str,
    workload: &Workload,
    effort: Effort,
) -> Result<Row, Failure> {
    let limit = machine::raise_open_files();
    if limit < STREAMS as u64 + OTHER_FILES {
        return Ok(Row {
            what: what(effort.flips.div_ceil(FLIP_DIVISOR)),
            ours: format!("not measured: a process may open only {limit} files (`ulimit -Hn`)"),
            beside: String::new(),
            bars: bars(f64::NAN, f64::NAN),
        });
    }
    let key = server_key(server, operator).await?;
    let mut switch = Switch::new(server, operator, workload).await?;
    // The memory of the first stream and the first changes does not count.
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
    // The server has closed the connection of the first switch, which was idle too long.
    let mut switch = Switch::new(server, operator, workload).await?;
    let flips = effort.flips.div_ceil(FLIP_DIVISOR);
    let mut notified = FlipTimes::default();
    for _ in 0..flips {
        let flip = switch.flip().await?;
        notified.record(flip, readers.news().await?)?;
        tokio::time::sleep(effort.round).await;
    }
    let notified = notified.figures();
    let (after, _) = server.resident()?;
    Ok(Row {
        what: what(flips),
        ours: format!(
            "{} MB resident without streams, {} MB with streams, {} MB after the flips; {}",
            three_digits(before),
            three_digits(resident),
            three_digits(after),
            notified.since_acknowledged
        ),
        beside: notified.since_sent,
        bars: bars(each, notified.p99 / 1e6),
    })
}

fn what(flips: usize) -> String {
    format!("{STREAMS} idle streams, then acknowledged flip → all of them notified, {flips} flips")
}

fn bars(kilobytes: f64, p99: f64) -> Vec<Bar> {
    vec![Bar::at_most("kB resident per stream", kilobytes, 25.0), Bar::at_most("p99 in ms", p99, 400.0)]
}
