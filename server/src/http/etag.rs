//! Entity tags, and the conditions of a request that name them (RFC 9110, section 13).

use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use dezky_core::model::Revisioned;

use super::problem::{Finding, Problem};

/// Returns the strong tag of a record. The time of creation distinguishes a record from a later
/// one of the same name.
pub fn etag(revisioned: Revisioned) -> String {
    format!("\"v{}-{:x}\"", revisioned.version, revisioned.created_at.as_micros())
}

/// Checks the `If-Match` and `If-None-Match` of a write against the current tag. `If-Match` is
/// required.
pub fn check_conditions(headers: &HeaderMap, current: &str) -> Result<(), Problem> {
    let if_match = Tags::from_headers(headers, &IF_MATCH)?.ok_or_else(if_match_missing)?;
    if !if_match.names_strongly(current) {
        return Err(failed("The resource changed since it was read: read it again"));
    }
    match Tags::from_headers(headers, &IF_NONE_MATCH)? {
        Some(tags) if tags.names_weakly(current) => {
            Err(failed("If-None-Match names the current version: nothing was written"))
        }
        _ => Ok(()),
    }
}

/// Reports whether `If-None-Match` names the current tag. A malformed header names no tag.
pub fn is_known<'h>(if_none_match: impl IntoIterator<Item = &'h HeaderValue>, current: &str) -> bool {
    Tags::parse(if_none_match).is_ok_and(|tags| tags.is_some_and(|tags| tags.names_weakly(current)))
}

/// The parsed value of `If-Match` or `If-None-Match`, all header lines together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags<'h> {
    /// `*`, which names every tag.
    Any,
    /// A list of tags; an empty list names no tag.
    These(Vec<Tag<'h>>),
}

/// One entity tag of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag<'h> {
    /// True if the tag begins with `W/`.
    pub is_weak: bool,
    /// The tag with its quotes and without `W/`.
    pub opaque: &'h [u8],
}

/// The reason for which a header value is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// A tag without its quotes.
    Unquoted,
    /// `*` together with another element.
    Star,
    /// A tag without an end, or two elements without a comma between them.
    Syntax,
}

impl<'h> Tags<'h> {
    /// Reads the tags of a header; `None` if it is absent. The problem names the header.
    fn from_headers(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<Tags<'h>>, Problem> {
        Tags::parse(headers.get_all(name)).map_err(|malformed| {
            let is_match = *name == IF_MATCH;
            let finding = Finding {
                path: if is_match { "If-Match" } else { "If-None-Match" }.to_owned(),
                code: if is_match { "if_match_malformed" } else { "if_none_match_malformed" },
                detail: malformed.detail().into(),
            };
            Problem::from_findings(vec![finding]).with_status(StatusCode::BAD_REQUEST)
        })
    }

    /// Parses the lines of a header as one list. Empty elements are skipped, as RFC 9110
    /// (5.6.1.2) requires of a recipient.
    pub fn parse(lines: impl IntoIterator<Item = &'h HeaderValue>) -> Result<Option<Tags<'h>>, Malformed> {
        let (mut tags, mut has_star, mut is_given) = (Vec::new(), false, false);
        for line in lines {
            is_given = true;
            let mut rest = line.as_bytes();
            loop {
                rest = rest.trim_ascii_start();
                rest = match rest.split_first() {
                    None => break,
                    Some((b',', after)) => after,
                    Some((b'*', after)) => {
                        if has_star {
                            return Err(Malformed::Star);
                        }
                        has_star = true;
                        end_of_element(after)?
                    }
                    Some(_) => {
                        let (tag, after) = Tag::split(rest)?;
                        tags.push(tag);
                        end_of_element(after)?
                    }
                };
            }
        }
        match (has_star, tags.is_empty()) {
            (true, true) => Ok(Some(Tags::Any)),
            (true, false) => Err(Malformed::Star),
            (false, _) => Ok(is_given.then_some(Tags::These(tags))),
        }
    }

    /// Reports whether the list names a tag by strong comparison: a weak tag matches nothing.
    pub fn names_strongly(&self, current: &str) -> bool {
        self.names(current, |tag| !tag.is_weak)
    }

    /// Reports whether the list names a tag by weak comparison.
    pub fn names_weakly(&self, current: &str) -> bool {
        self.names(current, |_| true)
    }

    fn names(&self, current: &str, counts: impl Fn(&Tag<'_>) -> bool) -> bool {
        match self {
            Tags::Any => true,
            Tags::These(tags) => tags.iter().any(|tag| counts(tag) && tag.opaque == current.as_bytes()),
        }
    }
}

impl<'h> Tag<'h> {
    /// Splits the leading tag from the rest of the value.
    fn split(text: &'h [u8]) -> Result<(Tag<'h>, &'h [u8]), Malformed> {
        let (is_weak, quoted) = match text.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, text),
        };
        let inner = quoted.strip_prefix(b"\"").ok_or(Malformed::Unquoted)?;
        let length = inner.iter().position(|&byte| !is_tag_byte(byte)).ok_or(Malformed::Syntax)?;
        match inner.split_at_checked(length) {
            Some((_, [b'"', after @ ..])) => {
                let opaque = quoted.get(..length + 2).ok_or(Malformed::Syntax)?;
                Ok((Tag { is_weak, opaque }, after))
            }
            _ => Err(Malformed::Syntax),
        }
    }
}

