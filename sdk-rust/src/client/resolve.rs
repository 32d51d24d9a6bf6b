//! Asking the server for subjects, on the client's thread: one request at a time for each tenant, whoever waits for it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::fetch::read;
use super::http::{Failure, Http, late};
use super::subjects::{Kept, read_subject};
use super::work::Work;
use super::{ClientCode, ClientError};
use dezky_core::flags::SubjectDocument;
use dezky_core::names::Slug;

/// As many subjects are asked for at once.
const MAX_REQUESTS: usize = 8;

/// After a failure, the last known subject is handed out for so long before the server is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// A tenant's subject, or why there is none.
pub(super) type Resolved = Result<Arc<SubjectDocument>, ClientError>;

/// A question of a caller who waits for a subject.
pub(super) struct Ask {
    pub(super) slug: Slug,
    pub(super) reply: Box<dyn FnOnce(Resolved) + Send>,
}

/// The server's answer.
enum Outcome {
    /// The subject is still that of the tag.
    Same,
    /// This is the subject now, with this tag.
    Other(SubjectDocument, Option<String>),
    /// There is no such tenant.
    Gone,
    Failed(Failure),
}

/// News of a request.
enum News {
    /// It takes long.
    Late,
    Done(Outcome),
}

/// A request that is under way.
struct Request {
    known: Option<Arc<Kept>>,
    generation: u64,
    waiting: Vec<Box<dyn FnOnce(Resolved) + Send>>,
}

impl Work {
    /// Answers questions for as long as the client lives.
    pub(super) async fn resolving(&self, mut asks: UnboundedReceiver<Ask>) -> Infallible {
        let places = Arc::new(Semaphore::new(MAX_REQUESTS));
        let (tell, mut told) = unbounded_channel();
        let mut requests: HashMap<Slug, Request> = HashMap::new();
        loop {
            tokio::select! {
                Some(Ask { slug, reply }) = asks.recv() => match requests.get_mut(&slug) {
                    Some(request) => request.waiting.push(reply),
                    None => {
                        let known = self.shared.subjects.get(&slug);
                        let generation = self.shared.subjects.generation();
                        self.request(slug.clone(), known.as_deref(), places.clone(), tell.clone());
                        let waiting = Vec::from([reply]);
                        requests.insert(slug, Request { known, generation, waiting });
                    }
                },
                Some((slug, news)) = told.recv() => self.settle(slug, news, &mut requests),
            }
        }
    }

    fn request(
        &self,
        slug: Slug,
        known: Option<&Kept>,
        places: Arc<Semaphore>,
        tell: UnboundedSender<(Slug, News)>,
    ) {
        let (http, timing) = (self.http.clone(), self.settings.timing.clone());
        let tag = known.and_then(|known| known.tag.clone());
        tokio::spawn(async move {
            let outcome = async {
                let _place = places.acquire().await;
                let asking = ask(&http, &slug, tag.as_deref());
                timeout(timing.request_timeout, asking).await.unwrap_or_else(|_| Outcome::Failed(late()))
            };
            let mut outcome = pin!(outcome);
            let done = match timeout(timing.subject_patience, &mut outcome).await {
                Ok(done) => done,
                Err(_) => {
                    let _ = tell.send((slug.clone(), News::Late));
                    outcome.await
                }
            };
            let _ = tell.send((slug.clone(), News::Done(done)));
        });
    }

    /// Hands a subject to everybody who waits for it.
    fn settle(&self, slug: Slug, news: News, requests: &mut HashMap<Slug, Request>) {
        let subjects = &self.shared.subjects;
        let News::Done(outcome) = news else {
            // Whoever can be served with what was known before does not wait on.
            if let Some(Request { known: Some(known), waiting, .. }) = requests.get_mut(&slug) {
                waiting.drain(..).for_each(|reply| reply(Ok(known.subject.clone())));
            }
            return;
        };
        let Some(Request { known, generation, waiting }) = requests.remove(&slug) else { return };
        let resolved = match (outcome, known) {
            (Outcome::Other(subject, tag), _) => {
                let subject = Arc::new(subject);
                subjects.put(&slug, subject.clone(), tag, generation, None);
                Ok(subject)
            }
            (Outcome::Same, Some(known)) => {
                subjects.put(&slug, known.subject.clone(), known.tag.clone(), generation, None);
                Ok(known.subject.clone())
            }
            (Outcome::Failed(failure), Some(known)) => {
                let until = Instant::now() + failure.retry_after.unwrap_or(PAUSE).max(PAUSE);
                subjects.put(&slug, known.subject.clone(), known.tag.clone(), known.generation, Some(until));
                Ok(known.subject.clone())
            }
            (Outcome::Failed(failure), None) => Err(failure.error),
            (Outcome::Same, None) => {
                Err(ClientError::new(ClientCode::UnexpectedStatus, "the answer's status is 304"))
            }
            (Outcome::Gone, _) => {
                subjects.remove(&slug);
                let message = "no tenant has this slug, or none that the key covers";
                Err(ClientError::slug(ClientCode::UnknownTenant, message))
            }
        };
        waiting.into_iter().for_each(|reply| reply(resolved.clone()));
    }
}

async fn ask(http: &Http, slug: &Slug, tag: Option<&str>) -> Outcome {
    let answer = async { read(http.subject(slug, tag).await?).await };
    let (head, body) = match answer.await {
        Ok(answer) => answer,
        Err(failure) => return Outcome::Failed(failure),
    };
    match head.status {
        200 => match read_subject(&body, slug.as_str()) {
            Some(subject) => Outcome::Other(subject, head.tag),
            None => Outcome::Failed(Failure::new(ClientCode::UnexpectedStatus, "the answer is no subject")),
        },
        304 if tag.is_some() => Outcome::Same,
        404 => Outcome::Gone,
        _ => {
            let failure = Failure::of_status(&head, &body);
            match failure.error.server_code.as_deref() {
                Some("denied_tenant_terminated" | "denied_key_scope" | "denied_not_member") => Outcome::Gone,
                _ => Outcome::Failed(failure),
            }
        }
    }
}
