//! Reading responses: the relevant headers, a bounded body, and the meaning of a status.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{ETAG, HeaderMap, RETRY_AFTER};

use super::failure::RequestFailure;
use super::{ClientCode, ClientError};
use dezky_core::json::{JsonDocument, JsonNode};
use dezky_core::limits::MAX_DOCUMENT_BYTES;
use dezky_core::{Code, Error};

/// The largest body of a refusal that is read; it only has to contain the code.
const MAX_PROBLEM_BYTES: usize = 16 << 10;

/// The cap on the server's `Retry-After`, so that one response cannot stop a client for long.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// The status and the relevant headers of a response.
pub(super) struct ResponseHead {
    pub(super) status: u16,
    pub(super) tag: Option<String>,
    pub(super) history: Option<String>,
    /// The newest revision that changed a tenant or a partner.
    pub(super) population: Option<u64>,
    pub(super) retry_after: Option<Duration>,
}

impl ResponseHead {
    pub(super) fn read(status: u16, headers: &HeaderMap) -> ResponseHead {
        let text =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        let number = |name: &str| text(name)?.parse().ok();
        ResponseHead {
            status,
            tag: text(ETAG.as_str()),
            history: text("dezky-history"),
            population: number("dezky-population"),
            retry_after: number(RETRY_AFTER.as_str())
                .map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER)),
        }
    }

    /// The digest in the `ETag`, without quotes.
    ///
    /// A compressing proxy marks the tag as weak (`W/`). The mark is ignored, because the digest of
    /// the body is checked anyway.
    pub(super) fn digest(&self) -> Option<&str> {
        let tag = self.tag.as_deref()?;
        tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')
    }

    /// The largest body that is read for this status.
    fn max_body_bytes(&self) -> usize {
        match self.status {
            200 => MAX_DOCUMENT_BYTES,
            401 | 403 => MAX_PROBLEM_BYTES,
            _ => 0,
        }
    }
}

/// Reads the head of a response, and the body where the status calls for one.
pub(super) async fn read_response(mut response: Response) -> Result<(ResponseHead, Vec<u8>), RequestFailure> {
    let head = ResponseHead::read(response.status().as_u16(), response.headers());
    let max = head.max_body_bytes();
    let mut body = Vec::new();
    // `Content-Length` may be wrong, so the received bytes are counted.
    while max > 0
        && let Some(chunk) = response.chunk().await?
    {
        if body.len() + chunk.len() > max {
            if head.status != 200 {
                return Ok((head, Vec::new()));
            }
            return Err(ClientError::bad_snapshot(Error::new(Code::DocumentTooLarge, "")).into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok((head, body))
}

/// Converts a response without a usable document to a failure, with the server's code for a
/// refusal.
pub(super) fn failure_of(head: &ResponseHead, body: &[u8]) -> RequestFailure {
    let status = head.status;
    let error = match status {
        401 | 403 => {
            let server_code = code_of(body);
            let message = match &server_code {
                Some(code) => format!("the server refuses the key: {status} {code}"),
                None => format!("the server refuses the key: {status}"),
            };
            ClientError { server_code, ..ClientError::new(ClientCode::KeyRefused, message) }
        }
        429 => ClientError::new(ClientCode::RateLimited, "the server asks for fewer requests"),
        _ => ClientError::new(ClientCode::UnexpectedStatus, format!("the server answered {status}")),
    };
    RequestFailure { error, retry_after: head.retry_after }
}

/// The `code` of a problem document.
fn code_of(body: &[u8]) -> Option<String> {
    let document = JsonDocument::read(body, MAX_DOCUMENT_BYTES).ok()?;
    let JsonNode::Text(code) = document.at(&["code"]) else { return None };
    let is_code = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    ((1..=64).contains(&code.len()) && code.bytes().all(is_code)).then(|| code.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Duration, HeaderMap, MAX_RETRY_AFTER, RETRY_AFTER, ResponseHead};

    #[test]
    fn retry_after_is_capped() {
        for (value, expected) in [
            ("1", Some(Duration::from_secs(1))),
            ("301", Some(MAX_RETRY_AFTER)),
            ("18446744073709551615", Some(MAX_RETRY_AFTER)),
            ("Fri, 31 Dec 1999 23:59:59 GMT", None),
            ("-1", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            assert_eq!(ResponseHead::read(503, &headers).retry_after, expected, "{value}");
        }
    }
}
