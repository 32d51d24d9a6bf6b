//! The loops of the client's thread: fetches, the stream, staleness, and the deadline of `connect`.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::mem;
use std::time::{Duration, Instant};

use reqwest::Response;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep, timeout};

use super::failure::RequestFailure;
use super::fetch::fetch;
use super::jitter::{backoff, jitter};
use super::phase::PhaseEvent;
use super::resolve::SubjectRequest;
use super::session::{ProblemSource, Session};
use super::stream::{Announcement, EventReader};
use super::{ClientError, ClientStatus};

impl Session {
    /// Runs every loop until the thread is stopped, or until `connect` fails.
    pub(super) async fn run(&self, began: Instant, subjects: UnboundedReceiver<SubjectRequest>) {
        let error = tokio::select! {
            biased;
            error = self.run_fetches() => error,
            never = self.run_streams() => match never {},
            never = self.watch_age() => match never {},
            never = self.resolve_subjects(subjects) => match never {},
            error = self.await_deadline(began) => error,
        };
        self.finish_connect(Err(error));
    }

    /// Fetches the snapshot, one request at a time. Returns the refusal that makes `connect` fail.
    async fn run_fetches(&self) -> ClientError {
        let timing = &self.settings.timing;
        loop {
            let began = Instant::now();
            self.started.set(self.started.get() + 1);
            self.is_fetch_needed.set(false);
            let cause = self.announced.replace(None);
            let current = self.shared.current.load_full();
            let in_use = current.is_published.then_some(current);
            let known = in_use.clone().or_else(|| self.shared.fallback.load_full());
            match fetch(&self.http, timing, known.as_deref(), in_use.as_deref()).await {
                Ok((head, fetched)) => {
                    let is_swap = self.accept(fetched, known);
                    self.note_population(head.population, None);
                    self.clear_problem(ProblemSource::Fetch);
                    self.succeeded.send_replace(self.started.get());
                    let was_confirming = self.is_confirming.replace(is_swap);
                    if !is_swap {
                        self.fetch_attempt.set(0);
                        self.drop_announcement_in_use();
                        let _ = timeout(jitter(timing.poll_interval), self.fetch_wanted()).await;
                    } else if !was_confirming {
                        // The next request reports the new digest to the server at once.
                        continue;
                    } else if !self.is_in_use(cause.as_ref()) {
                        // Servers that contradict each other must not cause an endless loop.
                        let _ =
                            timeout(self.next_wait(&self.fetch_attempt, false), self.fetch_wanted()).await;
                    }
                }
                Err(failure) => {
                    if let Err(error) = self.wait_after_failure(failure).await {
                        return error;
                    }
                }
            }
            sleep(timing.spacing.saturating_sub(began.elapsed())).await;
        }
    }

    /// Reads the stream, and fetches once after each end of it, so that no change is missed.
    async fn run_streams(&self) -> Infallible {
        let mut succeeded = self.succeeded.subscribe();
        // The first fetch has already started.
        let mut needed = 1;
        loop {
            while *succeeded.borrow_and_update() < needed {
                let _ = succeeded.changed().await;
            }
            let current = self.shared.current.load_full();
            let failure = match self.http.stream(current.is_published.then_some(&current.digest)).await {
                Ok(response) => {
                    self.clear_problem(ProblemSource::Stream);
                    self.read_stream(response).await;
                    None
                }
                Err(failure) => Some(failure),
            };
            let is_refused = failure.as_ref().is_some_and(RequestFailure::is_refusal);
            let mut wait = self.next_wait(&self.stream_attempt, is_refused);
            if let Some(failure) = failure {
                wait = wait.max(failure.retry_after.unwrap_or_default());
                self.report_problem(ProblemSource::Stream, failure.error);
            }
            if is_refused {
                // A fetch finds out whether the key is refused for everything.
                self.request_fetch();
            }
            sleep(wait).await;
            needed = self.started.get() + 1;
            self.request_fetch();
        }
    }

    /// Requests a fetch, no matter what was announced.
    fn request_fetch(&self) {
        self.is_fetch_needed.set(true);
        self.wake.notify_one();
    }

