//! The one error type: a stable code, the path of the offending value, and a sentence for people.

use alloc::{borrow::Cow, string::String, vec::Vec};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::text::{push_char, push_member};
use crate::{Code, limits::MAX_PROBLEMS};

/// What is wrong with an input, and where. Where several things are wrong, this is the first and [`Error::all`] has every one.
///
/// The path is a JSON Pointer (RFC 6901) into the document at fault; the document as a whole is the empty path.
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
    /// The stable code.
    pub code: Code,
    /// Where: a JSON Pointer.
    pub path: String,
    /// One sentence for people; never part of a comparison.
    pub message: Cow<'static, str>,
    further: Vec<Error>,
}

impl Error {
    /// An error at a path.
    ///
    /// ```
    /// use dezky_core::{Code, Error};
    /// assert_eq!(Error::new(Code::Missing, "/slug").to_string(), "missing at \"/slug\": this member is needed");
    /// ```
    pub fn new(code: Code, path: impl Into<String>) -> Error {
        Error { code, path: path.into(), message: Cow::Borrowed(code.message()), further: Vec::new() }
    }

    /// The same error with a sentence of these pieces, where they say something.
    pub(crate) fn saying(mut self, sentence: &[&str]) -> Error {
        let mut text = String::new();
        for piece in sentence {
            text.push_str(piece);
        }
        if !text.is_empty() {
            self.message = Cow::Owned(text);
        }
        self
    }

    /// Every problem that was found, this one first.
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

    /// Every problem as a JSON list of `{ code, path, message }`, the form in which errors cross into other languages.
    ///
    /// ```
    /// use dezky_core::{Code, Error};
    /// let json = Error::new(Code::Missing, "/slug").to_json();
    /// assert_eq!(json, r#"[{"code":"missing","path":"/slug","message":"this member is needed"}]"#);
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

    /// The same problem, seen from a document that holds this one at `prefix`.
    #[cfg(feature = "token")]
    pub(crate) fn under(mut self, prefix: &str) -> Error {
        self.path.insert_str(0, prefix);
        for error in &mut self.further {
            error.path.insert_str(0, prefix);
        }
        self
    }

    /// `Ok(value)` where nothing is wrong, else all of the problems as one error.
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

    /// Whether one more is to be reported.
    pub(crate) fn leaves_room(found: &Option<Error>) -> bool {
        match found {
            None => true,
            Some(first) => first.further.len() + 1 < MAX_PROBLEMS,
        }
    }

    /// Becomes the first of what was found, or one of the further.
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

/// `{ code, path, message }`
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_struct("Error", 3)?;
        form.serialize_field("code", &self.code)?;
        form.serialize_field("path", &self.path)?;
        form.serialize_field("message", &*self.message)?;
        form.end()
    }
}
