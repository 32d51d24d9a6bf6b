//! The time from an acknowledged flip of a flag to its arrival at all followers.

use std::time::{Duration, Instant};

use crate::delivery::{Flip, Switch, server_key};
use crate::live::{Live, Question};
use crate::load::quantile;
use crate::process::Server;
use crate::readers::Readers;
use crate::report::{Bar, Row, middle, time};
use crate::workload::Workload;
use crate::{Effort, Failure};

const STREAMS: usize = 1_000;

/// The number of live clients beside the streams.
const CLIENTS: usize = 4;

/// The pause between flips, so that they do not overlap.
const PAUSE: Duration = Duration::from_millis(100);

/// Measures flips with streams and live clients.
pub async fn rows(
    server: &Server,
    operator: &str,
    workload: &Workload,
    effort: Effort,
) -> Result<Vec<Row>, Failure> {
    let key = server_key(server, operator).await?;
    let mut switch = Switch::new(server, operator, workload).await?;
    let mut without_streams = FlipTimes::default();
    for _ in 0..effort.flips {
        without_streams.record(switch.flip().await?, Vec::new())?;
        tokio::time::sleep(PAUSE / 4).await;
    }
    let readers = Readers::open(server.address, &key, STREAMS).await?;
    let tenant = workload.tenants.first().ok_or("no tenant")?;
    let tenant = [&tenant.id, &tenant.slug, tenant.plan].map(String::from);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let question = Question { flag: switch.key.clone(), tenant: tenant.clone() };
        clients.push(Live::connect(server.address, &key, question).await?);
    }
    let mut notified = FlipTimes::default();
    let mut evaluated = FlipTimes::default();
    for _ in 0..effort.flips {
        tokio::time::sleep(PAUSE).await;
        let flip = switch.flip().await?;
        let mut times = Vec::with_capacity(CLIENTS);
        for client in &mut clients {
            times.push(client.evaluates(flip.is_on).await?);
        }
        evaluated.record(flip, times)?;
        notified.record(flip, readers.news().await?)?;
    }
    let (notified, evaluated) = (notified.figures(), evaluated.figures());
    Ok(vec![
        Row {
            what: format!(
                "acknowledged flip of a flag → {STREAMS} streams notified, {} flips, {} tenants",
                effort.flips,
                workload.tenants.len()
            ),
            ours: notified.since_acknowledged,
            beside: format!(
                "{}; answer to the `PATCH` without streams: {}",
                notified.since_sent,
                without_streams.answers()
            ),
            bars: vec![Bar::at_most("p99 in ms", notified.p99 / 1e6, 50.0)],
        },
        Row {
            what: format!("the same flips → {CLIENTS} live clients evaluate the new value"),
            ours: evaluated.since_acknowledged,
            beside: evaluated.since_sent,
            bars: vec![Bar::at_most("p99 in ms", evaluated.p99 / 1e6, 120.0)],
        },
    ])
}

/// The arrival times of flips.
#[derive(Default)]
pub struct FlipTimes {
    since_acknowledged: Vec<u64>,
    since_sent: Vec<u64>,
    acknowledged: Vec<u64>,
    last: Vec<f64>,
}

/// The arrival times, formatted for the report.
pub struct Figures {
    /// The times from the acknowledgement on. Earlier arrivals count as zero.
    pub since_acknowledged: String,
    /// The times from sending on, and the time of the acknowledgement.
    pub since_sent: String,
    /// The p99 from the acknowledgement on, in nanoseconds.
    pub p99: f64,
}

impl FlipTimes {
    /// Records the arrival times of one flip.
    pub fn record(&mut self, flip: Flip, times: Vec<Instant>) -> Result<(), Failure> {
        if times.iter().any(|time| *time < flip.sent) {
            return Err("a change arrived before its request was sent".into());
        }
        let after = |time: &Instant, since: Instant| time.saturating_duration_since(since).as_nanos() as u64;
        self.since_acknowledged.extend(times.iter().map(|time| after(time, flip.acknowledged)));
        self.since_sent.extend(times.iter().map(|time| after(time, flip.sent)));
        self.acknowledged.push(after(&flip.acknowledged, flip.sent));
        self.last.push(times.iter().max().map_or(f64::NAN, |time| after(time, flip.acknowledged) as f64));
        Ok(())
    }

    /// Formats the times of the acknowledgements.
    fn answers(&mut self) -> String {
        self.acknowledged.sort_unstable();
        format!(
            "p50 {}, p99 {}",
            time(quantile(&self.acknowledged, 0.5)),
            time(quantile(&self.acknowledged, 0.99))
        )
    }

    /// Formats the times for the report.
    pub fn figures(mut self) -> Figures {
        for times in [&mut self.since_acknowledged, &mut self.since_sent] {
            times.sort_unstable();
        }
        let p99 = quantile(&self.since_acknowledged, 0.99);
        let since_acknowledged = format!(
            "p50 {}, p99 {}; last arrival of each flip: median {}, worst {}",
            time(quantile(&self.since_acknowledged, 0.5)),
            time(p99),
            time(middle(&self.last, |last| *last)),
            time(self.last.iter().copied().fold(0.0, f64::max)),
        );
        let since_sent = format!(
            "from sending the `PATCH`: p50 {}, p99 {}; answer to the `PATCH`: {}",
            time(quantile(&self.since_sent, 0.5)),
            time(quantile(&self.since_sent, 0.99)),
            self.answers(),
        );
        Figures { since_acknowledged, since_sent, p99 }
    }
}
