//! Latency histograms in seconds.

use std::time::Instant;

use prometheus::{Histogram, HistogramOpts, Result};

/// The upper bounds of the buckets, in seconds.
pub const BUCKETS: [f64; 10] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.025, 0.1, 1.0, 10.0];

/// Creates a histogram of seconds.
pub fn seconds(name: &str, help: &str) -> Result<Histogram> {
    Histogram::with_opts(HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()))
}

/// Awaits a future and records its duration, whatever its result.
pub async fn timed<T>(histogram: &Histogram, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let outcome = work.await;
    histogram.observe(started.elapsed().as_secs_f64());
    outcome
}
