//! From an acknowledged flip to everybody who follows.

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

/// Services that evaluate by themselves, among the readers.
const CLIENTS: usize = 4;

/// Between flips, so that each is alone.
const PAUSE: Duration = Duration::from_millis(100);

/// Measures it.
pub async fn rows(
    server: &Server,
    operator: &str,
    workload: &Workload,
    effort: Effort,
) -> Result<Vec<Row>, Failure> {
    let key = server_key(server, operator).await?;
    let mut switch = Switch::new(server, operator, workload).await?;
    let mut alone = Told::default();
    for _ in 0..effort.flips {
        alone.note(switch.flip().await?, Vec::new())?;
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
    let mut told = Told::default();
    let mut evaluated = Told::default();
    for _ in 0..effort.flips {
        tokio::time::sleep(PAUSE).await;
        let flip = switch.flip().await?;
        let mut times = Vec::with_capacity(CLIENTS);
        for client in &mut clients {
            times.push(client.evaluates(flip.is_on).await?);
        }
        evaluated.note(flip, times)?;
        told.note(flip, readers.news().await?)?;
    }
    let (told, evaluated) = (told.figures(), evaluated.figures());
    Ok(vec![
        Row {
            what: format!(
                "a flip acknowledged → each of {STREAMS} streams notified, {} flips, {} tenants",
                effort.flips,
                workload.tenants.len()
            ),
            ours: told.since_acknowledged,
            beside: format!("{}; {} where nobody follows", told.since_sent, alone.answers()),
            bars: vec![Bar::at_most("p99 in ms", told.p99 / 1e6, 50.0)],
        },
        Row {
            what: format!(
                "the same flips → each of {CLIENTS} services evaluating the new value by themselves"
            ),
            ours: evaluated.since_acknowledged,
            beside: evaluated.since_sent,
            bars: vec![Bar::at_most("p99 in ms", evaluated.p99 / 1e6, 120.0)],
        },
    ])
}

/// When flips arrived.
#[derive(Default)]
pub struct Told {
    since_acknowledged: Vec<u64>,
    since_sent: Vec<u64>,
    acknowledged: Vec<u64>,
    last: Vec<f64>,
}

/// The same in words.
pub struct Figures {
    /// From the acknowledgement on; what came before counts as nought.
    pub since_acknowledged: String,
    /// From the sending on, and how long the acknowledgement itself took.
    pub since_sent: String,
    /// Since the acknowledgement, in nanoseconds.
    pub p99: f64,
}

impl Told {
    /// Takes the times of one flip down.
    pub fn note(&mut self, flip: Flip, times: Vec<Instant>) -> Result<(), Failure> {
        if times.iter().any(|time| *time < flip.sent) {
            return Err("news of a change before it was asked for".into());
        }
        let after = |time: &Instant, since: Instant| time.saturating_duration_since(since).as_nanos() as u64;
        self.since_acknowledged.extend(times.iter().map(|time| after(time, flip.acknowledged)));
        self.since_sent.extend(times.iter().map(|time| after(time, flip.sent)));
        self.acknowledged.push(after(&flip.acknowledged, flip.sent));
        self.last.push(times.iter().max().map_or(f64::NAN, |time| after(time, flip.acknowledged) as f64));
        Ok(())
    }

    /// How long the acknowledgements took.
    fn answers(&mut self) -> String {
        self.acknowledged.sort_unstable();
        format!(
            "p50 {}, p99 {}",
            time(quantile(&self.acknowledged, 0.5)),
            time(quantile(&self.acknowledged, 0.99))
        )
    }

    /// What they come to.
    pub fn figures(mut self) -> Figures {
        for times in [&mut self.since_acknowledged, &mut self.since_sent] {
            times.sort_unstable();
        }
        let p99 = quantile(&self.since_acknowledged, 0.99);
        let since_acknowledged = format!(
            "p50 {}, p99 {}; the last of a flip: median {}, worst {}",
            time(quantile(&self.since_acknowledged, 0.5)),
            time(p99),
            time(middle(&self.last, |last| *last)),
            time(self.last.iter().copied().fold(0.0, f64::max)),
        );
        let since_sent = format!(
            "since the `PATCH` was sent: p50 {}, p99 {}; its answer: {}",
            time(quantile(&self.since_sent, 0.5)),
            time(quantile(&self.since_sent, 0.99)),
            self.answers(),
        );
        Figures { since_acknowledged, since_sent, p99 }
    }
}
