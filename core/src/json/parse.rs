//! Text to [`Document`]: RFC 8259 to the letter, in one pass, refusing what is past the limits and repeated members.

use super::document::{Document, Kind, Node};
use super::duplicates::Duplicates;
#[cfg(feature = "token")]
use crate::Error;
use crate::text::{IS_SMALL, push_char};
use crate::{Code, limits::MAX_DEPTH};

/// Room for nodes is made once where a document is as dense as most.
const BYTES_A_NODE: usize = 12;
const NODES_AT_LEAST: usize = 8;

impl<'s> Document<'s> {
    /// Parses a whole document of at most `limit` bytes. Of what is none it keeps what is wrong, for the verdict.
    pub(crate) fn read(bytes: &'s [u8], limit: usize) -> Document<'s> {
        let mut document = Document::default();
        let wrong = if bytes.len() > limit {
            Err(Code::DocumentTooLarge)
        } else if let Ok(source) = core::str::from_utf8(bytes) {
            document.source = source;
            document.nodes.reserve(NODES_AT_LEAST.max(bytes.len() / BYTES_A_NODE));
            document.parse_source(bytes)
        } else {
            Err(Code::InvalidUtf8)
        };
        if let Err(code) = wrong {
            document.refuse(code, "");
        }
        document
    }

    fn parse_source(&mut self, bytes: &'s [u8]) -> Result<(), Code> {
        let mut parser = Parser { bytes, at: 0, depth: 0, document: self, duplicates: Duplicates::default() };
        let parsed = parser.value().and_then(|()| parser.end());
        let mut duplicates = parser.duplicates;
        duplicates.close_all(self);
        // A repeated member stands before the place at which parsing broke off, so it is the first thing that is wrong.
        if duplicates.refuse(self) { Ok(()) } else { parsed }
    }

    /// The same where what is none is an error at once.
    #[cfg(feature = "token")]
    pub(crate) fn parse(bytes: &'s [u8], limit: usize) -> Result<Document<'s>, Error> {
        let document = Document::read(bytes, limit);
        document.verdict().map(|()| document)
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
    /// The next byte. At the end it is one that is allowed nowhere.
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

    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn passes(&mut self, byte: u8) -> bool {
        if self.peek() != byte {
            return false;
        }
        self.at += 1;
        true
    }

    fn expect(&mut self, byte: u8) -> Result<(), Code> {
        if self.passes(byte) { Ok(()) } else { Err(Code::InvalidJson) }
    }

    fn end(&mut self) -> Result<(), Code> {
        self.skip_space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(Code::InvalidJson) }
    }

    fn push(&mut self, kind: Kind, start: usize, length: usize) -> u32 {
        let node = self.document.nodes.len() as u32;
        // What is open holds everything that follows, until it is closed.
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
        if !self.passes(close) {
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
            if self.passes(close) {
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
        self.passes(b'-');
        if !self.passes(b'0') {
            self.digits()?;
        }
        if self.passes(b'.') {
            self.digits()?;
        }
        if self.passes(b'e') || self.passes(b'E') {
            if !self.passes(b'+') {
                self.passes(b'-');
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

    /// A text with at least one escape: its meaning is written out beside the source.
    fn escaped_text(&mut self, start: usize) -> Result<(), Code> {
        let from = self.document.unescaped.len();
        let mut plain = start;
        loop {
            let run = self.document.source.get(plain..self.at).unwrap_or_default();
            self.document.unescaped.push_str(run);
            if self.passes(b'"') {
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

    /// `\uXXXX`, or a surrogate pair of two; a lone surrogate is no character.
    fn unicode_escape(&mut self) -> Option<char> {
        let first = self.hex4();
        if !(0xd800..=0xdbff).contains(&first) {
            return char::from_u32(first);
        }
        if !(self.passes(b'\\') && self.passes(b'u')) {
            return None;
        }
        let second = self.hex4();
        if !(0xdc00..=0xdfff).contains(&second) {
            return None;
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    /// The value of four hex digits, or more than any character has.
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

/// How many bytes come before the first quote, backslash or control character, eight at a time.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte below a limit of at most 128; bytes above the first such one may be marked too.
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
    fn a_text_ends_at_the_first_byte_that_is_not_plain() {
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
