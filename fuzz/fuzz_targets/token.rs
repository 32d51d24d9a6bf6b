//! Reads any bytes as a token, as a signed header, as signed claims, as a key set and as a policy.
#![no_main]

use std::sync::LazyLock;

use dezky_core::Timestamp;
use dezky_core::token::{KeySet, TokenPolicy, TokenVerifier};
use libfuzzer_sys::fuzz_target;

mod example {
    include!("../../core/src/token/example.rs.in");
}

static VERIFIER: LazyLock<TokenVerifier> = LazyLock::new(|| {
    let policy = TokenPolicy::new(["https://id.example.org/"], ["dezky-portal"]).expect("a good policy");
    TokenVerifier::new(policy, KeySet::from_json(example::KEYS).expect("a good key set"))
});

fuzz_target!(|bytes: &[u8]| {
    let now = Timestamp::parse("2026-03-01T12:00:00Z").expect("a good time");
    if let Ok(text) = std::str::from_utf8(bytes) {
        // Nobody but the issuer can sign: whatever is verified is the example itself.
        if VERIFIER.verify(text, now).is_ok() {
            assert_eq!(text, example::TOKEN);
        }
    }
    if let Ok(keys) = KeySet::from_json(bytes) {
        assert!(keys.ids().count() <= 100);
        let _ = VERIFIER.with_keys(keys).verify(example::TOKEN, now);
    }
    let _ = TokenPolicy::from_json(bytes);
});