    /// Reads an open stream to its end. The end is no problem in itself: the next fetch finds out
    /// whether the server can be reached.
    async fn read_stream(&self, mut response: Response) {
        let timing = &self.settings.timing;
        let opened = Instant::now();
        let (mut reader, mut found, mut is_first) = (EventReader::default(), Vec::new(), true);
        while let Ok(Ok(Some(bytes))) = timeout(timing.silence, response.chunk()).await {
            let read = reader.read(&bytes, &mut found);
            for announcement in found.drain(..) {
                // The first event comes with every connection, so it does not prove a stable
                // stream.
                if !mem::replace(&mut is_first, false) {
                    self.stream_attempt.set(0);
                }
                self.announce(announcement);
            }
            if read.is_err() {
                break;
            }
        }
        if opened.elapsed() >= timing.settled {
            self.stream_attempt.set(0);
        }
    }

    fn announce(&self, announcement: Announcement) {
        self.note_population(announcement.population, announcement.digest.as_ref());
        self.fetch_attempt.set(0);
        self.announced.replace(Some(announcement));
        // While a swap is unconfirmed, even an announcement of the rules in use wakes the fetch
        // loop.
        if !self.is_confirming.get() {
            self.drop_announcement_in_use();
        }
        self.wake.notify_one();
    }

    /// Drops the announcement if its rules are already in use.
    fn drop_announcement_in_use(&self) {
        let mut announced = self.announced.borrow_mut();
        if self.is_in_use(announced.as_ref()) {
            *announced = None;
        }
    }

    fn is_in_use(&self, announced: Option<&Announcement>) -> bool {
        let current = self.shared.current.load();
        let digest = announced.and_then(|announced| announced.digest.as_ref());
        current.is_published && digest == Some(&current.digest)
    }

    /// Waits until a fetch is needed or something was announced since the last fetch started.
    async fn fetch_wanted(&self) {
        while !self.is_fetch_needed.get() && self.announced.borrow().is_none() {
            self.wake.notified().await;
        }
    }

    /// Reports a failed fetch and waits for the backoff. Only a `Retry-After` ignores
    /// announcements. Returns the error if it makes `connect` fail.
    async fn wait_after_failure(&self, failure: RequestFailure) -> Result<(), ClientError> {
        self.is_confirming.set(false);
        let wait = self.next_wait(&self.fetch_attempt, failure.is_refusal());
        let event = if failure.is_refusal() { PhaseEvent::Refused } else { PhaseEvent::Failed };
        self.shared.transition(event);
        self.report_problem(ProblemSource::Fetch, failure.error.clone());
        self.start_early(failure.error)?;
        match failure.retry_after {
            Some(retry_after) if retry_after > wait => sleep(retry_after).await,
            _ => drop(timeout(wait, self.fetch_wanted()).await),
        }
        Ok(())
    }

    /// Marks the rules as stale when the server has not confirmed them within `stale_after`.
    async fn watch_age(&self) -> Infallible {
        let mut succeeded = self.succeeded.subscribe();
        loop {
            succeeded.borrow_and_update();
            if self.shared.status() != ClientStatus::Ready {
                let _ = succeeded.changed().await;
                continue;
            }
            let left = self.settings.stale_after.saturating_sub(self.shared.age());
            if left.is_zero() {
                self.expire();
            } else {
                sleep(left).await;
            }
        }
    }

    /// Starts without the server at the deadline of `connect`. Returns the error if that is
    /// impossible.
    async fn await_deadline(&self, began: Instant) -> ClientError {
        sleep(self.settings.deadline.saturating_sub(began.elapsed())).await;
        if !self.is_awaited() {
            return pending().await;
        }
        match self.start_without_server(ClientError::deadline(None)) {
            Err(_) => ClientError::deadline(self.last_problem()),
            Ok(()) => {
                self.expire();
                self.finish_connect(Ok(()));
                pending().await
            }
        }
    }

    /// The backoff before the next attempt. Its cap is twice as long while the key is refused.
    fn next_wait(&self, attempt: &Cell<u32>, is_refused: bool) -> Duration {
        let count = attempt.get();
        attempt.set(count.saturating_add(1));
        let max = self.settings.max_backoff.saturating_mul(if is_refused { 2 } else { 1 });
        backoff(count, self.settings.timing.min_backoff, max)
    }
}
