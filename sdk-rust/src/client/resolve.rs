//! Requests for subjects, on the client's thread: at most one per tenant, shared by all its
//! callers.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::failure::RequestFailure;
use super::http::Http;
use super::response::{failure_of, read_response};
use super::session::Session;
use super::subject_cache::{CachedSubject, read_subject};
use super::{ClientCode, ClientError};
use dezky_core::flags::SubjectDocument;
use dezky_core::names::Slug;

/// The number of requests for subjects that may run at once.
const MAX_REQUESTS: usize = 8;

/// After a failure, the cached subject is used for this long before the server is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// The server's codes for tenants that this key does not cover.
const NOT_COVERED: [&str; 3] = ["denied_tenant_terminated", "denied_key_scope", "denied_not_member"];

/// A tenant's subject, or the reason why there is none.
pub(super) type Resolved = Result<Arc<SubjectDocument>, ClientError>;

/// Delivers the subject to a caller that waits for it.
pub(super) type SubjectReply = Box<dyn FnOnce(Resolved) + Send>;

/// A caller's request for a subject.
pub(super) struct SubjectRequest {
    pub(super) slug: Slug,
    pub(super) reply: SubjectReply,
}

/// The server's response to a request for a subject.
enum SubjectResponse {
    /// The subject is still the one with the tag.
    Unchanged,
    /// Another subject, with its tag.
    Changed(SubjectDocument, Option<String>),
    /// The key covers no tenant with this slug.
    NotFound,
    Failed(RequestFailure),
}

/// The progress of a request.
enum SubjectProgress {
    /// The request takes longer than callers with a cached subject wait.
    Slow,
    Done(SubjectResponse),
}

/// A running request and the callers that wait for it.
struct PendingRequest {
    cached: Option<Arc<CachedSubject>>,
    generation: u64,
    waiting: Vec<SubjectReply>,
}

impl Session {
    /// Resolves subjects until the thread is stopped.
    pub(super) async fn resolve_subjects(&self, mut asked: UnboundedReceiver<SubjectRequest>) -> Infallible {
        let permits = Arc::new(Semaphore::new(MAX_REQUESTS));
        let (report, mut reported) = unbounded_channel();
        let mut pending: HashMap<Slug, PendingRequest> = HashMap::new();
        loop {
            tokio::select! {
                Some(SubjectRequest { slug, reply }) = asked.recv() => match pending.get_mut(&slug) {
                    Some(request) => request.waiting.push(reply),
                    None => {
                        let cached = self.shared.subjects.get(&slug);
                        let generation = self.shared.subjects.generation();
                        self.start_request(slug.clone(), cached.as_deref(), permits.clone(), report.clone());
                        let waiting = Vec::from([reply]);
                        pending.insert(slug, PendingRequest { cached, generation, waiting });
                    }
                },
                Some((slug, progress)) = reported.recv() => self.settle(slug, progress, &mut pending),
            }
        }
    }

    fn start_request(
        &self,
        slug: Slug,
        cached: Option<&CachedSubject>,
        permits: Arc<Semaphore>,
        report: UnboundedSender<(Slug, SubjectProgress)>,
    ) {
        let (http, timing) = (self.http.clone(), self.settings.timing.clone());
        let tag = cached.and_then(|cached| cached.tag.clone());
        tokio::spawn(async move {
            let response = async {
                let _permit = permits.acquire().await;
                let fetching = fetch_subject(&http, &slug, tag.as_deref());
                let fetched = timeout(timing.request_timeout, fetching).await;
                fetched.unwrap_or_else(|_| SubjectResponse::Failed(RequestFailure::timed_out()))
            };
            let mut response = pin!(response);
            let done = match timeout(timing.subject_patience, &mut response).await {
                Ok(done) => done,
                Err(_) => {
                    let _ = report.send((slug.clone(), SubjectProgress::Slow));
                    response.await
                }
            };
            let _ = report.send((slug.clone(), SubjectProgress::Done(done)));
        });
    }

    /// Updates the cache and replies to every caller that waits for this subject.
    fn settle(&self, slug: Slug, progress: SubjectProgress, pending: &mut HashMap<Slug, PendingRequest>) {
        let subjects = &self.shared.subjects;
        let SubjectProgress::Done(response) = progress else {
            // Callers with a cached subject wait no longer.
            if let Some(PendingRequest { cached: Some(cached), waiting, .. }) = pending.get_mut(&slug) {
                waiting.drain(..).for_each(|reply| reply(Ok(cached.subject.clone())));
            }
            return;
        };
        let Some(PendingRequest { cached, generation, waiting }) = pending.remove(&slug) else { return };
        let resolved = match (response, cached) {
            (SubjectResponse::Changed(subject, tag), _) => {
                let subject = Arc::new(subject);
                subjects.insert(&slug, subject.clone(), tag, generation, None);
                Ok(subject)
            }
            (SubjectResponse::Unchanged, Some(cached)) => {
                subjects.insert(&slug, cached.subject.clone(), cached.tag.clone(), generation, None);
                Ok(cached.subject.clone())
            }
            (SubjectResponse::Failed(failure), Some(cached)) => {
                let until = Instant::now() + failure.retry_after.unwrap_or(PAUSE).max(PAUSE);
                let (subject, tag) = (cached.subject.clone(), cached.tag.clone());
                subjects.insert(&slug, subject, tag, cached.generation, Some(until));
                Ok(cached.subject.clone())
            }
            (SubjectResponse::Failed(failure), None) => Err(failure.error),
            (SubjectResponse::Unchanged, None) => {
                Err(ClientError::new(ClientCode::UnexpectedStatus, "the server answered 304"))
            }
            (SubjectResponse::NotFound, _) => {
                subjects.remove(&slug);
                let message = "no tenant has this slug, or the key does not cover it";
                Err(ClientError::slug(ClientCode::UnknownTenant, message))
            }
        };
        waiting.into_iter().for_each(|reply| reply(resolved.clone()));
    }
}

async fn fetch_subject(http: &Http, slug: &Slug, tag: Option<&str>) -> SubjectResponse {
    let exchange = async { read_response(http.subject(slug, tag).await?).await };
    let (head, body) = match exchange.await {
        Ok(response) => response,
        Err(failure) => return SubjectResponse::Failed(failure),
    };
    match head.status {
        200 => match read_subject(&body, slug.as_str()) {
            Some(subject) => SubjectResponse::Changed(subject, head.tag),
            None => {
                let message = "the server answered 200, but not with the subject of this tenant";
                SubjectResponse::Failed(RequestFailure::new(ClientCode::UnexpectedStatus, message))
            }
        },
        304 if tag.is_some() => SubjectResponse::Unchanged,
        404 => SubjectResponse::NotFound,
        _ => {
            let failure = failure_of(&head, &body);
            match failure.error.server_code.as_deref() {
                Some(code) if NOT_COVERED.contains(&code) => SubjectResponse::NotFound,
                _ => SubjectResponse::Failed(failure),
            }
        }
    }
}
