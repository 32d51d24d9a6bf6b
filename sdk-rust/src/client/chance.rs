//! Jitter for waits, and names for instances.

use std::hash::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::process;
use std::time::Duration;
use std::time::SystemTime;

/// A random name for an instance that was given none. Not from fastrand: a forked child inherits its state, and all children would have one name.
pub(super) fn instance(sdk: &str) -> String {
    let mut hasher = RandomState::new().build_hasher();
    // The child also inherits the seed of the thread that forked.
    hasher.write_u32(process::id());
    if let Ok(now) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        hasher.write_u128(now.as_nanos());
    }
    format!("{sdk}-{:012x}", hasher.finish() >> 16)
}

/// A duration up to a fifth shorter or longer.
pub(super) fn around(duration: Duration) -> Duration {
    duration.mul_f64(0.8 + 0.4 * fastrand::f64())
}

/// The wait before attempt `n`: exponential backoff with jitter, capped at `most`.
pub(super) fn backoff(attempt: u32, least: Duration, most: Duration) -> Duration {
    let doubled = least.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX));
    doubled.min(most).mul_f64(0.5 + 0.5 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::{Duration, around, backoff, instance};

    #[test]
    fn waits_double_up_to_the_most_and_differ() {
        let (least, most) = (Duration::from_millis(250), Duration::from_secs(30));
        let (mut low, mut high) = (most, Duration::ZERO);
        for attempt in [0, 1, 2, 5, 6, 7, 31, 32, 4_000] {
            let whole = least.saturating_mul(2_u32.saturating_pow(attempt)).min(most);
            for _ in 0..200 {
                let wait = backoff(attempt, least, most);
                assert!(wait >= whole / 2 && wait <= whole, "{attempt}: {wait:?}");
                (low, high) = (low.min(wait), high.max(wait));
            }
        }
        assert!(low < least && high > most * 9 / 10);
        let check_in = around(most);
        assert!(check_in >= most * 8 / 10 && check_in <= most * 12 / 10);
    }

    #[test]
    fn instances_differ_and_are_well_formed() {
        let (one, other) = (instance("rust"), instance("rust"));
        assert!(one != other && one.starts_with("rust-") && one.len() == 17);
    }
}
