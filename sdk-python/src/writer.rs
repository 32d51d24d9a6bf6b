//! Plain Python values as JSON text, strictly: what JSON cannot hold is a problem, never something else instead.

use dezky::Code;
use dezky::limits::{MAX_DEPTH, MAX_WORLD_BYTES};
use pyo3::conversion::FromPyObjectOwned;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyIterator, PyList, PyString, PyTuple};

use crate::fault::Fault;

/// Writes one document, noting every problem with its path.
#[derive(Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
    path: String,
    depth: usize,
    fault: Fault,
}

/// The error is one with which nothing more of the document can be written.
type Written = Result<(), Fault>;

impl Writer {
    /// The text, where nothing was wrong.
    pub(crate) fn finish(self, written: Written) -> Result<Vec<u8>, Fault> {
        written?;
        if self.fault.is_none() { Ok(self.out) } else { Err(self.fault) }
    }

    /// Text that is JSON already, or a part of some.
    pub(crate) fn raw(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    pub(crate) fn value(&mut self, value: &Bound<'_, PyAny>) -> Written {
        if self.out.len() > MAX_WORLD_BYTES {
            return Err(Fault::new(Code::DocumentTooLarge, ""));
        }
        if let Ok(text) = value.cast::<PyString>() {
            match text.encode_utf8() {
                Ok(text) => self.text(text.as_bytes()),
                Err(_) => self.note(Code::InvalidUtf8),
            }
        } else if value.is_none() {
            self.raw(b"null");
        } else if let Ok(boolean) = value.cast::<PyBool>() {
            self.raw(if boolean.is_true() { b"true" } else { b"false" });
        } else if let Ok(number) = value.cast::<PyInt>() {
            self.whole(number);
        } else if let Ok(number) = value.cast::<PyFloat>() {
            self.decimal(number.value());
        } else if let Ok(object) = value.cast::<PyDict>() {
            return self.nested(|writer| writer.object(object));
        } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            return self.nested(|writer| writer.list(value));
        } else {
            self.note(Code::WrongType);
        }
        Ok(())
    }

    /// The next member of an object.
    pub(crate) fn member(&mut self, name: &str, write: impl FnOnce(&mut Writer) -> Written) -> Written {
        self.separate();
        self.text(name.as_bytes());
        self.raw(b":");
        self.within(name, write)
    }

    fn object(&mut self, object: &Bound<'_, PyDict>) -> Written {
        // A subclass may have items of its own making; a plain dict's are copied, so that nothing can change it meanwhile.
        let items = if object.is_exact_instance_of::<PyDict>() {
            object.items().try_iter()
        } else {
            object.call_method0("items").and_then(|items| items.try_iter())
        };
        self.raw(b"{");
        self.each(items, |writer, item| {
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item;
            let Ok(name) = name.cast::<PyString>() else {
                writer.note(Code::WrongType);
                return Ok(());
            };
            match name.encode_utf8() {
                Ok(name) => {
                    let name = String::from_utf8_lossy(name.as_bytes());
                    writer.member(&name, |writer| writer.value(&value))
                }
                Err(_) => {
                    writer.note(Code::InvalidUtf8);
                    Ok(())
                }
            }
        })?;
        self.raw(b"}");
        Ok(())
    }

    fn list(&mut self, list: &Bound<'_, PyAny>) -> Written {
        let mut index = 0_usize;
        self.raw(b"[");
        self.each(list.try_iter(), |writer, item: Bound<'_, PyAny>| {
            writer.separate();
            writer.within(&index.to_string(), |writer| writer.value(&item))?;
            index += 1;
            Ok(())
        })?;
        self.raw(b"]");
        Ok(())
    }

    /// Writes what an iterator gives, up to where it raises an exception or gives something else than it should.
    fn each<'py, T: FromPyObjectOwned<'py>>(
        &mut self,
        items: PyResult<Bound<'py, PyIterator>>,
        mut write: impl FnMut(&mut Writer, T) -> Written,
    ) -> Written {
        let Some(items) = self.readable(items) else { return Ok(()) };
        for item in items {
            let item = item.and_then(|item| item.extract().map_err(Into::into));
            let Some(item) = self.readable(item) else { return Ok(()) };
            write(self, item)?;
        }
        Ok(())
    }

    /// What was read; `None` where that raised an exception, which is then noted.
    fn readable<T>(&mut self, read: PyResult<T>) -> Option<T> {
        read.map_err(|exception| self.fault.note_unreadable(&self.path, exception)).ok()
    }

    fn nested(&mut self, write: impl FnOnce(&mut Writer) -> Written) -> Written {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(Code::TooDeep, ""));
        }
        let written = write(self);
        self.depth -= 1;
        written
    }

    /// What is written by `write` stands one step further down.
    fn within(&mut self, step: &str, write: impl FnOnce(&mut Writer) -> Written) -> Written {
        let length = self.path.len();
        self.path.push('/');
        for character in step.chars() {
            match character {
                '~' => self.path.push_str("~0"),
                '/' => self.path.push_str("~1"),
                other => self.path.push(other),
            }
        }
        let written = write(self);
        self.path.truncate(length);
        written
    }

    fn note(&mut self, code: Code) {
        self.fault.note(code, &self.path);
    }

    /// A comma, unless what comes is the first of its list or object.
    fn separate(&mut self) {
        if !matches!(self.out.last(), Some(b'[' | b'{')) {
            self.raw(b",");
        }
    }

    fn whole(&mut self, number: &Bound<'_, PyInt>) {
        if let Ok(small) = number.extract::<i64>() {
            return self.raw(small.to_string().as_bytes());
        }
        // Its own digits, not those that a subclass may put in their place.
        let digits = number.py().get_type::<PyInt>().call_method1("__repr__", (number,));
        match digits.and_then(|digits| digits.extract::<String>()) {
            Ok(digits) => self.raw(digits.as_bytes()),
            // Python writes no more than some thousands of them. Such a number is out of every range, whatever its digits.
            Err(_) => self.raw(b"1e9999"),
        }
    }

    fn decimal(&mut self, number: f64) {
        if number.is_finite() {
            self.raw(format!("{number:?}").as_bytes());
        } else {
            self.note(Code::WrongType);
        }
    }

    fn text(&mut self, text: &[u8]) {
        self.raw(b"\"");
        for run in text.split_inclusive(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
            match run.split_last() {
                Some((&special @ (..0x20 | b'"' | b'\\'), plain)) => {
                    self.raw(plain);
                    self.raw(format!("\\u{special:04x}").as_bytes());
                }
                _ => self.raw(run),
            }
        }
        self.raw(b"\"");
    }
}
