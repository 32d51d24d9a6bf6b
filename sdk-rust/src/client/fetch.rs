//! One conditional fetch: an answer is only taken if it is whole, strictly well formed, what the server says that it is, and not older.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{ETAG, HeaderMap, RETRY_AFTER};
use tokio::time::timeout;

use super::held::Held;
use super::http::{Failure, Http, late};
use super::{ClientCode, ClientError, Timing};
use dezky_core::flags::Snapshot;
use dezky_core::limits::MAX_DOCUMENT_BYTES;
use dezky_core::{Code, Error};

/// As much of a refusal is read as tells why.
const MAX_PROBLEM_BYTES: usize = 16 << 10;

/// The cap on the server's `Retry-After`, so that one answer cannot stop a client for long.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// The meaning of an answer.
pub(super) enum Answer {
    /// The rules that were named in the question are those that are out, in this history.
    Same { history: Option<String> },
    /// Others are.
    Other(Held),
}

/// The parts of an answer's head that count.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) tag: Option<String>,
    history: Option<String>,
    /// The newest revision that changed a tenant or a partner.
    pub(super) population: Option<u64>,
    pub(super) retry_after: Option<Duration>,
}

impl Head {
    pub(super) fn read(status: u16, headers: &HeaderMap) -> Head {
        let text =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        let number = |name: &str| text(name)?.parse().ok();
        Head {
            status,
            tag: text(ETAG.as_str()),
            history: text("dezky-history"),
            population: number("dezky-population"),
            retry_after: number(RETRY_AFTER.as_str())
                .map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER)),
        }
    }

    /// The tag without its quotes, and without the mark that a proxy leaves which compresses: the digest is checked anyway.
    fn digest(&self) -> Option<&str> {
        let tag = self.tag.as_deref()?;
        tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')
    }

    /// As many bytes of the body are read.
    fn most(&self) -> usize {
        match self.status {
            200 => MAX_DOCUMENT_BYTES,
            401 | 403 => MAX_PROBLEM_BYTES,
            _ => 0,
        }
    }
}

/// Asks what is out. `known`: the snapshot for `If-None-Match`; older revisions are refused. `serving`: the rules in use.
pub(super) async fn fetch(
    http: &Http,
    timing: &Timing,
    known: Option<&Held>,
    serving: Option<&Held>,
) -> Result<(Head, Answer), Failure> {
    let exchange = async {
        let known_digest = known.map(|held| &held.digest);
        let response = http.snapshot(known_digest, serving.map(|held| &held.digest)).await?;
        let (head, body) = read(response).await?;
        judge(&head, &body, known).map(|answer| (head, answer))
    };
    timeout(timing.request_timeout, exchange).await.unwrap_or_else(|_| Err(late()))
}

/// The whole of an answer, as far as it counts.
pub(super) async fn read(mut response: Response) -> Result<(Head, Vec<u8>), Failure> {
    let head = Head::read(response.status().as_u16(), response.headers());
    let mut body = Vec::new();
    // What the answer says of its length may be wrong, so it is measured.
    while head.most() > 0
        && let Some(chunk) = response.chunk().await?
    {
        if body.len() + chunk.len() > head.most() {
            if head.status != 200 {
                return Ok((head, Vec::new()));
            }
            return Err(ClientError::bad_snapshot(Error::new(Code::DocumentTooLarge, "")).into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok((head, body))
}

/// Whether an answer may take the place of `known`.
fn judge(head: &Head, body: &[u8], known: Option<&Held>) -> Result<Answer, Failure> {
    match (head.status, known) {
        (304, Some(known)) => match head.digest() {
            Some(digest) if digest != known.digest.as_str() => Err(mismatch()),
            _ => Ok(Answer::Same { history: head.history.clone() }),
        },
        (200, _) => {
            let snapshot = Snapshot::from_json(body).map_err(ClientError::bad_snapshot)?;
            let digest = snapshot.digest();
            if head.digest() != Some(digest.as_str()) {
                return Err(mismatch());
            }
            let held = Held::new(snapshot, digest, head.history.clone());
            if known.is_some_and(|known| held.is_older_than(known)) {
                let message = format!("revision {} is older than ours", held.rules.revision());
                return Err(Failure::new(ClientCode::OlderRevision, message));
            }
            Ok(Answer::Other(held))
        }
        _ => Err(Failure::of_status(head, body)),
    }
}

fn mismatch() -> Failure {
    Failure::new(ClientCode::DigestMismatch, "what was sent is not what the server says that it is")
}

/// For the fuzzer: the snapshot that is in use after this answer, if `known` was before; or why the answer was refused.
#[doc(hidden)]
pub fn fetched(
    status: u16,
    headers: &[(&str, &[u8])],
    body: &[u8],
    known: Option<(&Snapshot, &str)>,
) -> Result<Snapshot, ClientError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) =
            (name.parse::<reqwest::header::HeaderName>(), reqwest::header::HeaderValue::from_bytes(value))
        {
            map.insert(name, value);
        }
    }
    let head = Head::read(status, &map);
    let known = known
        .map(|(snapshot, history)| Held::new(snapshot.clone(), snapshot.digest(), Some(history.to_owned())));
    match judge(&head, body, known.as_ref()) {
        Ok(Answer::Other(held)) => Ok(held.into_snapshot()),
        Ok(Answer::Same { .. }) => known.map(Held::into_snapshot).ok_or_else(|| mismatch().error),
        Err(failure) => Err(failure.error),
    }
}

/// For the fuzzer: the subject of a tenant in an answer's body.
#[doc(hidden)]
pub fn subject_of(body: &[u8], slug: &str) -> Option<dezky_core::flags::SubjectDocument> {
    super::subjects::read_subject(body, slug)
}

#[cfg(test)]
mod tests {
    use super::{Duration, Head, HeaderMap, MAX_RETRY_AFTER, RETRY_AFTER};

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
            assert_eq!(Head::read(503, &headers).retry_after, expected, "{value}");
        }
    }
}
