//! The JSON parser: exactly RFC 8259, in one pass, within the limits and without repeated members.

use super::document::{Document, Kind, Node};
use super::duplicates::Duplicates;
#[cfg(feature = "token")]
use crate::Error;
use crate::text::{IS_SMALL, push_char};
use crate::{Code, limits::MAX_DEPTH};

/// A lower bound for the bytes per node of ordinary documents. It sizes the list of nodes, which
/// then seldom grows.
const BYTES_PER_NODE: usize = 12;
const MIN_NODES: usize = 8;

impl<'s> Document<'s> {
    /// Parses a whole document of at most `limit` bytes. If parsing fails, the document holds only
    /// the error.
    pub(crate) fn read(bytes: &'s [u8], limit: usize) -> Document<'s> {
        let mut document = Document::default();
        let error = if bytes.len() > limit {
            Err(Code::DocumentTooLarge)
        } else if let Ok(source) = core::str::from_utf8(bytes) {
            document.source = source;
            document.nodes.reserve(MIN_NODES.max(bytes.len() / BYTES_PER_NODE));
            document.parse_source(bytes)
        } else {
            Err(Code::InvalidUtf8)
        };
        if let Err(code) = error {
            document.reject(code, "");
        }
        document
    }

    fn parse_source(&mut self, bytes: &'s [u8]) -> Result<(), Code> {
        let mut parser = Parser { bytes, at: 0, depth: 0, document: self, duplicates: Duplicates::default() };
        let parsed = parser.value().and_then(|()| parser.end());
        let mut duplicates = parser.duplicates;
        duplicates.close_all(self);
        // A repeated member comes before the position at which parsing failed, so it is the first
        // problem.
        if duplicates.reject(self) { Ok(()) } else { parsed }
    }

    /// Like `read`, but returns parse errors immediately.
    #[cfg(feature = "token")]
    pub(crate) fn parse(bytes: &'s [u8], limit: usize) -> Result<Document<'s>, Error> {
        let document = Document::read(bytes, limit);
        document.finish().map(|()| document)
    }
}

struct Parser<'p, 's> {
    bytes: &'s [u8],
    at: usize,
    depth: usize,
    document: &'p mut Document<'s>,
    duplicates: Duplicates,
}

impl Parser<'_, '_> {
    /// The next byte, or at the end zero, which JSON allows nowhere.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn skip_space(&mut self) {
        while let b' ' | b'\n' | b'\r' | b'\t' = self.peek() {
            self.at += 1;
        }
    }

    /// Consumes the next byte if it is `byte`.
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn consume(&mut self, byte: u8) -> bool {
        if self.peek() != byte {
            return false;
        }
        self.at += 1;
        true
    }

    fn expect(&mut self, byte: u8) -> Result<(), Code> {
        if self.consume(byte) { Ok(()) } else { Err(Code::InvalidJson) }
    }

    fn end(&mut self) -> Result<(), Code> {
        self.skip_space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(Code::InvalidJson) }
    }

    fn push(&mut self, kind: Kind, start: usize, length: usize) -> u32 {
        let node = self.document.nodes.len() as u32;
        // An open list or object contains everything that follows, until it is closed.
        let next = if matches!(kind, Kind::Object | Kind::Array) { u32::MAX } else { node + 1 };
        let (start, length) = (start as u32, length as u32);
        self.document.nodes.push(Node { kind, unescaped: false, start, length, next });
        node
    }

    fn value(&mut self) -> Result<(), Code> {
        self.skip_space();
        match self.peek() {
            b'"' => self.text(),
            b'{' => self.nested(Kind::Object, b'}'),
            b'[' => self.nested(Kind::Array, b']'),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word(Kind::Bool, b"true"),
            b'f' => self.word(Kind::Bool, b"false"),
            b'n' => self.word(Kind::Null, b"null"),
            _ => Err(Code::InvalidJson),
        }
    }

