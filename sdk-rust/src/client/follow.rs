//! The loops of the client's thread: fetching, following the stream, growing stale, and the deadline.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;
use std::time::Instant;

use reqwest::Response;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep, timeout};

use super::chance::{around, backoff};
use super::fetch::fetch;
use super::http::Failure;
use super::resolve::Ask;
use super::stream::{Announcement, EventReader};
use super::work::{Source, Work};
use super::{ClientError, ClientStatus};

impl Work {
    /// Everything, for as long as the client lives. It ends by itself only if `connect` fails.
    pub(super) async fn run(&self, began: Instant, asks: UnboundedReceiver<Ask>) {
        let error = tokio::select! {
            biased;
            error = self.fetching() => error,
            never = self.streaming() => match never {},
            never = self.growing_stale() => match never {},
            never = self.resolving(asks) => match never {},
            error = self.awaiting_deadline(began) => error,
        };
        self.tell(Err(error));
    }

    /// One fetch at a time. Ends with the refusal for which `connect` fails.
    async fn fetching(&self) -> ClientError {
        let timing = &self.settings.timing;
        loop {
            let began = Instant::now();
            self.started.set(self.started.get() + 1);
            self.is_asked.set(false);
            let cause = self.announced.replace(None);
            let current = self.shared.current.load_full();
            let serving = current.is_published.then_some(current);
            let known = serving.clone().or_else(|| self.shared.fallback.load_full());
            match fetch(&self.http, timing, known.as_deref(), serving.as_deref()).await {
                Ok((head, answer)) => {
                    let is_swap = self.accept(answer, known);
                    self.note_population(head.population, None);
                    self.solved(Source::Fetch);
                    self.answered.send_replace(self.started.get());
                    let was_confirming = self.is_confirming.replace(is_swap);
                    if !is_swap {
                        self.fetch_attempt.set(0);
                        self.forget_if_here();
                        let _ = timeout(around(timing.check_in), self.wanted()).await;
                    } else if !was_confirming {
                        // The server learns at once what is evaluated with now.
                        continue;
                    } else if !self.is_here(cause.as_ref()) {
                        // Servers that contradict each other must not be asked without end.
                        let _ = timeout(self.next_wait(&self.fetch_attempt, false), self.wanted()).await;
                    }
                }
                Err(failure) => {
                    self.is_confirming.set(false);
                    let wait = self.next_wait(&self.fetch_attempt, failure.is_refusal());
                    if failure.is_refusal() {
                        self.shared.turn(ClientStatus::Refused);
                    }
                    self.problem(Source::Fetch, failure.error.clone());
                    if let Err(error) = self.start_without(failure.error) {
                        return error;
                    }
                    match failure.retry_after {
                        Some(least) if least > wait => sleep(least).await,
                        _ => drop(timeout(wait, self.wanted()).await),
                    }
                }
            }
            sleep(timing.burst.saturating_sub(began.elapsed())).await;
        }
    }

    /// The stream, and one fetch after it ended: what was announced meanwhile is not lost.
    async fn streaming(&self) -> Infallible {
        let mut answered = self.answered.subscribe();
        // The first fetch is under way.
        let mut needed = 1;
        loop {
            while *answered.borrow_and_update() < needed {
                let _ = answered.changed().await;
            }
            let current = self.shared.current.load_full();
            let failure = match self.http.stream(current.is_published.then_some(&current.digest)).await {
                Ok(response) => {
                    self.solved(Source::Stream);
                    self.listen(response).await;
                    None
                }
                Err(failure) => Some(failure),
            };
            let is_refused = failure.as_ref().is_some_and(Failure::is_refusal);
            let mut wait = self.next_wait(&self.stream_attempt, is_refused);
            if let Some(failure) = failure {
                wait = wait.max(failure.retry_after.unwrap_or_default());
                self.problem(Source::Stream, failure.error);
            }
            if is_refused {
                // The next fetch finds out whether the key is refused for everything.
                self.ask();
            }
            sleep(wait).await;
            needed = self.started.get() + 1;
            self.ask();
        }
    }

    /// Asks for a fetch, whatever was announced.
    fn ask(&self) {
        self.is_asked.set(true);
        self.wanted.notify_one();
    }

    /// Reads an open stream to its end. However that comes about, it is nothing unusual: whether the server can be reached, the fetch that
    /// follows will tell.
    async fn listen(&self, mut response: Response) {
        let timing = &self.settings.timing;
        let opened = Instant::now();
        let (mut reader, mut found, mut is_first) = (EventReader::default(), Vec::new(), true);
        while let Ok(Ok(Some(bytes))) = timeout(timing.silence, response.chunk()).await {
            let read = reader.read(&bytes, &mut found);
            for announcement in found.drain(..) {
                // The first comes with every connection, and says nothing about how long it will last.
                if !std::mem::replace(&mut is_first, false) {
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
        // What is served and not confirmed yet will be now: no reason to wait on.
        if !self.is_confirming.get() {
            self.forget_if_here();
        }
        self.wanted.notify_one();
    }

    /// What was announced need not be fetched if it is what is served.
    fn forget_if_here(&self) {
        let mut announced = self.announced.borrow_mut();
        if self.is_here(announced.as_ref()) {
            *announced = None;
        }
    }

    fn is_here(&self, announced: Option<&Announcement>) -> bool {
        let current = self.shared.current.load();
        let digest = announced.and_then(|announced| announced.digest.as_ref());
        current.is_published && digest == Some(&current.digest)
    }

    /// Until a fetch is wanted that has not been started.
    async fn wanted(&self) {
        while !self.is_asked.get() && self.announced.borrow().is_none() {
            self.wanted.notified().await;
        }
    }

    async fn growing_stale(&self) -> Infallible {
        let mut answered = self.answered.subscribe();
        loop {
            answered.borrow_and_update();
            if self.shared.status() != ClientStatus::Ready {
                let _ = answered.changed().await;
                continue;
            }
            let left = self.settings.stale_after.saturating_sub(self.shared.age());
            if left.is_zero() {
                self.grow_stale();
            } else {
                sleep(left).await;
            }
        }
    }

    async fn awaiting_deadline(&self, began: Instant) -> ClientError {
        sleep(self.settings.deadline.saturating_sub(began.elapsed())).await;
        if !self.is_awaited() {
            return pending().await;
        }
        match self.do_without(ClientError::deadline(None)) {
            Err(_) => ClientError::deadline(self.last_problem()),
            Ok(()) => {
                self.grow_stale();
                self.tell(Ok(()));
                pending().await
            }
        }
    }

    /// Longer from one attempt to the next; a key that is refused is seldom accepted soon after.
    fn next_wait(&self, attempt: &Cell<u32>, is_refused: bool) -> Duration {
        let count = attempt.get();
        attempt.set(count.saturating_add(1));
        let longest = self.settings.max_backoff.saturating_mul(if is_refused { 2 } else { 1 });
        backoff(count, self.settings.timing.min_backoff, longest)
    }
}
