//! An HTTP answer, and the assertions that tests make about it.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer that agrees with the OpenAPI document.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The method and path of the request, for assertion messages.
    pub what: String,
    pub status: u16,
    pub headers: HeaderMap,
    /// The body as received, still compressed if it was.
    pub bytes: Vec<u8>,
    /// The decompressed body, as UTF-8.
    pub text: String,
    /// The parsed JSON body; an array of the lines for JSON lines; otherwise null.
    pub body: Value,
}

impl Answer {
    /// Asserts the status, and returns the answer.
    #[track_caller]
    pub fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text);
        self
    }

    /// Asserts the status and the code of an error, and returns the answer.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Answer {
        assert_eq!((self.status, self.code()), (status, code), "{}: {}", self.what, self.text);
        self
    }

    /// Asserts the path of the first error, and returns the answer.
    #[track_caller]
    pub fn at(self, path: &str) -> Answer {
        assert_eq!(self.body["errors"][0]["path"], path, "{}: {}", self.what, self.text);
        self
    }

    /// The error code, of a problem document or of an OFREP error.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().or(self.body["errorCode"].as_str()).unwrap_or_default()
    }

    /// The value of a header; empty if the header is absent.
    pub fn header(&self, name: &str) -> String {
        text_of(&self.headers, name)
    }

    pub fn etag(&self) -> String {
        self.header("etag")
    }

    pub fn items(&self) -> &[Value] {
        self.body["items"].as_array().unwrap_or_else(|| panic!("{}: {}", self.what, self.text))
    }

    /// One string member of every item.
    pub fn each(&self, member: &str) -> Vec<&str> {
        self.items().iter().map(|item| item[member].as_str().unwrap_or_default()).collect()
    }
}

/// The value of a header; empty if the header is absent.
pub(super) fn text_of(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}
