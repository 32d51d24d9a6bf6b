//! Refusals in the log: each with its address, and so few that nobody can flood the log with them.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::address::counted;
use super::limiter::Limiter;
use super::limits::{LOGGED_A_SECOND, LOGGED_A_SECOND_PER_ADDRESS};

/// Decides which lines about callers without a valid credential are written.
pub struct RefusalLog {
    of_address: Limiter,
    of_all: Limiter,
    left_out: AtomicU64,
}

/// How often the log says how many lines were left out.
const SUMMARY_EVERY: Duration = Duration::from_secs(10);

impl Default for RefusalLog {
    fn default() -> RefusalLog {
        RefusalLog {
            of_address: Limiter::new(LOGGED_A_SECOND_PER_ADDRESS),
            of_all: Limiter::new(LOGGED_A_SECOND),
            left_out: AtomicU64::new(0),
        }
    }
}

impl RefusalLog {
    /// Reports whether one more line about this address is written. If not, the line is counted.
    pub fn admits(&self, address: IpAddr, now: Instant) -> bool {
        let is_admitted =
            self.of_address.take(counted(address), now).is_ok() && self.of_all.take((), now).is_ok();
        if !is_admitted {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
        is_admitted
    }

    /// Says how many lines were left out since this was last said.
    pub fn summarize(&self) {
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            tracing::warn!(left_out, "refusals were left out of the log: there were too many");
        }
    }

    /// Summarizes now and then, for as long as it is polled.
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
        assert_eq!(log.left_out.load(Ordering::Relaxed), 1_000 - written as u64);
        assert!(log.admits("203.0.113.8".parse().unwrap(), now));
        let others = (0..10_000_u32).map(|number| IpAddr::from(number.to_be_bytes()));
        let written = others.filter(|address| log.admits(*address, now)).count();
        assert!(written < LOGGED_A_SECOND as usize, "{written}");
    }
}
