//! Strict conversion of plain Python values to JSON. Values without a JSON form are problems.

use dezky::Code;
use dezky::limits::{MAX_DEPTH, MAX_WORLD_BYTES};
use pyo3::conversion::FromPyObjectOwned;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyIterator, PyList, PyString, PyTuple};

use crate::fault::Fault;

/// Writes one document and collects every problem with its path.
#[derive(Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
    path: String,
    depth: usize,
    fault: Fault,
}

/// An error here ends the writing. Other problems are collected.
type WriterResult = Result<(), Fault>;

impl Writer {
    /// Returns the JSON text, or the collected problems.
    pub(crate) fn finish(self, written: WriterResult) -> Result<Vec<u8>, Fault> {
        written?;
        if self.fault.is_none() { Ok(self.out) } else { Err(self.fault) }
    }

    /// Appends text that is JSON or a part of JSON.
    pub(crate) fn raw(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    pub(crate) fn value(&mut self, value: &Bound<'_, PyAny>) -> WriterResult {
        if self.out.len() > MAX_WORLD_BYTES {
            return Err(Fault::new(Code::DocumentTooLarge, ""));
        }
        if let Ok(text) = value.cast::<PyString>() {
            match text.encode_utf8() {
                Ok(text) => self.text(text.as_bytes()),
                Err(_) => self.add(Code::InvalidUtf8),
            }
        } else if value.is_none() {
            self.raw(b"null");
        } else if let Ok(boolean) = value.cast::<PyBool>() {
            self.raw(if boolean.is_true() { b"true" } else { b"false" });
        } else if let Ok(number) = value.cast::<PyInt>() {
            self.integer(number);
        } else if let Ok(number) = value.cast::<PyFloat>() {
            self.decimal(number.value());
        } else if let Ok(object) = value.cast::<PyDict>() {
            return self.nested(|writer| writer.object(object));
        } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            return self.nested(|writer| writer.list(value));
        } else {
            self.add(Code::WrongType);
        }
        Ok(())
    }

    /// Writes the next member of an object.
    pub(crate) fn member(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut Writer) -> WriterResult,
    ) -> WriterResult {
        self.separate();
        self.text(name.as_bytes());
        self.raw(b":");
        self.within(name, write)
    }

    fn object(&mut self, object: &Bound<'_, PyDict>) -> WriterResult {
        // The items of a plain dict are copied, so that no code can change the dict during the
        // iteration. A subclass may override `items`, so its method is called.
        let items = if object.is_exact_instance_of::<PyDict>() {
            object.items().try_iter()
        } else {
            object.call_method0("items").and_then(|items| items.try_iter())
        };
        self.raw(b"{");
        self.each(items, |writer, item| {
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item;
            let Ok(name) = name.cast::<PyString>() else {
                writer.add(Code::WrongType);
                return Ok(());
            };
            match name.encode_utf8() {
                Ok(name) => {
                    let name = String::from_utf8_lossy(name.as_bytes());
                    writer.member(&name, |writer| writer.value(&value))
                }
                Err(_) => {
                    writer.add(Code::InvalidUtf8);
                    Ok(())
                }
            }
        })?;
        self.raw(b"}");
        Ok(())
    }

    fn list(&mut self, list: &Bound<'_, PyAny>) -> WriterResult {
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

    /// Writes each item, up to the first exception or the first item of a wrong type.
    fn each<'py, T: FromPyObjectOwned<'py>>(
        &mut self,
        items: PyResult<Bound<'py, PyIterator>>,
        mut write: impl FnMut(&mut Writer, T) -> WriterResult,
    ) -> WriterResult {
        let Some(items) = self.readable(items) else { return Ok(()) };
        for item in items {
            let item = item.and_then(|item| item.extract().map_err(Into::into));
            let Some(item) = self.readable(item) else { return Ok(()) };
            write(self, item)?;
        }
        Ok(())
    }

    /// Returns the value, or adds the exception as a problem and returns `None`.
    fn readable<T>(&mut self, read: PyResult<T>) -> Option<T> {
        read.map_err(|exception| self.fault.add_unreadable(&self.path, exception)).ok()
    }

    fn nested(&mut self, write: impl FnOnce(&mut Writer) -> WriterResult) -> WriterResult {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(Code::TooDeep, ""));
        }
        let written = write(self);
        self.depth -= 1;
        written
    }

    /// Calls `write` with the path extended by one step.
    fn within(&mut self, step: &str, write: impl FnOnce(&mut Writer) -> WriterResult) -> WriterResult {
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

    fn add(&mut self, code: Code) {
        self.fault.add(code, &self.path);
    }

    /// Writes a comma, except before the first item of a list or object.
    fn separate(&mut self) {
        if !matches!(self.out.last(), Some(b'[' | b'{')) {
            self.raw(b",");
        }
    }

    fn integer(&mut self, number: &Bound<'_, PyInt>) {
        if let Ok(small) = number.extract::<i64>() {
            return self.raw(small.to_string().as_bytes());
        }
        // The digits of the number itself: a subclass may override `__repr__`.
        let digits = number.py().get_type::<PyInt>().call_method1("__repr__", (number,));
        match digits.and_then(|digits| digits.extract::<String>()) {
            Ok(digits) => self.raw(digits.as_bytes()),
            // Python refuses to print integers of several thousand digits. A number of that size is
            // out of every range, so its digits do not matter.
            Err(_) => self.raw(b"1e9999"),
        }
    }

    fn decimal(&mut self, number: f64) {
        if number.is_finite() {
            self.raw(format!("{number:?}").as_bytes());
        } else {
            self.add(Code::WrongType);
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
