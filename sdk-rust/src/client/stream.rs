//! An incremental parser for the server's `text/event-stream`.

use std::mem;

use dezky_core::json::read_json;
use dezky_core::names::Digest;

/// The limit for a line and for the data of an event. Dezky's events have about a hundred bytes.
const MAX_BYTES: usize = 16 << 10;

/// The server's announcement of its current snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announcement {
    /// The digest of the snapshot; `None` if it is missing or malformed.
    pub(super) digest: Option<Digest>,
    /// The newest revision that changed a tenant or a partner.
    pub(super) population: Option<u64>,
}

/// A line or an event exceeds its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

/// The state of the parser between two chunks.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    is_revision: bool,
    /// The last byte was a carriage return, so a line feed now belongs to it.
    after_return: bool,
    /// The first line has ended; only that line may begin with a byte order mark.
    past_first_line: bool,
}

impl EventReader {
    /// Parses the next chunk and appends the announcements that it completes.
    pub(super) fn read(&mut self, bytes: &[u8], found: &mut Vec<Announcement>) -> Result<(), TooLong> {
        for &byte in bytes {
            let follows_return = mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if follows_return => {}
                b'\n' | b'\r' => self.end_line(found)?,
                _ if self.line.len() == MAX_BYTES => return Err(TooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self, found: &mut Vec<Announcement>) -> Result<(), TooLong> {
        let mut line = mem::take(&mut self.line);
        if !mem::replace(&mut self.past_first_line, true) && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        if line.is_empty() {
            if self.has_data && self.is_revision {
                found.push(parse_announcement(&self.data));
            }
            self.data.clear();
            (self.has_data, self.is_revision) = (false, false);
        } else {
            let mut parts = line.splitn(2, |&byte| byte == b':');
            let name = parts.next().unwrap_or_default();
            let value = parts.next().unwrap_or_default();
            self.field(name, value.strip_prefix(b" ").unwrap_or(value))?;
        }
        // The next line reuses the allocation.
        line.clear();
        self.line = line;
        Ok(())
    }

    fn field(&mut self, name: &[u8], value: &[u8]) -> Result<(), TooLong> {
        match name {
            b"event" => self.is_revision = value == b"revision",
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                if self.data.len() + value.len() > MAX_BYTES {
                    return Err(TooLong);
                }
                self.data.extend_from_slice(value);
            }
            // Comments are heartbeats. `id` and `retry` are ignored: after a stream ends, the
            // client fetches the snapshot, and it has its own backoff.
            _ => {}
        }
        Ok(())
    }
}

fn parse_announcement(data: &[u8]) -> Announcement {
    let document = read_json(data, MAX_BYTES).unwrap_or_default();
    let digest = document.get("digest").and_then(|digest| digest.as_str());
    Announcement {
        digest: digest.and_then(|digest| Digest::new(digest).ok()),
        population: document.get("population").and_then(|population| population.as_u64()),
    }
}

/// Returns the digests that a stream announces, or `None` if a line or an event is too long.
///
/// The stream arrives in these pieces. For fuzz targets.
pub fn announcements(pieces: &[&[u8]]) -> Option<Vec<Option<Digest>>> {
    let (mut reader, mut found) = (EventReader::default(), Vec::new());
    for piece in pieces {
        reader.read(piece, &mut found).ok()?;
    }
    Some(found.into_iter().map(|announcement| announcement.digest).collect())
}

#[cfg(test)]
mod tests {
    use super::announcements;
    use dezky_core::names::Digest;

    fn digest(digit: &str) -> Digest {
        Digest::new(&digit.repeat(64)).unwrap()
    }

    fn event(digit: &str) -> String {
        format!("id: 1\nevent: revision\ndata: {{\"revision\":1,\"digest\":\"{}\"}}\n\n", digit.repeat(64))
    }

    #[test]
    fn events_are_found_in_any_pieces_and_with_any_line_ends() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("\u{feff}:\n\n{}:\n\n{}", event("a"), event("b")).replace('\n', end);
            let bytes = text.as_bytes();
            for cut in 0..bytes.len() {
                let found = announcements(&[&bytes[..cut], &bytes[cut..]]).unwrap();
                assert_eq!(found, [Some(digest("a")), Some(digest("b"))], "{end:?} {cut}");
            }
            let each: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(announcements(&each).unwrap().len(), 2);
        }
    }

    #[test]
    fn an_event_without_a_digest_announces_an_unknown_snapshot() {
        for data in ["", "7", "{}", "{\"digest\":7}", "{\"digest\":\"A\"}", "not JSON", "{\"digest\":null}"] {
            let text = format!("event: revision\ndata: {data}\n\n");
            assert_eq!(announcements(&[text.as_bytes()]), Some(vec![None]), "{data}");
        }
    }

    #[test]
    fn other_and_unfinished_events_are_ignored() {
        let named = event("a").replace("revision\n", "other\n");
        let unnamed = event("a").replace("event: revision\n", "");
        let unfinished = event("a").trim_end().to_string();
        for text in [named, unnamed, unfinished, "event: revision\n\n".into(), ":\n\n:\n\n".into()] {
            assert_eq!(announcements(&[text.as_bytes()]), Some(vec![]), "{text}");
        }
        let spread = format!("data:{{\"digest\":\nevent:revision\ndata:\"{}\"}}\n\n", "c".repeat(64));
        assert_eq!(announcements(&[spread.as_bytes()]), Some(vec![Some(digest("c"))]));
    }

    #[test]
    fn lines_and_events_are_limited_and_comments_are_not() {
        assert_eq!(announcements(&[&[b'a'; 20_000]]), None);
        let lines = "data: aaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(1_000);
        assert_eq!(announcements(&[lines.as_bytes()]), None);
        let comments = format!(": {}\n", "a".repeat(100)).repeat(10_000);
        assert_eq!(announcements(&[comments.as_bytes()]), Some(vec![]));
    }
}
