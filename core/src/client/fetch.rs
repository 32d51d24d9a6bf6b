//! One conditional fetch: an answer is only taken if it is whole, strictly well formed, what the server says that it is, and not older.

use std::borrow::ToOwned;
use std::string::String;
use std::vec::Vec;

use reqwest::header::{ETAG, HeaderMap};
use reqwest::{Response, StatusCode};
use tokio::time::timeout;

use super::held::Held;
use super::http::{Failure, Http, late};
use super::{ClientCode, ClientError, Timing};
use crate::limits::MAX_DOCUMENT_BYTES;
use crate::{Code, Error, Snapshot};

/// What an answer says.
pub(super) enum Answer {
    /// The rules that were named in the question are those that are out, in this history.
    Same { history: Option<String> },
    /// Others are.
    Other(Held),
}

/// Asks what is out. `known` is what need not be sent again, and is never gone behind; `serving` is what is evaluated with.
pub(super) async fn fetch(
    http: &Http,
    timing: &Timing,
    known: Option<&Held>,
    serving: Option<&Held>,
) -> Result<Answer, Failure> {
    let exchange = async {
        let known_digest = known.map(|held| &held.digest);
        let response = http.snapshot(known_digest, serving.map(|held| &held.digest)).await?;
        read(http, response, known).await
    };
    timeout(timing.request_timeout, exchange).await.unwrap_or_else(|_| Err(late()))
}

async fn read(http: &Http, response: Response, known: Option<&Held>) -> Result<Answer, Failure> {
    let history = history(response.headers());
    let tag = tag(response.headers());
    match (response.status(), known) {
        (StatusCode::NOT_MODIFIED, Some(known)) => match tag {
            Some(tag) if tag != known.digest.as_str() => Err(mismatch()),
            _ => Ok(Answer::Same { history }),
        },
        (StatusCode::OK, _) => {
            let body = body(response).await?;
            let snapshot = Snapshot::from_json(&body).map_err(ClientError::bad_snapshot)?;
            let digest = snapshot.digest();
            if tag.as_deref() != Some(digest.as_str()) {
                return Err(mismatch());
            }
            let held = Held::new(snapshot, digest, history);
            if known.is_some_and(|known| held.is_older_than(known)) {
                let message = std::format!("revision {} is older than ours", held.rules.revision());
                return Err(Failure::new(ClientCode::OlderRevision, message));
            }
            Ok(Answer::Other(held))
        }
        _ => Err(http.refusal(response).await),
    }
}

async fn body(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    // What the answer says of its length may be wrong, so it is measured.
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_DOCUMENT_BYTES {
            return Err(ClientError::bad_snapshot(Error::new(Code::DocumentTooLarge, "")).into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The tag without its quotes, and without the mark that a proxy leaves which compresses: the digest is checked anyway.
fn tag(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get(ETAG)?.to_str().ok()?;
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    Some(tag.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

fn history(headers: &HeaderMap) -> Option<String> {
    headers.get("dezky-history").and_then(|value| value.to_str().ok()).map(ToOwned::to_owned)
}

fn mismatch() -> Failure {
    Failure::new(ClientCode::DigestMismatch, "what was sent is not what the server says that it is")
}
