//! Randomness for waits and names, from what the standard library seeds its maps with.

use core::hash::{BuildHasher, Hasher};
use core::time::Duration;
use std::hash::RandomState;
use std::process;
use std::string::String;
use std::time::SystemTime;

/// 64 random bits; not for secrets.
fn random() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    // A forked child inherits the seed of the thread that forked.
    hasher.write_u32(process::id());
    if let Ok(now) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        hasher.write_u128(now.as_nanos());
    }
    hasher.finish()
}

/// From 0 to 1.
fn fraction() -> f64 {
    (random() >> 11) as f64 / (1_u64 << 53) as f64
}

/// What an instance is called that was given no name: told apart from others, and nothing more.
pub(super) fn instance(sdk: &str) -> String {
    std::format!("{sdk}-{:012x}", random() >> 16)
}

/// A duration up to a fifth shorter or longer.
pub(super) fn around(duration: Duration) -> Duration {
    duration.mul_f64(0.8 + 0.4 * fraction())
}

/// How long to wait before attempt `n`: between half and all of what doubles each time, up to a most.
pub(super) fn backoff(attempt: u32, least: Duration, most: Duration) -> Duration {
    let doubled = least.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX));
    doubled.min(most).mul_f64(0.5 + 0.5 * fraction())
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
