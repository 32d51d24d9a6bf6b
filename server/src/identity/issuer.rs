//! One issuer's keys, kept fresh by one task that alone asks the issuer.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::fetch::Source;
use super::keys::Keys;

/// The first wait while no keys were ever fetched: service and issuer are often started together.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Issuer {
    source: Source,
    /// Replaced whole, under a lock held for a pointer's copy.
    keys: RwLock<Option<Arc<Keys>>>,
    progress: watch::Sender<Progress>,
}

/// Where the task is. Requests wait on it, and may ask for an attempt by setting `is_running` themselves.
#[derive(Debug, Default)]
struct Progress {
    is_running: bool,
    finished: u64,
    last_start: Option<Instant>,
    /// What was wrong with the last attempt.
    failure: Option<String>,
}

impl Issuer {
    pub(super) fn new(source: Source) -> Issuer {
        Issuer { source, keys: RwLock::default(), progress: watch::Sender::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.source.issuer
    }

    /// The keys last fetched, however long ago.
    pub(super) fn keys(&self) -> Option<Arc<Keys>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn readiness(&self) -> Result<(), String> {
        let state = match self.keys() {
            Some(keys) if keys.are_trusted() => return Ok(()),
            Some(_) => "the keys were fetched too long ago from",
            None => "no keys were fetched yet from",
        };
        let failure = self.progress.borrow().failure.clone();
        Err(format!("{state} {}: {}", self.name(), failure.as_deref().unwrap_or("not tried yet")))
    }

    /// Fetches the keys without keeping them.
    pub(super) async fn probe(&self) -> Result<(), String> {
        let text = self.source.key_set().await?;
        self.read(text).map(|_| ())
    }

    /// Waits for an attempt that is running, or has one made unless the last began less than a cooldown ago. A request that
    /// waits here may be dropped without the attempt being dropped.
    pub(super) async fn refreshed(&self) {
        let mut awaited = None;
        self.progress.send_if_modified(|progress| {
            let is_due =
                progress.last_start.is_none_or(|start| start.elapsed() >= self.source.timing.cooldown);
            let is_asked = !progress.is_running && is_due;
            progress.is_running |= is_asked;
            awaited = progress.is_running.then_some(progress.finished + 1);
            is_asked
        });
        let Some(awaited) = awaited else { return };
        let mut progress = self.progress.subscribe();
        // Whether it came in time makes no difference here: the keys at hand decide.
        let _ = timeout(self.source.timing.timeout, progress.wait_for(|now| now.finished >= awaited)).await;
    }

    /// Fetches the keys when they are due or asked for, forever.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut progress = self.progress.subscribe();
        let mut due = Instant::now();
        let mut backoff = FIRST_BACKOFF.min(self.source.timing.cooldown);
        loop {
            let _ = timeout_at(due, progress.wait_for(|now| now.is_running)).await;
            let start = Instant::now();
            // Before anything is sent: an attempt that fails counts as much.
            self.progress.send_modify(|progress| {
                progress.is_running = true;
                progress.last_start = Some(start);
            });
            let outcome = self.source.key_set().await.and_then(|text| self.take(text));
            due = start + self.pause(outcome.is_ok(), &mut backoff);
            self.finish(outcome);
        }
    }

    /// The time from an attempt's start to the next.
    fn pause(&self, is_success: bool, backoff: &mut Duration) -> Duration {
        let timing = &self.source.timing;
        if is_success {
            return timing.max_age.max(timing.cooldown);
        }
        if self.keys().is_some() {
            return timing.cooldown;
        }
        let pause = *backoff;
        *backoff = timing.cooldown.min(pause * 2);
        pause
    }

    /// Puts a new key set in the old one's place. One that cannot be read changes nothing.
    fn take(&self, text: Vec<u8>) -> Result<(), String> {
        let old = self.keys();
        if let Some(same) = old.as_ref().filter(|old| old.is_same(&text)) {
            same.renew();
            return Ok(());
        }
        let keys = self.read(text)?;
        let mut place = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        *place = Some(Arc::new(keys));
        if let Some(old) = old {
            old.withdraw();
        }
        Ok(())
    }

    fn read(&self, text: Vec<u8>) -> Result<Keys, String> {
        let keys = Keys::read(text, &self.source.policy, self.source.timing.hard_cap);
        keys.map_err(|error| format!("the key set is not accepted: {error}"))
    }

    /// Tells those who wait, and the log where the state has changed.
    fn finish(&self, outcome: Result<(), String>) {
        let is_first = self.progress.borrow().finished == 0;
        let failure = outcome.err();
        let before = self.progress.borrow().failure.clone();
        let issuer = self.name();
        match &failure {
            Some(reason) if before != failure => {
                tracing::warn!(issuer, reason, "the issuer's keys cannot be fetched")
            }
            None if is_first || before.is_some() => tracing::info!(issuer, "the issuer's keys are fetched"),
            _ => {}
        }
        self.progress.send_modify(|progress| {
            progress.is_running = false;
            progress.finished += 1;
            progress.failure = failure;
        });
    }
}
