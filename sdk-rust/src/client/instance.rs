//! Random names for client instances.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::process;
use std::time::SystemTime;

/// A random instance name that begins with the kind of SDK.
///
/// `fastrand` is not used: a forked child inherits its state, so every child would get the same
/// name.
pub(super) fn random_name(sdk: &str) -> String {
    let mut hasher = RandomState::new().build_hasher();
    // A forked child also inherits the thread's seed for `RandomState`.
    hasher.write_u32(process::id());
    if let Ok(now) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        hasher.write_u128(now.as_nanos());
    }
    format!("{sdk}-{:012x}", hasher.finish() >> 16)
}

#[cfg(test)]
mod tests {
    use super::random_name;

    #[test]
    fn random_names_differ_and_are_well_formed() {
        let (one, other) = (random_name("rust"), random_name("rust"));
        assert!(one != other && one.starts_with("rust-") && one.len() == 17);
    }
}
