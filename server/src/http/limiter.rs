//! Rate limits: a token bucket for each caller, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::limits::MAX_TRACKED_CALLERS;

/// A token bucket per caller that refills continuously and holds the tokens of one second.
pub struct Limiter {
    interval: Option<Duration>,
    hasher: RandomState,
    // The time at which each bucket is full again. Full buckets need no entry.
    full_again: Mutex<HashMap<u64, Instant>>,
}

const RESERVE: Duration = Duration::from_secs(1);

impl Limiter {
    /// Creates a limiter of this many tokens a second; 0 for no limit.
    pub fn new(per_second: u32) -> Limiter {
        let interval = (per_second > 0).then(|| RESERVE / per_second);
        Limiter { interval, hasher: RandomState::new(), full_again: Mutex::default() }
    }

    /// Takes a token from the bucket of a caller. If the bucket is empty, the error is the time
    /// until the next token.
    pub fn take(&self, caller: impl Hash, now: Instant) -> Result<(), Duration> {
        let Some(interval) = self.interval else { return Ok(()) };
        let caller = self.hasher.hash_one(caller);
        let mut full_again = self.full_again.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = full_again.get(&caller).copied().filter(|&at| at > now).unwrap_or(now) + interval;
        let wait = full_at.saturating_duration_since(now + RESERVE);
        if !wait.is_zero() {
            return Err(wait);
        }
        if full_again.len() >= MAX_TRACKED_CALLERS && !full_again.contains_key(&caller) {
            full_again.retain(|_, at| *at > now);
            if full_again.len() >= MAX_TRACKED_CALLERS {
                // All tracked callers are busy. Clearing them bounds the memory and does not
                // refuse new callers.
                full_again.clear();
            }
        }
        full_again.insert(caller, full_at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_gets_its_tokens_each_second() {
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
    fn new_callers_do_not_grow_the_memory() {
        let limiter = Limiter::new(1);
        let start = Instant::now();
        for caller in 0..3 * MAX_TRACKED_CALLERS {
            assert!(limiter.take(caller, start).is_ok());
        }
        let tracked = limiter.full_again.lock().map(|map| map.len());
        assert!(tracked.is_ok_and(|tracked| tracked <= MAX_TRACKED_CALLERS));
    }
}
