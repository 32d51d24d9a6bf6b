//! Rate limits: a token bucket for each caller, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::limits::MAX_TRACKED_CALLERS;

/// So many a second for everybody, with one second's worth in reserve.
pub struct Limiter {
    interval: Option<Duration>,
    hasher: RandomState,
    // When each bucket will be full again. One that is full already need not be remembered.
    full_again: Mutex<HashMap<u64, Instant>>,
}

const RESERVE: Duration = Duration::from_secs(1);

impl Limiter {
    /// So many a second; 0 for no limit.
    pub fn new(per_second: u32) -> Limiter {
        let interval = (per_second > 0).then(|| RESERVE / per_second);
        Limiter { interval, hasher: RandomState::new(), full_again: Mutex::default() }
    }

    /// Takes one from a caller's bucket. If the bucket is empty, the error says how long until it has one again.
    pub fn take(&self, who: impl Hash, now: Instant) -> Result<(), Duration> {
        let Some(interval) = self.interval else { return Ok(()) };
        let who = self.hasher.hash_one(who);
        let mut full_again = self.full_again.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = full_again.get(&who).copied().filter(|&at| at > now).unwrap_or(now) + interval;
        let wait = full_at.saturating_duration_since(now + RESERVE);
        if !wait.is_zero() {
            return Err(wait);
        }
        if full_again.len() >= MAX_TRACKED_CALLERS && !full_again.contains_key(&who) {
            full_again.retain(|_, at| *at > now);
            if full_again.len() >= MAX_TRACKED_CALLERS {
                // Everybody is busy at once: forgetting them is kinder than refusing strangers, and memory stays bounded.
                full_again.clear();
            }
        }
        full_again.insert(who, full_at);
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
        assert!(limiter.take("b", start).is_ok());
        assert!(limiter.take("a", start + Duration::from_millis(20)).is_ok());
        assert!(limiter.take("a", start + Duration::from_millis(21)).is_err());
        assert!(limiter.take("a", start + Duration::from_secs(2)).is_ok());
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
