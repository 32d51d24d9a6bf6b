//! Arguments: documents as the bytes that core reads, and plain texts.

use std::borrow::Cow;

use dezky::Code;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyString};

use crate::fault::Fault;
use crate::writer::Writer;

/// Bytes from which on reading a document takes so long that other threads should run meanwhile.
const LONG: usize = 4 << 10;

/// A document argument: text or UTF-8 bytes, which go to core as they are, or a plain value written as JSON.
pub(crate) enum Document<'py> {
    Given(Bound<'py, PyBytes>),
    Written(Vec<u8>),
}

impl<'py> Document<'py> {
    pub(crate) fn of(argument: &Bound<'py, PyAny>) -> Result<Document<'py>, Fault> {
        if let Some(given) = Document::given(argument)? {
            return Ok(given);
        }
        let mut writer = Writer::default();
        let written = writer.value(argument);
        writer.finish(written).map(Document::Written)
    }

    /// An argument that is JSON already; `None` where it is a value.
    pub(crate) fn given(argument: &Bound<'py, PyAny>) -> Result<Option<Document<'py>>, Fault> {
        if let Ok(text) = argument.cast::<PyString>() {
            return text
                .encode_utf8()
                .map(|bytes| Some(Document::Given(bytes)))
                .map_err(|_| Fault::new(Code::InvalidUtf8, ""));
        }
        if let Ok(bytes) = argument.cast::<PyBytes>() {
            return Ok(Some(Document::Given(bytes.clone())));
        }
        let bytes = argument.cast::<PyByteArray>().ok();
        Ok(bytes.map(|bytes| Document::Written(bytes.to_vec())))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Document::Given(bytes) => bytes.as_bytes(),
            Document::Written(bytes) => bytes,
        }
    }

    /// Works on the document; on a large one without the interpreter lock.
    pub(crate) fn work<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&[u8]) -> T + Send) -> T {
        let bytes = self.as_bytes();
        if bytes.len() > LONG { py.detach(|| work(bytes)) } else { work(bytes) }
    }
}

/// An argument that must be a text.
pub(crate) fn text<'a>(argument: &'a Bound<'_, PyAny>, path: &str) -> Result<Cow<'a, str>, Fault> {
    let text = argument.cast::<PyString>().map_err(|_| Fault::new(Code::WrongType, path))?;
    text.to_cow().map_err(|_| Fault::new(Code::InvalidUtf8, path))
}
