//! One conditional fetch of the snapshot.
//!
//! A response is accepted only if it is complete, strictly well formed, matches its digest, and is
//! not older than the snapshot that the client has.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::timeout;

use super::failure::RequestFailure;
use super::http::Http;
use super::loaded_snapshot::LoadedSnapshot;
use super::response::{ResponseHead, failure_of, read_response};
use super::{ClientCode, ClientError, Timing};
use dezky_core::flags::Snapshot;

/// The result of a fetch.
pub(super) enum Fetched {
    /// The server still has the snapshot that the request named, in this history.
    Unchanged { history: Option<String> },
    /// The server has another snapshot.
    Changed(LoadedSnapshot),
}

/// Fetches the snapshot from the server.
///
/// `known` is the snapshot for `If-None-Match`; older revisions are rejected. `in_use` is the
/// snapshot that the client evaluates with, which the request reports to the server.
pub(super) async fn fetch(
    http: &Http,
    timing: &Timing,
    known: Option<&LoadedSnapshot>,
    in_use: Option<&LoadedSnapshot>,
) -> Result<(ResponseHead, Fetched), RequestFailure> {
    let exchange = async {
        let known_digest = known.map(|known| &known.digest);
        let response = http.snapshot(known_digest, in_use.map(|in_use| &in_use.digest)).await?;
        let (head, body) = read_response(response).await?;
        judge(&head, &body, known).map(|fetched| (head, fetched))
    };
    timeout(timing.request_timeout, exchange).await.unwrap_or_else(|_| Err(RequestFailure::timed_out()))
}

/// Checks whether a response may replace `known`.
fn judge(
    head: &ResponseHead,
    body: &[u8],
    known: Option<&LoadedSnapshot>,
) -> Result<Fetched, RequestFailure> {
    match (head.status, known) {
        (304, Some(known)) => match head.digest() {
            Some(digest) if digest != known.digest.as_str() => Err(digest_mismatch()),
            _ => Ok(Fetched::Unchanged { history: head.history.clone() }),
        },
        (200, _) => {
            let snapshot = Snapshot::from_json(body).map_err(ClientError::bad_snapshot)?;
            let digest = snapshot.digest();
            if head.digest() != Some(digest.as_str()) {
                return Err(digest_mismatch());
            }
            let fetched = LoadedSnapshot::new(snapshot, digest, head.history.clone());
            match known {
                Some(known) if fetched.is_older_than(known) => Err(older_revision(&fetched, known)),
                _ => Ok(Fetched::Changed(fetched)),
            }
        }
        _ => Err(failure_of(head, body)),
    }
}

fn digest_mismatch() -> RequestFailure {
    RequestFailure::new(ClientCode::DigestMismatch, "the response does not match its digest")
}

fn older_revision(fetched: &LoadedSnapshot, known: &LoadedSnapshot) -> RequestFailure {
    let (revision, ours) = (fetched.rules.revision(), known.rules.revision());
    let message = format!("the server has revision {revision}, which is older than {ours}");
    RequestFailure::new(ClientCode::OlderRevision, message)
}

/// Returns the snapshot that a client uses after this response, or the reason why it rejects it.
///
/// `known` is the snapshot that the client has, with its history. For fuzz targets.
pub fn fetched(
    status: u16,
    headers: &[(&str, &[u8])],
    body: &[u8],
    known: Option<(&Snapshot, &str)>,
) -> Result<Snapshot, ClientError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value)) {
            map.insert(name, value);
        }
    }
    let head = ResponseHead::read(status, &map);
    let known = known.map(|(snapshot, history)| {
        LoadedSnapshot::new(snapshot.clone(), snapshot.digest(), Some(history.to_owned()))
    });
    match judge(&head, body, known.as_ref()) {
        Ok(Fetched::Changed(snapshot)) => Ok(snapshot.into_snapshot()),
        Ok(Fetched::Unchanged { .. }) => {
            known.map(LoadedSnapshot::into_snapshot).ok_or_else(|| digest_mismatch().error)
        }
        Err(failure) => Err(failure.error),
    }
}
