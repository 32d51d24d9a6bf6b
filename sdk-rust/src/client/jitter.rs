//! Jitter and exponential backoff for the client's waits.

use std::time::Duration;

/// The duration, up to a fifth shorter or longer.
pub(super) fn jitter(duration: Duration) -> Duration {
    duration.mul_f64(0.8 + 0.4 * fastrand::f64())
}

/// The wait before attempt `attempt`: exponential backoff with jitter, capped at `max`.
pub(super) fn backoff(attempt: u32, min: Duration, max: Duration) -> Duration {
    let doubled = min.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX));
    doubled.min(max).mul_f64(0.5 + 0.5 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::{Duration, backoff, jitter};

    #[test]
    fn the_backoff_doubles_up_to_its_cap_with_jitter() {
        let (min, max) = (Duration::from_millis(250), Duration::from_secs(30));
        let (mut shortest, mut longest) = (max, Duration::ZERO);
        for attempt in [0, 1, 2, 5, 6, 7, 31, 32, 4_000] {
            let whole = min.saturating_mul(2_u32.saturating_pow(attempt)).min(max);
            for _ in 0..200 {
                let wait = backoff(attempt, min, max);
                assert!(wait >= whole / 2 && wait <= whole, "{attempt}: {wait:?}");
                (shortest, longest) = (shortest.min(wait), longest.max(wait));
            }
        }
        assert!(shortest < min && longest > max * 9 / 10);
        let poll = jitter(max);
        assert!(poll >= max * 8 / 10 && poll <= max * 12 / 10);
    }
}
