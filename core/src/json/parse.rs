//! Text to [`Document`]: RFC 8259 to the letter, in one pass, refusing what is past the limits and repeated members.

use std::borrow::Cow;

use super::document::{Document, Kind, Node};
use super::duplicates::Duplicates;
use crate::{Code, Error, limits::MAX_DEPTH};

impl<'s> Document<'s> {
    /// Parses a whole document of at most `limit` bytes.
    pub(crate) fn parse(bytes: &'s [u8], limit: usize) -> Result<Document<'s>, Error> {
        if bytes.len() > limit {
            return Err(Error::new(Code::DocumentTooLarge, ""));
        }
        let source = std::str::from_utf8(bytes).map_err(|_| Error::new(Code::InvalidUtf8, ""))?;
        let nodes = Vec::with_capacity(bytes.len() / 12);
        let document = Document { source: Cow::Borrowed(source), unescaped: String::new(), nodes };
        let mut parser = Parser { bytes, at: 0, depth: 0, document, duplicates: Duplicates::default() };
        let parsed = parser.value().and_then(|()| parser.end());
        // A repeated member stands before the place at which parsing broke off, so it is the first thing that is wrong.
        parser.duplicates.close_all(&parser.document);
        parser.duplicates.verdict(&parser.document)?;
        parsed.map_err(|code| Error::new(code, ""))?;
        Ok(parser.document)
    }
}

struct Parser<'s> {
    bytes: &'s [u8],
    at: usize,
    depth: usize,
    document: Document<'s>,
    duplicates: Duplicates,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Code> {
        if self.peek() != Some(byte) {
            return Err(Code::InvalidJson);
        }
        self.at += 1;
        Ok(())
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
            Some(b'"') => self.text().map(|_| ()),
            Some(b'{') => self.nested(Kind::Object),
            Some(b'[') => self.nested(Kind::Array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(Kind::Bool, b"true"),
            Some(b'f') => self.word(Kind::Bool, b"false"),
            Some(b'n') => self.word(Kind::Null, b"null"),
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

    fn nested(&mut self, kind: Kind) -> Result<(), Code> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Code::TooDeep);
        }
        let node = self.push(kind, 0, 0);
        self.duplicates.open();
        let close = if kind == Kind::Object { b'}' } else { b']' };
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            self.entries(kind, close)?;
        }
        self.duplicates.close(&self.document);
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
                let name = self.text()?;
                self.duplicates.name(name);
                self.skip_space();
                self.expect(b':')?;
            }
            self.value()?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(Code::InvalidJson),
            }
        }
    }

    fn digits(&mut self) -> Result<(), Code> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Code::InvalidJson) }
    }

    fn number(&mut self) -> Result<(), Code> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        self.push(Kind::Number, start, self.at - start);
        Ok(())
    }

    fn text(&mut self) -> Result<u32, Code> {
        self.expect(b'"')?;
        let start = self.at;
        self.at += plain_length(self.bytes.get(start..).unwrap_or_default());
        match self.peek() {
            Some(b'"') => {}
            Some(b'\\') => return self.escaped_text(start),
            _ => return Err(Code::InvalidJson),
        }
        let node = self.push(Kind::Text, start, self.at - start);
        self.at += 1;
        Ok(node)
    }

    /// A text with at least one escape: its meaning is written out beside the source.
    fn escaped_text(&mut self, start: usize) -> Result<u32, Code> {
        let from = self.document.unescaped.len();
        let mut plain = start;
        loop {
            let byte = self.peek().ok_or(Code::InvalidJson)?;
            if byte < 0x20 {
                return Err(Code::InvalidJson);
            }
            if byte != b'"' && byte != b'\\' {
                self.at += 1;
                continue;
            }
            let run = self.document.source.get(plain..self.at).ok_or(Code::InvalidJson)?;
            self.document.unescaped.push_str(run);
            self.at += 1;
            if byte == b'"' {
                break;
            }
            let character = self.escape()?;
            self.document.unescaped.push(character);
            plain = self.at;
        }
        let node = self.push(Kind::Text, from, self.document.unescaped.len() - from);
        if let Some(node) = self.document.nodes.get_mut(node as usize) {
            node.unescaped = true;
        }
        Ok(node)
    }

    fn escape(&mut self) -> Result<char, Code> {
        let byte = self.peek().ok_or(Code::InvalidJson)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(Code::InvalidJson),
        })
    }

    /// `\uXXXX`, or a surrogate pair of two; a lone surrogate is no character.
    fn unicode_escape(&mut self) -> Result<char, Code> {
        let first = self.hex4()?;
        let scalar = match first {
            0xd800..=0xdbff => {
                self.expect(b'\\')?;
                self.expect(b'u')?;
                match self.hex4()? {
                    second @ 0xdc00..=0xdfff => 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                    _ => return Err(Code::InvalidJson),
                }
            }
            other => other,
        };
        char::from_u32(scalar).ok_or(Code::InvalidJson)
    }

    fn hex4(&mut self) -> Result<u32, Code> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or(Code::InvalidJson)?;
        let mut value = 0;
        for &digit in digits {
            value = value << 4 | char::from(digit).to_digit(16).ok_or(Code::InvalidJson)?;
        }
        self.at += 4;
        Ok(value)
    }
}

/// How many bytes come before the first quote, backslash or control character, eight at a time.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte below a limit of at most 128; bytes above the first such one may be marked too.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
        let found = below(word, 0x20) | equal(b'"') | equal(b'\\');
        if found != 0 {
            return 8 * index + found.trailing_zeros() as usize / 8;
        }
    }
    let plain = rest.iter().take_while(|&&byte| byte != b'"' && byte != b'\\' && byte >= 0x20);
    bytes.len() - rest.len() + plain.count()
}

#[cfg(test)]
mod tests {
    use super::plain_length;

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
