//! Arguments: documents as bytes for core, and plain strings.

use std::borrow::Cow;

use dezky::Code;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyString};

use crate::fault::Fault;
use crate::writer::Writer;

/// The size in bytes above which a document is read without the interpreter lock.
const LOCK_FREE_BYTES: usize = 4 << 10;

/// A document argument as JSON bytes.
///
/// Strings and bytes go to core unchanged. Plain values are serialized first.
pub(crate) enum DocumentArgument<'py> {
    Borrowed(Bound<'py, PyBytes>),
    Owned(Vec<u8>),
}

impl<'py> DocumentArgument<'py> {
    /// Converts a string, bytes or a plain value.
    pub(crate) fn from_value(argument: &Bound<'py, PyAny>) -> Result<DocumentArgument<'py>, Fault> {
        if let Some(given) = DocumentArgument::from_json(argument)? {
            return Ok(given);
        }
        let mut writer = Writer::default();
        let written = writer.value(argument);
        writer.finish(written).map(DocumentArgument::Owned)
    }

    /// Returns a string or bytes argument as JSON, or `None` for a plain value.
    pub(crate) fn from_json(argument: &Bound<'py, PyAny>) -> Result<Option<DocumentArgument<'py>>, Fault> {
        if let Ok(text) = argument.cast::<PyString>() {
            return text
                .encode_utf8()
                .map(|bytes| Some(DocumentArgument::Borrowed(bytes)))
                .map_err(|_| Fault::new(Code::InvalidUtf8, ""));
        }
        if let Ok(bytes) = argument.cast::<PyBytes>() {
            return Ok(Some(DocumentArgument::Borrowed(bytes.clone())));
        }
        let bytes = argument.cast::<PyByteArray>().ok();
        Ok(bytes.map(|bytes| DocumentArgument::Owned(bytes.to_vec())))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            DocumentArgument::Borrowed(bytes) => bytes.as_bytes(),
            DocumentArgument::Owned(bytes) => bytes,
        }
    }

    /// Calls a function with the bytes, without the interpreter lock if the document is large.
    pub(crate) fn work<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&[u8]) -> T + Send) -> T {
        let bytes = self.as_bytes();
        if bytes.len() > LOCK_FREE_BYTES { py.detach(|| work(bytes)) } else { work(bytes) }
    }
}

/// Converts an argument that must be a string.
pub(crate) fn text<'a>(argument: &'a Bound<'_, PyAny>, path: &str) -> Result<Cow<'a, str>, Fault> {
    let text = argument.cast::<PyString>().map_err(|_| Fault::new(Code::WrongType, path))?;
    text.to_cow().map_err(|_| Fault::new(Code::InvalidUtf8, path))
}
