//! The limit on log lines about refusals, so that clients cannot flood the log.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::address::counted;
use super::limiter::Limiter;
use super::limits::{LOGGED_A_SECOND, LOGGED_A_SECOND_PER_ADDRESS};

/// Decides which log lines about callers without a valid credential are written.
pub struct RefusalLog {
    per_address: Limiter,
    total: Limiter,
    dropped: AtomicU64,
}

/// The interval of the summary of dropped lines.
const SUMMARY_EVERY: Duration = Duration::from_secs(10);

impl Default for RefusalLog {
    fn default() -> RefusalLog {
        RefusalLog {
            per_address: Limiter::new(LOGGED_A_SECOND_PER_ADDRESS),
            total: Limiter::new(LOGGED_A_SECOND),
            dropped: AtomicU64::new(0),
        }
    }
}

impl RefusalLog {
    /// Reports whether a line about this address is written. Dropped lines are counted.
    pub fn admits(&self, address: IpAddr, now: Instant) -> bool {
        let is_admitted =
            self.per_address.take(counted(address), now).is_ok() && self.total.take((), now).is_ok();
        if !is_admitted {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        is_admitted
    }

    /// Logs the number of lines that were dropped since the last summary.
    pub fn summarize(&self) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(dropped, "refusals were dropped from the log because there were too many");
        }
    }

    /// Logs summaries periodically until the future is dropped.
    pub async fn keep_summarizing(&self) {
        loop {
            tokio::time::sleep(SUMMARY_EVERY).await;
            self.summarize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_use_up_the_lines_of_others() {
        let log = RefusalLog::default();
        let now = Instant::now();
        let one: IpAddr = "203.0.113.7".parse().unwrap();
        let written = (0..1_000).filter(|_| log.admits(one, now)).count();
        assert_eq!(written, LOGGED_A_SECOND_PER_ADDRESS as usize);
        assert_eq!(log.dropped.load(Ordering::Relaxed), 1_000 - written as u64);
        assert!(log.admits("203.0.113.8".parse().unwrap(), now));
        let others = (0..10_000_u32).map(|number| IpAddr::from(number.to_be_bytes()));
        let written = others.filter(|address| log.admits(*address, now)).count();
        assert!(written < LOGGED_A_SECOND as usize, "{written}");
    }
}
