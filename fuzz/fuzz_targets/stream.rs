//! Any bytes as an event stream: the announcements do not depend on how the bytes are split.
#![no_main]

use dezky::testing::announcements;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = announcements(&[bytes]);
    let cut = bytes.first().map_or(0, |&byte| usize::from(byte).min(bytes.len()));
    let (start, end) = bytes.split_at(cut);
    assert_eq!(announcements(&[start, end]), whole);
    let each: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(announcements(&each), whole);
    for digest in whole.into_iter().flatten().flatten() {
        assert_eq!(digest.as_str().len(), 64);
    }
});
