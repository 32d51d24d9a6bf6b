//! A closed-loop load generator: each connection sends its next request after an answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Failure;
use crate::client::Client;

/// A load: one list of requests for each connection.
pub struct Load {
    /// The address of the server.
    pub address: SocketAddr,
    /// The requests of each connection.
    pub requests: Vec<Arc<Vec<Vec<u8>>>>,
    /// The status that every answer must have.
    pub status: u16,
    /// The order in which each list is sent.
    pub walk: Walk,
}

/// The order of sending: repeated, or each request once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// Starts again at the end of the list.
    Around,
    /// Sends each request once. A round continues after the last request of the round before.
    Once,
}

/// The result of one round.
pub struct Round {
    /// The time from the first request to the last answer.
    pub elapsed: Duration,
    /// The latencies in nanoseconds, sorted.
    pub latencies: Vec<u64>,
}

/// A generator of rounds. Each round has new connections and keeps the positions in the lists.
pub struct Generator {
    load: Load,
    positions: Vec<Arc<AtomicUsize>>,
}

impl Generator {
    /// Creates a generator that starts at the beginning of each list.
    pub fn new(load: Load) -> Generator {
        let positions = load.requests.iter().map(|_| Arc::default()).collect();
        Generator { load, positions }
    }

    /// Sends for the duration and waits for the last answers.
    pub async fn round(&self, duration: Duration) -> Result<Round, Failure> {
        let mut clients = Vec::with_capacity(self.load.requests.len());
        for _ in &self.load.requests {
            clients.push(Client::connect(self.load.address).await?);
        }
        let (status, walk) = (self.load.status, self.load.walk);
        let start = Instant::now();
        let mut loops = JoinSet::new();
        for ((client, requests), position) in
            clients.into_iter().zip(&self.load.requests).zip(&self.positions)
        {
            loops.spawn(run_connection(
                client,
                Arc::clone(requests),
                Arc::clone(position),
                status,
                walk,
                start + duration,
            ));
        }
        let mut latencies = Vec::new();
        while let Some(finished) = loops.join_next().await {
            latencies.extend(finished??);
        }
        let elapsed = start.elapsed();
        latencies.sort_unstable();
        Ok(Round { elapsed, latencies })
    }
}

async fn run_connection(
    mut client: Client,
    requests: Arc<Vec<Vec<u8>>>,
    position: Arc<AtomicUsize>,
    status: u16,
    walk: Walk,
    end: Instant,
) -> Result<Vec<u64>, Failure> {
    let mut latencies = Vec::with_capacity(1 << 14);
    let mut before = Instant::now();
    while before < end {
        let index = position.fetch_add(1, Ordering::Relaxed);
        let index = if walk == Walk::Around { index % requests.len() } else { index };
        let request = requests.get(index).ok_or("a round has used up its requests")?;
        let answer = client.ask(request).await?;
        if answer.status != status {
            let body = String::from_utf8_lossy(client.body(answer)).into_owned();
            return Err(format!("{} instead of {status}: {body}", answer.status).into());
        }
        let after = Instant::now();
        latencies.push(u64::try_from((after - before).as_nanos())?);
        before = after;
    }
    Ok(latencies)
}

impl Round {
    /// Returns the answers per second.
    pub fn throughput(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// Returns a quantile of the latencies, in nanoseconds.
    pub fn quantile(&self, share: f64) -> f64 {
        quantile(&self.latencies, share)
    }
}

/// Returns a quantile of sorted values.
pub fn quantile(sorted: &[u64], share: f64) -> f64 {
    let index = (sorted.len() as f64 * share) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).map_or(f64::NAN, |value| *value as f64)
}

/// Returns the median, for an even count the mean of the two middle values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match (values.get(half), half.checked_sub(1).and_then(|below| values.get(below))) {
        (Some(upper), Some(lower)) if values.len().is_multiple_of(2) => (upper + lower) / 2.0,
        (Some(middle), _) => *middle,
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_medians_are_values_of_the_list() {
        let sorted: Vec<u64> = (1..=100).collect();
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| quantile(&sorted, share)), [1.0, 51.0, 100.0, 100.0]);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(Vec::new()).is_nan() && quantile(&[], 0.5).is_nan());
    }
}
