//! Reads any bytes as a key set and as a single key: no set verifies a token that its keys did not
//! sign.
#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use dezky_core::Timestamp;
use dezky_core::token::{KeySet, TokenPolicy, TokenVerifier};
use libfuzzer_sys::fuzz_target;

mod example {
    include!("../../core/src/token/example.rs.in");
}

static NOW: LazyLock<Timestamp> =
    LazyLock::new(|| Timestamp::parse("2026-03-01T12:00:00Z").expect("a good time"));

static VERIFIER: LazyLock<TokenVerifier> = LazyLock::new(|| {
    let policy = TokenPolicy::new(["https://id.example.org/"], ["dezky-portal"]).expect("a good policy");
    TokenVerifier::new(policy, KeySet::from_json(example::KEYS).expect("a good key set"))
});

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    check(&[b"{\"keys\":[", bytes, b"]}"].concat());
});

fn check(bytes: &[u8]) {
    let read = KeySet::from_json(bytes);
    let Ok(keys) = read else {
        assert_eq!(KeySet::from_json(bytes).err(), read.err());
        return;
    };
    let ids: Vec<&str> = keys.ids().collect();
    assert!(ids.len() <= 100);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id names one key");
    let is_verified = VERIFIER.with_keys(keys.clone()).verify(example::TOKEN, *NOW).is_ok();
    // The token names this key, so a set without the key cannot verify it.
    assert!(!is_verified || ids.contains(&"2026-03"));
}