/// Reports whether a byte is `etagc` of RFC 9110: a visible character except the quote, or a byte
/// beyond ASCII.
fn is_tag_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x7e | 0x80..)
}

/// Checks that an element is followed by the end or a comma.
fn end_of_element(rest: &[u8]) -> Result<&[u8], Malformed> {
    let rest = rest.trim_ascii_start();
    match rest.first() {
        None | Some(b',') => Ok(rest),
        Some(_) => Err(Malformed::Syntax),
    }
}

impl Malformed {
    fn detail(self) -> &'static str {
        match self {
            Malformed::Unquoted => "The quotes are part of an entity tag: send \"v3-5f1\", not v3-5f1",
            Malformed::Star => "* cannot be combined with tags: send either * or a list of entity tags",
            Malformed::Syntax => "The value must be * or a comma-separated list of quoted entity tags",
        }
    }
}

fn if_match_missing() -> Problem {
    let finding = Finding {
        path: "If-Match".to_owned(),
        code: "if_match_missing",
        detail: "A write needs If-Match with the entity tag of the version to change".into(),
    };
    Problem::from_findings(vec![finding]).with_status(StatusCode::PRECONDITION_REQUIRED)
}

fn failed(detail: &'static str) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CURRENT: &str = "\"v3-5f1\"";

    /// Parses a header and reports whether it names the current tag strongly and weakly.
    fn names(lines: &[&[u8]]) -> Result<Option<(bool, bool)>, Malformed> {
        let lines: Vec<HeaderValue> =
            lines.iter().map(|line| HeaderValue::from_bytes(line).unwrap()).collect();
        let tags = Tags::parse(&lines)?;
        Ok(tags.map(|tags| (tags.names_strongly(CURRENT), tags.names_weakly(CURRENT))))
    }

    #[test]
    fn lists_are_parsed_as_rfc_9110_defines() {
        let both = Ok(Some((true, true)));
        let weak = Ok(Some((false, true)));
        let neither = Ok(Some((false, false)));
        let cases: [(&[&[u8]], _); 26] = [
            (&[b"\"v3-5f1\""], both),
            (&[b" \"v3-5f1\"\t"], both),
            (&[b"*"], both),
            (&[b" * "], both),
            (&[b"*,"], both),
            (&[b", ,*"], both),
            (&[b"\"a\", \"v3-5f1\""], both),
            (&[b"\"a\",\"v3-5f1\",\"b\""], both),
            (&[b",, \"a\" ,,\t, \"v3-5f1\" ,"], both),
            (&[b"\"a\"", b"\"v3-5f1\""], both),
            (&[b"W/\"v3-5f1\""], weak),
            (&[b"W/\"v3-5f1\", \"v3-5f1\""], both),
            (&[b"\"\""], neither),
            // A comma inside the quotes is part of the tag.
            (&[b"\"a,\"", b"\",v3-5f1\""], neither),
            (&[b"\"\xc3\xa9\""], neither),
            (&[], Ok(None)),
            (&[b""], neither),
            (&[b" , ,"], neither),
            (&[b"v3-5f1"], Err(Malformed::Unquoted)),
            (&[b"w/\"v3-5f1\""], Err(Malformed::Unquoted)),
            (&[b"\"x\", *"], Err(Malformed::Star)),
            (&[b"*", b"\"x\""], Err(Malformed::Star)),
            (&[b"*, *"], Err(Malformed::Star)),
            (&[b"\"v3-5f1"], Err(Malformed::Syntax)),
            (&[b"\"a\" \"v3-5f1\""], Err(Malformed::Syntax)),
            // A tag holds no space.
            (&[b"\"v3-5f1, \""], Err(Malformed::Syntax)),
        ];
        for (lines, expected) in cases {
            let shown: Vec<_> = lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
            assert_eq!(names(lines), expected, "{shown:?}");
        }
        assert_eq!(names(&[b"\"a b\""]), Err(Malformed::Syntax));
        assert_eq!(names(&[b"**"]), Err(Malformed::Syntax));
    }

    #[test]
    fn a_malformed_header_names_no_tag() {
        let known = |line: &'static str| is_known(&[HeaderValue::from_static(line)], CURRENT);
        assert!(known("*") && known("W/\"v3-5f1\"") && known("\"a\", \"v3-5f1\""));
        assert!(!known("v3-5f1") && !known("\"x\", *") && !known(""));
    }
}
