//! How often somebody may do something: a bucket each, bounded in number.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::limits::MAX_TRACKED_CALLERS;

/// So many a second for everybody, with one second's worth in reserve.
pub struct Limiter {
    interval: Option<Duration>,
    hasher: RandomState,
    // When each bucket will be full again. One that is full already need not be remembered.
    full_again: Mutex<HashMap<u64, Instant>>,
    // When all of them will be, in microseconds since `born`: until something is taken, nobody needs to look.
    all_full_again: AtomicU64,
    born: Instant,
}

const RESERVE: Duration = Duration::from_secs(1);

impl Limiter {
    /// So many a second; 0 for no limit.
    pub fn new(per_second: u32) -> Limiter {
        let interval = (per_second > 0).then(|| RESERVE / per_second);
        Limiter {
            interval,
            hasher: RandomState::new(),
            full_again: Mutex::default(),
            all_full_again: AtomicU64::new(0),
            born: Instant::now(),
        }
    }

    /// Takes one of somebody's; else how long until there is one.
    pub fn take(&self, who: impl Hash, now: Instant) -> Result<(), Duration> {
        self.judge(who, now, true)
    }

    /// Whether somebody has one left.
    pub fn has_left(&self, who: impl Hash, now: Instant) -> Result<(), Duration> {
        if self.since_born(now) >= self.all_full_again.load(Ordering::Acquire) {
            return Ok(());
        }
        self.judge(who, now, false)
    }

    fn since_born(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.born).as_micros()).unwrap_or(u64::MAX)
    }

    fn judge(&self, who: impl Hash, now: Instant, takes: bool) -> Result<(), Duration> {
        let Some(interval) = self.interval else { return Ok(()) };
        let who = self.hasher.hash_one(who);
        let mut full_again = self.full_again.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = full_again.get(&who).copied().filter(|&at| at > now).unwrap_or(now) + interval;
        let wait = full_at.saturating_duration_since(now + RESERVE);
        if !wait.is_zero() {
            return Err(wait);
        }
        if takes {
            if full_again.len() >= MAX_TRACKED_CALLERS && !full_again.contains_key(&who) {
                full_again.retain(|_, at| *at > now);
                if full_again.len() >= MAX_TRACKED_CALLERS {
                    // Everybody is busy at once: forgetting them is kinder than refusing strangers, and memory stays bounded.
                    full_again.clear();
                }
            }
            full_again.insert(who, full_at);
            self.all_full_again.fetch_max(self.since_born(full_at) + 1, Ordering::AcqRel);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holds_as_many_as_it_should() {
        let limiter = Limiter::new(50);
        let start = Instant::now();
        assert!((0..50).all(|_| limiter.take("a", start).is_ok()));
        assert!(limiter.take("a", start).is_err());
        assert!(limiter.has_left("a", start).is_err());
        assert!(limiter.take("b", start).is_ok());
        assert!(limiter.take("a", start + Duration::from_millis(20)).is_ok());
        assert!(limiter.take("a", start + Duration::from_millis(21)).is_err());
        assert!(limiter.has_left("a", start + Duration::from_millis(21)).is_err());
        assert!(limiter.has_left("a", start + Duration::from_secs(2)).is_ok());
    }

    #[test]
    fn strangers_do_not_grow_the_memory() {
        let limiter = Limiter::new(1);
        let start = Instant::now();
        for stranger in 0..3 * MAX_TRACKED_CALLERS {
            assert!(limiter.take(stranger, start).is_ok());
        }
        let tracked = limiter.full_again.lock().map(|map| map.len());
        assert!(tracked.is_ok_and(|tracked| tracked <= MAX_TRACKED_CALLERS));
    }
}