    fn word(&mut self, kind: Kind, word: &[u8]) -> Result<(), Code> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(Code::InvalidJson);
        }
        self.push(kind, self.at, word.len());
        self.at += word.len();
        Ok(())
    }

    fn nested(&mut self, kind: Kind, close: u8) -> Result<(), Code> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Code::TooDeep);
        }
        let node = self.push(kind, 0, 0);
        self.duplicates.open();
        self.at += 1;
        self.skip_space();
        if !self.consume(close) {
            self.entries(kind, close)?;
        }
        self.duplicates.close(self.document);
        let next = self.document.nodes.len() as u32;
        if let Some(node) = self.document.nodes.get_mut(node as usize) {
            node.next = next;
        }
        self.depth -= 1;
        Ok(())
    }

    fn entries(&mut self, kind: Kind, close: u8) -> Result<(), Code> {
        loop {
            if kind == Kind::Object {
                self.skip_space();
                let name = self.document.nodes.len() as u32;
                self.text()?;
                self.duplicates.name(name);
                self.skip_space();
                self.expect(b':')?;
            }
            self.value()?;
            self.skip_space();
            if self.consume(close) {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    fn digits(&mut self) -> Result<(), Code> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Code::InvalidJson) }
    }

    fn number(&mut self) -> Result<(), Code> {
        let start = self.at;
        self.consume(b'-');
        if !self.consume(b'0') {
            self.digits()?;
        }
        if self.consume(b'.') {
            self.digits()?;
        }
        if self.consume(b'e') || self.consume(b'E') {
            if !self.consume(b'+') {
                self.consume(b'-');
            }
            self.digits()?;
        }
        self.push(Kind::Number, start, self.at - start);
        Ok(())
    }

    fn text(&mut self) -> Result<(), Code> {
        self.expect(b'"')?;
        let start = self.at;
        self.at += plain_length(self.bytes.get(start..).unwrap_or_default());
        if self.peek() == b'\\' {
            return self.escaped_text(start);
        }
        self.push(Kind::Text, start, self.at - start);
        self.expect(b'"')
    }

    /// Parses a string with at least one escape and stores it unescaped.
    fn escaped_text(&mut self, start: usize) -> Result<(), Code> {
        let from = self.document.unescaped.len();
        let mut plain = start;
        loop {
            let run = self.document.source.get(plain..self.at).unwrap_or_default();
            self.document.unescaped.push_str(run);
            if self.consume(b'"') {
                break;
            }
            self.expect(b'\\')?;
            let character = self.escape().ok_or(Code::InvalidJson)?;
            push_char(&mut self.document.unescaped, character);
            plain = self.at;
            self.at += plain_length(self.bytes.get(plain..).unwrap_or_default());
        }
        let node = self.push(Kind::Text, from, self.document.unescaped.len() - from);
        if let Some(node) = self.document.nodes.get_mut(node as usize) {
            node.unescaped = true;
        }
        Ok(())
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek();
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' => Some(char::from(byte)),
            b'b' => Some('\u{8}'),
            b'f' => Some('\u{c}'),
            b'n' => Some('\n'),
            b'r' => Some('\r'),
            b't' => Some('\t'),
            b'u' => self.unicode_escape(),
            _ => None,
        }
    }

    /// Parses `XXXX` of `\uXXXX`, or a surrogate pair. A lone surrogate is an error.
    fn unicode_escape(&mut self) -> Option<char> {
        let first = self.hex4();
        if !(0xd800..=0xdbff).contains(&first) {
            return char::from_u32(first);
        }
        if !(self.consume(b'\\') && self.consume(b'u')) {
            return None;
        }
        let second = self.hex4();
        if !(0xdc00..=0xdfff).contains(&second) {
            return None;
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    /// Parses four hex digits. Returns a value above every character if one of them is not a hex
    /// digit.
    fn hex4(&mut self) -> u32 {
        let mut value = 0_u32;
        for _ in 0..4 {
            let digit = char::from(self.peek()).to_digit(16).unwrap_or(u32::MAX);
            value = value.saturating_mul(16).saturating_add(digit);
            self.at += 1;
        }
        value
    }
}

/// Counts the bytes before the first quote, backslash or control character, eight at a time.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // Sets the high bit of each byte below `limit`, which is at most 128. The lowest set bit is
    // exact; a borrow may also set the bits of bytes after it.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let (words, rest) = if IS_SMALL { (&[] as &[[u8; 8]], bytes) } else { bytes.as_chunks::<8>() };
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
        let found = below(word, 0x20) | equal(b'"') | equal(b'\\');
        if found != 0 {
            return 8 * index + found.trailing_zeros() as usize / 8;
        }
    }
    let mut length = bytes.len() - rest.len();
    for &byte in rest {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            break;
        }
        length += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::plain_length;
    use std::prelude::v1::*;
    use std::vec;

    #[test]
    fn a_string_ends_at_the_first_byte_that_is_not_plain() {
        for length in 0..40 {
            for plain in [b'a', b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xa0, 0xdc, 0xff] {
                let bytes = vec![plain; length];
                assert_eq!(plain_length(&bytes), length);
                for at in 0..length {
                    for other in [b'"', b'\\', 0, 1, 0x1f] {
                        let mut bytes = bytes.clone();
                        bytes[at] = other;
                        bytes[length - 1] = other;
                        assert_eq!(plain_length(&bytes), at);
                    }
                }
            }
        }
    }
}
