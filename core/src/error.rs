//! The error type: a stable code, the path of the invalid value, and a message.

use alloc::{borrow::Cow, string::String, vec::Vec};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::text::{push_char, push_member};
use crate::{Code, limits::MAX_PROBLEMS};

/// A problem of an input and its path. If there are several problems, this is the first, and
/// [`Error::all`] returns all of them.
///
/// The path is a JSON Pointer (RFC 6901) into the invalid document. The empty path is the whole
/// document.
///
/// ```
/// use dezky_core::Code;
/// use dezky_core::names::Slug;
/// let error = Slug::new("Not a slug").unwrap_err();
/// assert_eq!(error.code, Code::InvalidSlug);
/// assert_eq!(error.path, "");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} at \"{path}\": {message}")]
pub struct Error {
    /// The stable code of the problem.
    pub code: Code,
    /// A JSON Pointer to the invalid value.
    pub path: String,
    /// One sentence for people. Programs compare the code instead.
    pub message: Cow<'static, str>,
    /// The other problems of the same input.
    further: Vec<Error>,
}

impl Error {
    /// Creates an error with the message of its code.
    ///
    /// ```
    /// use dezky_core::{Code, Error};
    /// let error = Error::new(Code::Missing, "/slug");
    /// assert_eq!(error.to_string(), "missing at \"/slug\": this member is required");
    /// ```
    pub fn new(code: Code, path: impl Into<String>) -> Error {
        Error { code, path: path.into(), message: Cow::Borrowed(code.message()), further: Vec::new() }
    }

    /// Replaces the message by these pieces, unless they are empty.
    pub(crate) fn with_message(mut self, pieces: &[&str]) -> Error {
        let mut text = String::new();
        for piece in pieces {
            text.push_str(piece);
        }
        if !text.is_empty() {
            self.message = Cow::Owned(text);
        }
        self
    }

    /// All problems of the input, this one first.
    ///
    /// ```
    /// use dezky_core::flags::Subject;
    /// let error = Subject::new("a:b", "Acme", "business").unwrap_err();
    /// let paths: Vec<_> = error.all().map(|each| each.path.as_str()).collect();
    /// assert_eq!(paths, ["/tenantId", "/tenantSlug"]);
    /// ```
    pub fn all(&self) -> impl Iterator<Item = &Error> {
        core::iter::once(self).chain(&self.further)
    }

    /// Serializes all problems to a JSON list of `{ code, path, message }`, which the bindings pass
    /// to other languages.
    ///
    /// ```
    /// use dezky_core::{Code, Error};
    /// let json = Error::new(Code::Missing, "/slug").to_json();
    /// assert_eq!(json, r#"[{"code":"missing","path":"/slug","message":"this member is required"}]"#);
    /// ```
    pub fn to_json(&self) -> String {
        let mut out = String::from("[");
        self.push_to(&mut out);
        for error in &self.further {
            push_char(&mut out, ',');
            error.push_to(&mut out);
        }
        push_char(&mut out, ']');
        out
    }

    fn push_to(&self, out: &mut String) {
        push_char(out, '{');
        push_member(out, "code", self.code.as_str());
        push_member(out, "path", &self.path);
        push_member(out, "message", &self.message);
        push_char(out, '}');
    }

    /// Prefixes all paths, for a document that is part of another one at `prefix`.
    #[cfg(feature = "token")]
    pub(crate) fn under(mut self, prefix: &str) -> Error {
        self.path.insert_str(0, prefix);
        for error in &mut self.further {
            error.path.insert_str(0, prefix);
        }
        self
    }

    /// Returns the value if there are no problems, and otherwise all problems as one error.
    pub(crate) fn unless_clean<T>(problems: Vec<Error>, value: T) -> Result<T, Error> {
        let mut found = None;
        for problem in problems {
            problem.join(&mut found);
        }
        match found {
            None => Ok(value),
            Some(error) => Err(error),
        }
    }

    /// Returns whether the limit of reported problems is not reached yet.
    pub(crate) fn leaves_room(found: &Option<Error>) -> bool {
        match found {
            None => true,
            Some(first) => first.further.len() + 1 < MAX_PROBLEMS,
        }
    }

    /// Adds this problem to those found so far, unless the limit is reached.
    pub(crate) fn join(self, found: &mut Option<Error>) {
        let has_room = Error::leaves_room(found);
        match found {
            None => *found = Some(self),
            Some(first) if has_room => first.further.push(self),
            Some(_) => {}
        }
    }
}

impl core::fmt::Display for Code {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Serializes only this problem: `{ code, path, message }`.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_struct("Error", 3)?;
        form.serialize_field("code", &self.code)?;
        form.serialize_field("path", &self.path)?;
        form.serialize_field("message", &*self.message)?;
        form.end()
    }
}
