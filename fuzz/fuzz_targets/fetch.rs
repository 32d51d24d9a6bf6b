//! Any response to a fetch: the client accepts only a snapshot that matches its tag and is not
//! older.
//!
//! The input is the response: a byte for the status, header lines as `name: value`, an empty line,
//! and the body.
#![no_main]

use dezky::testing::{announcements, fetched, subject_of};
use dezky_core::flags::Snapshot;
use libfuzzer_sys::fuzz_target;

const STATUSES: [u16; 10] = [200, 304, 401, 403, 404, 429, 500, 503, 204, 307];
const HISTORY: &str = "history-1";

fuzz_target!(|bytes: &[u8]| {
    let Some((&status, rest)) = bytes.split_first() else { return };
    let status = STATUSES[usize::from(status) % STATUSES.len()];
    let end = rest.windows(2).position(|pair| pair == b"\n\n").unwrap_or(rest.len());
    let (head, body) = rest.split_at(end);
    let body = body.get(2..).unwrap_or_default();
    let headers: Vec<(&str, &[u8])> = head
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let name = std::str::from_utf8(&line[..colon]).ok()?;
            Some((name, line[colon + 1..].trim_ascii()))
        })
        .collect();

    let known =
        Snapshot::from_json(br#"{"format":1,"revision":5,"environment":"production","flags":[]}"#).unwrap();
    let first = fetched(status, &headers, body, None);
    let second = fetched(status, &headers, body, Some((&known, HISTORY)));
    if let Ok(snapshot) = &first {
        assert_eq!(status, 200);
        let digest = snapshot.digest();
        assert!(
            headers.iter().any(|(_, value)| value.windows(64).any(|part| part == digest.as_str().as_bytes()))
        );
        assert_eq!(Snapshot::from_json(body).unwrap().digest(), digest);
    }
    if let Ok(snapshot) = &second {
        let is_same_history = headers
            .iter()
            .rfind(|(name, _)| name.eq_ignore_ascii_case("dezky-history"))
            .is_some_and(|(_, value)| *value == HISTORY.as_bytes());
        assert!(status == 304 || !is_same_history || snapshot.revision() >= known.revision());
        assert!(status != 304 || snapshot.digest() == known.digest());
    }

    // The other parsers of the client must survive the same bytes.
    if let Some(subject) = subject_of(body, "acme") {
        assert_eq!(subject.subject().value(dezky_core::flags::Axis::TenantSlugs), Some("acme"));
    }
    let _ = announcements(&[body]);
});
